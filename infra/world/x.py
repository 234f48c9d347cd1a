"""X's API as the desk calls it (docs.x.com): signed by the account's keys, or with the app's bearer token."""

import math
import re
import time
from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from infra.world.faults import Fault
from infra.world.files import uploaded
from infra.world.model import File, Person, Say, Shown, Webhook
from infra.world.platform import StandIn
from infra.world.wire import Answer, Call, Target, json_answer
from infra.world.x_account import (
    LOCAL_ACCOUNT,
    XAccount,
    activity,
    direct_message,
    iso,
    next_id,
    user,
    user_of,
    withheld,
)
from infra.world.x_acts import NO_ENTITIES, build, keep_post
from infra.world.x_answers import CLOSED, GONE, QUARTER, SUMMONED, Refused, too_many
from infra.world.x_app import as_app, subscribe
from sportello.channels.x_oauth import Keys, authorization, basic_of
from sportello.channels.x_text import POST_LIMIT, weight

MESSAGE = re.compile(r"/2/dm_conversations/with/([0-9]{1,19})/messages")
UPLOAD = re.compile(r"/2/media/upload/([0-9]+)/(append|finalize)")
USER = re.compile(r"/2/users/([0-9]{1,19})")
FIELD = re.compile(r'(oauth_[a-z_]+)="([^"]*)"')
MESSAGE_LIMIT = 10_000
CLOCK_SECONDS = 300


class X(StandIn):
    name = "x"
    hosts = ("api.x.com", "ton.twitter.com", "pbs.twimg.com", "video.twimg.com")
    faults = frozenset(
        {"429", "500", "token_expired", "blocked", "not_summoned", "duplicate", "no_credits", "error"}
    )
    account_model = XAccount
    refusals: ClassVar[dict[str, tuple[int, str]]] = {
        "token_expired": (401, "Unauthorized"),
        "blocked": (403, CLOSED),
        "not_summoned": (403, SUMMONED),
        "duplicate": (403, "You are not allowed to create a Tweet with duplicate content."),
        "no_credits": (402, "Your enrolled account does not have any credits."),
    }

    def local_account(self) -> XAccount:
        return LOCAL_ACCOUNT

    def local_connection(self, account: XAccount) -> dict[str, Any]:
        return {
            "secrets": [account.consumer_secret],
            "token": account.token,
            "accounts": [{"id": account.id, "role": "care", "name": account.username}],
            "settings": {"consumer_key": account.consumer_key, "access_secret": account.token_secret},
        }

    def address(self, person: Person) -> str:
        return user_of(person)

    def say(self, say: Say) -> tuple[Webhook | None, str]:
        return build(self, say)

    def target(self, call: Call) -> Target:
        if match := MESSAGE.fullmatch(call.path):
            return Target("message", match.group(1), sends=call.method == "POST")
        if call.path == "/2/tweets":
            return Target("post", self._author(call), sends=call.method == "POST")
        return Target(call.path.removeprefix("/2/").split("/")[0] or "unknown")

    def _author(self, call: Call) -> str:
        reply = (call.json or {}).get("reply")
        post = str(reply.get("in_reply_to_tweet_id", "")) if isinstance(reply, dict) else ""
        for account in self.state.accounts_of("x"):
            if known := self.state.talk("x", account.id, f"post:{post}"):
                return str(known.more["author"])
        return ""

    def answer(self, call: Call) -> Answer:
        try:
            return self._answer(call)
        except Refused as refused:
            return refused.answer()

    def fail(self, call: Call, fault: Fault) -> Answer:
        if fault.kind == "500":
            return json_answer(500, {"title": "Internal Server Error"}, code="500")
        if fault.kind == "429":
            return too_many(fault.retry_after)
        status, detail = self.refusals.get(fault.kind, (int(fault.code or "400"), fault.text))
        return Refused(status, detail).answer()

    def _answer(self, call: Call) -> Answer:
        if call.path == "/oauth2/token":
            return self._bearer(call)
        if call.path.startswith("/2/webhooks") or (
            call.path == "/2/activity/subscriptions" and call.method == "GET"
        ):
            return as_app(self.state, self._app_of(call), call)
        account = self._account_of(call)
        routes: tuple[tuple[bool, Callable[[XAccount, Call], Answer]], ...] = (
            (bool(MESSAGE.fullmatch(call.path)) and call.method == "POST", self._message),
            (call.path == "/2/tweets" and call.method == "POST", self._post),
            (call.path == "/2/users/me", self._me),
            (bool(USER.fullmatch(call.path)), self._user),
            (call.path == "/2/activity/subscriptions" and call.method == "POST", self._subscribe),
            (call.path == "/2/media/upload/initialize", self._initialize),
            (bool(UPLOAD.fullmatch(call.path)), self._fill),
        )
        for fits, runner in routes:
            if fits:
                return runner(account, call)
        raise Refused(404, "Not Found", "Not Found")

    # --- who calls -------------------------------------------------------------------------------

    def _account_of(self, call: Call) -> XAccount:
        """Whose keys signed the call, computed as X does; a clock that is far off does not count."""
        given = dict(FIELD.findall(call.headers.get("authorization", "")))
        stamp = given.get("oauth_timestamp", "")
        query = f"?{urlencode(call.query, quote_via=quote)}" if call.query else ""
        accounts: tuple[XAccount, ...] = self.state.accounts_of("x")
        for account in accounts:
            keys = Keys(account.consumer_key, account.consumer_secret, account.token, account.token_secret)
            if not stamp.isdigit() or abs(int(stamp) - time.time()) > CLOCK_SECONDS:
                break
            url = f"https://{call.host}{call.path}{query}"
            ours = authorization(
                call.method, url, keys, nonce=given.get("oauth_nonce", ""), timestamp=int(stamp)
            )
            if dict(FIELD.findall(ours)) == given:
                return account
        raise Refused(401, "Unauthorized", "Unauthorized")

    def _bearer(self, call: Call) -> Answer:
        accounts: tuple[XAccount, ...] = self.state.accounts_of("x")
        for account in accounts:
            known = basic_of(account.consumer_key, account.consumer_secret)
            asked = call.form.get("grant_type") == "client_credentials"
            if asked and call.headers.get("authorization") == known:
                token = f"bearer-{account.consumer_key}"
                return json_answer(200, {"token_type": "bearer", "access_token": token})
        error = {"code": 99, "message": "Unable to verify your credentials"}
        return json_answer(403, {"errors": [error]}, code="99")

    def _app_of(self, call: Call) -> XAccount:
        accounts: tuple[XAccount, ...] = self.state.accounts_of("x")
        for account in accounts:
            if call.headers.get("authorization") == f"Bearer bearer-{account.consumer_key}":
                return account
        raise Refused(401, "Unauthorized", "Unauthorized")

    # --- messages and posts ----------------------------------------------------------------------

    def _message(self, account: XAccount, call: Call) -> Answer:
        match, body = MESSAGE.fullmatch(call.path), call.json or {}
        recipient = match.group(1) if match else ""
        text, file = body.get("text", ""), self._attached(body.get("attachments"))
        if not isinstance(text, str) or not (text.strip() or file) or len(text) > MESSAGE_LIMIT:
            raise Refused(400, "One or more parameters to your request was invalid.", "Invalid Request")
        with self.state.lock:
            talk = self.state.talk("x", account.id, recipient)
            if talk is None or talk.blocked:
                raise Refused(403, CLOSED)
            burst = account.message_burst
            wait = self.state.buckets.take(f"x:{account.id}", burst, burst / QUARTER)
            if wait:
                return too_many(math.ceil(wait))
            now = self.state.now()
            id = next_id(self.state, now)
            self._show(account, recipient, Shown(id=id, direction="out", text=text, file=file, time=now))
        people = {account.id: {"data": user(account.id, account.name, account.username)}}
        data = {"text": text, "entities": NO_ENTITIES}
        payload = direct_message(account.id, recipient, id, now, data, people)
        self._tell(account, recipient, "dm.sent", payload, id)
        value = {"dm_conversation_id": f"{recipient}-{account.id}", "dm_event_id": id}
        return json_answer(201, {"data": value}, id=id)

    def _post(self, account: XAccount, call: Call) -> Answer:
        body = call.json or {}
        text, reply = body.get("text", ""), body.get("reply")
        media = body.get("media")
        file = self._uploaded(media.get("media_ids")) if isinstance(media, dict) else None
        if not isinstance(text, str) or not (text.strip() or file) or not isinstance(reply, dict):
            raise Refused(400, "One or more parameters to your request was invalid.", "Invalid Request")
        if weight(text) > POST_LIMIT:
            raise Refused(400, "Your Tweet text is too long. For more information, visit the docs.")
        answered = str(reply.get("in_reply_to_tweet_id", ""))
        with self.state.lock:
            root, author = self._may_answer(account, answered, text)
            now = self.state.now()
            id = next_id(self.state, now)
            shown = Shown(id=id, direction="out", kind="post", text=text, file=file, time=now, quote=answered)
            if link := body.get("direct_message_deep_link"):
                shown = shown.model_copy(update={"tag": str(link)})
            self._show(account, author, shown)
            keep_post(self, account.id, id, root, account.id)
        post = {"id": id, "text": text, "author_id": account.id, "conversation_id": root}
        post |= {"created_at": iso(now), "in_reply_to_tweet_id": answered, "in_reply_to_user_id": author}
        self._tell(account, author, "post.create", post, id)
        return json_answer(201, {"data": {"id": id, "text": text}}, id=id)

    def _may_answer(self, account: XAccount, answered: str, text: str) -> tuple[str, str]:
        """Root and author of the post; self-serve apps may answer only those who call them."""
        known = self.state.talk("x", account.id, f"post:{answered}")
        if known is None:
            raise Refused(403, GONE)
        author = str(known.more["author"])
        if known.more["summons"] != "yes" or known.blocked:
            raise Refused(403, SUMMONED)
        if self.state.newest("x", author, direction="out", quote=answered, text=text):
            raise Refused(*self.refusals["duplicate"])
        return str(known.more["root"]), author

    def _show(self, account: XAccount, address: str, shown: Shown) -> None:
        self.state.show("x", address, shown.model_copy(update={"account": account.id}))

    def _tell(self, account: XAccount, address: str, kind: str, payload: dict[str, Any], id: str) -> None:
        if not withheld(account, kind):
            self.post(activity(self.state, account, address, kind, payload, id), 0.05)

    # --- files -----------------------------------------------------------------------------------

    def _attached(self, attachments: Any) -> File | None:
        if attachments is None:
            return None
        if not isinstance(attachments, list) or len(attachments) != 1 or not isinstance(attachments[0], dict):
            raise Refused(400, "attachments: exactly one is allowed", "Invalid Request")
        return self._uploaded([attachments[0].get("media_id")])

    def _uploaded(self, ids: Any) -> File:
        file = self.state.upload("x", str(ids[0])) if isinstance(ids, list) and ids else None
        if file is None or not file.sha256:
            raise Refused(400, "Your media IDs are invalid.", "Invalid Request")
        return file

    def _initialize(self, account: XAccount, call: Call) -> Answer:
        body = call.json or {}
        mime, size, category = (body.get(name) for name in ("media_type", "total_bytes", "media_category"))
        if category not in ("tweet_image", "dm_image") or not isinstance(size, int) or size <= 0:
            raise Refused(400, "One or more parameters to your request was invalid.", "Invalid Request")
        id = next_id(self.state, self.state.now())
        self.state.keep_upload("x", id, File(mime=str(mime), size=size))
        return json_answer(200, {"data": {"id": id, "media_key": f"3_{id}", "expires_after_secs": 86400}})

    def _fill(self, account: XAccount, call: Call) -> Answer:
        match = UPLOAD.fullmatch(call.path)
        id, step = match.groups() if match else ("", "")
        file = self.state.upload("x", id)
        if file is None:
            raise Refused(400, "Your media IDs are invalid.", "Invalid Request")
        if step == "append":
            part = call.parts.get("media")
            if part is None or call.parts["segment_index"].content != b"0" or len(part.content) != file.size:
                raise Refused(400, "segments do not add up to total_bytes", "Invalid Request")
            self.state.keep_upload("x", id, uploaded(part.content, part.filename, file.mime))
        elif not file.sha256:
            raise Refused(400, "segments do not add up to total_bytes", "Invalid Request")
        return json_answer(200, {"data": {"id": id, "media_key": f"3_{id}"}})

    # --- the account and its app -----------------------------------------------------------------

    def _me(self, account: XAccount, call: Call) -> Answer:
        value = {"data": user(account.id, account.name, account.username)}
        return json_answer(200, value, headers={"x-access-level": account.access_level})

    def _user(self, account: XAccount, call: Call) -> Answer:
        match = USER.fullmatch(call.path)
        person = self.state.known(match.group(1)) if match else None
        if person is None:
            return json_answer(
                200, {"errors": [{"title": "Not Found Error", "detail": "Could not find user"}]}
            )
        return json_answer(200, {"data": user(user_of(person), person.name, f"customer_{person.number}")})

    def _subscribe(self, account: XAccount, call: Call) -> Answer:
        return subscribe(self.state, account, call)
