"""The Graph API for Messenger and Instagram: tokens, subscriptions, sending, comments, profiles.

Source: Graph API v26.0, Messenger Platform and Instagram Platform references. What differs stands in
``messenger`` and ``instagram``.
"""

import hmac
import re
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import unquote

from infra.world.faults import Fault
from infra.world.files import fetched
from infra.world.meta_account import MetaAccount
from infra.world.meta_comments import Comments
from infra.world.meta_rules import Limits, MetaError, Sending, read_body
from infra.world.meta_webhooks import new_mid, webhook_of
from infra.world.model import Person, Say, Shown, Webhook
from infra.world.platform import StandIn
from infra.world.whatsapp import verify_callback
from infra.world.whatsapp_rules import GraphError
from infra.world.wire import Answer, Call, Target, json_answer
from sportello.domain.model import DAY, HOUR

PATH = re.compile(r"/v[0-9]+\.[0-9]+/([^/]+)(?:/([a-z_]+))?")
FAULTS = {
    "429": (613, 0), "500": (1, 0), "503": (2, 0), "token_expired": (190, 463), "permission": (10, 0),
    "spam": (368, 0),
}  # fmt: skip
STATUSES = {"on": ("delivered",), "read": ("delivered", "read"), "off": ()}
DELAYS = {"echo": 0.05, "delivered": 0.15, "read": 0.3, "comment": 0.1}


class MetaStandIn(StandIn):
    object_name: ClassVar[str]
    limits: ClassVar[Limits]
    replies_edge: ClassVar[str]
    window_closed: ClassVar[tuple[int, int]]
    blocked: ClassVar[tuple[int, int]]
    unknown: ClassVar[tuple[int, int]]
    bad_file: ClassVar[tuple[int, int]]
    faults: ClassVar[frozenset[str]] = frozenset(FAULTS) | {
        "error", "window_closed", "blocked", "unknown_recipient", "other_app"
    }  # fmt: skip

    # --- what differs -----------------------------------------------------------------------------

    @abstractmethod
    def author(self, person: Person) -> str:
        """The id that the person's comments carry: not the one of their private messages."""

    @abstractmethod
    def receipt(self, shown: Shown, status: str) -> Mapping[str, Any] | None:
        """The part of a receipt's messaging object; None where there is no such receipt."""

    @abstractmethod
    def node(self, account: Any) -> frozenset[str]:
        """Names of the account in paths."""

    @abstractmethod
    def facts(self, account: Any) -> Mapping[str, Any]:
        """What ``GET /me`` can tell."""

    @property
    @abstractmethod
    def comments(self) -> Comments:
        """What everybody can read."""

    def at(self, account: Any) -> str:
        """The host that the account's token is good for."""
        return "graph.facebook.com"

    # --- the customers ----------------------------------------------------------------------------

    def addresses(self, person: Person) -> tuple[str, ...]:
        return (self.address(person), self.author(person))

    def local_connection(self, account: Any) -> dict[str, Any]:
        return {
            "secrets": [account.app_secret],
            "token": account.token,
            "accounts": [{"id": account.id, "role": "care", "name": account.name}],
            "settings": {"verify_token": account.verify_token, "app_id": account.app_id},
        }

    def keep_window(self, account: MetaAccount, address: str, say: Say) -> None:
        before = self.state.talk(self.name, account.id, address)
        time = say.at if say.at is not None else self.state.now()
        newest = max(time, (before.last_in or 0) if before else 0)
        self.state.keep_talk(self.name, account.id, address, last_in=newest)

    def private_webhook(
        self, account: MetaAccount, address: str, event: Mapping[str, Any], say: Say | None = None
    ) -> Webhook:
        key = "standby" if say and say.more.get("standby") == "yes" else "messaging"
        entry = {"time": self.state.now(), key: [event]}
        mid = event.get("message", {}).get("mid", "")
        return webhook_of(self.state, self.name, self.object_name, account, address, entry, message_id=mid)

    # --- the API ----------------------------------------------------------------------------------

    def claims(self, call: Call) -> bool:
        token = _token(call)
        accounts = self.state.accounts_of(self.name)
        return any(token in account.tokens or token == _app_token(account) for account in accounts)

    def target(self, call: Call) -> Target:
        match = PATH.fullmatch(call.path)
        if match is None:
            return Target("unknown")
        subject, edge, body = unquote(match[1]), match[2] or "object", call.json or {}
        if edge == "messages":
            recipient = body.get("recipient")
            given = recipient if isinstance(recipient, dict) else {}
            comment = self.comments.find(str(given.get("comment_id") or given.get("post_id") or ""))
            address = comment[0] if comment else str(given.get("id", ""))
            return Target(edge, self.state.address(self.name, address), call.method == "POST")
        comment = self.comments.find(subject)
        sends = call.method == "POST" and (edge in (self.replies_edge, "mentions") or comment is not None)
        return Target(edge, comment[0] if comment else "", sends)

    def fail(self, call: Call, fault: Fault) -> Answer:
        known = {
            **FAULTS,
            "window_closed": self.window_closed,
            "blocked": self.blocked,
            "unknown_recipient": self.unknown,
            "other_app": (10, 2018300),
        }
        code, subcode = known.get(fault.kind) or _pair(fault.code)
        answer = MetaError(code, subcode).answer()
        headers = {"Retry-After": str(fault.retry_after)} if fault.kind == "429" else {}
        return Answer(answer.status, answer.body, code=answer.code, headers=headers)

    def answer(self, call: Call) -> Answer:
        try:
            return self._answer(call)
        except MetaError as error:
            return error.answer()

    def _answer(self, call: Call) -> Answer:
        match = PATH.fullmatch(call.path)
        token = _token(call)
        accounts = self.state.accounts_of(self.name)
        by_app = next((account for account in accounts if token == _app_token(account)), None)
        if by_app is not None and match is not None:
            return self._as_app(call, by_app, match[1], match[2] or "")
        account = next((known for known in accounts if token in known.tokens), None)
        if account is None or call.host != self.at(account):
            raise MetaError(190, text="Invalid OAuth access token - Cannot parse access token")
        _check_proof(call, account, token)
        if match is None:
            raise MetaError(100, text=f"Unsupported {call.method.lower()} request.")
        return self._as_account(call, account, unquote(match[1]), match[2] or "")

    def _as_account(self, call: Call, account: Any, subject: str, edge: str) -> Answer:
        ours = subject == "me" or subject in self.node(account)
        if subject == "app":
            return json_answer(200, {"id": account.app_id, "name": "Service desk app"})
        if ours and edge == "subscribed_apps":
            return self._subscribed_apps(call, account)
        if ours and edge == "messages" and call.method == "POST":
            return self._send(account, call.json)
        if ours and edge == "mentions" and call.method == "POST":
            return self.comments.mention(account, call.json)
        if ours and edge == "conversations":
            return self.conversations(account)
        if ours and not edge and call.method == "GET":
            return _chosen(self.facts(account), call)
        with self.state.lock:
            found = self.comments.find(subject)
            if found and call.method == "POST":
                return self.comments.take(account, found, edge, call)
        if not edge and call.method == "GET":
            return self._profile(account, subject, call)
        raise MetaError(100, 33, f"Unsupported {call.method.lower()} request.")

    def conversations(self, account: Any) -> Answer:
        return json_answer(200, {"data": []})

    def _profile(self, account: MetaAccount, address: str, call: Call) -> Answer:
        person = self.state.known(address)
        if person is None or self.state.talk(self.name, account.id, address) is None:
            raise MetaError(100, 33, "No profile available for this user.")
        first, _, last = person.name.partition(" ")
        known = {"id": address, "name": person.name, "first_name": first, "last_name": last}
        return _chosen(known | {"username": person.name.lower().replace(" ", ".")}, call)

    # --- subscriptions ----------------------------------------------------------------------------

    def _subscribed_apps(self, call: Call, account: MetaAccount) -> Answer:
        if call.method == "GET":
            app = {
                "id": account.app_id,
                "name": "Service desk app",
                "subscribed_fields": list(account.fields),
            }
            return json_answer(200, {"data": [app] if account.subscribed else []})
        fields = tuple(filter(None, call.query.get("subscribed_fields", "").split(",")))
        if not fields:
            raise MetaError(100, text="The parameter subscribed_fields is required.")
        with self.state.lock:
            self.state.keep_account(
                self.name, account.model_copy(update={"fields": fields, "subscribed": True})
            )
        return json_answer(200, {"success": True})

    def _as_app(self, call: Call, account: MetaAccount, subject: str, edge: str) -> Answer:
        if subject == "debug_token":
            return self._debug_token(account, call.query.get("input_token", ""))
        if subject != account.app_id:
            raise MetaError(100, 33, "Unsupported request.")
        if not edge:
            return json_answer(200, {"id": account.app_id})
        if edge != "subscriptions":
            raise MetaError(100, text="Unsupported request.")
        if call.method == "GET":
            fields = [{"name": name, "version": "v26.0"} for name in account.app_fields]
            ours = {"object": self.object_name, "callback_url": account.webhook_url, "active": True}
            return json_answer(200, {"data": [ours | {"fields": fields}] if account.webhook_url else []})
        return self._set_address(account, call.json or call.form)

    def _debug_token(self, account: MetaAccount, token: str) -> Answer:
        valid = token in account.tokens
        return json_answer(200, {"data": {"app_id": account.app_id, "is_valid": valid, "expires_at": 0}})

    def _set_address(self, account: MetaAccount, body: Mapping[str, Any]) -> Answer:
        url, verify_token = str(body.get("callback_url", "")), str(body.get("verify_token", ""))
        if body.get("object") != self.object_name or not url or not body.get("fields"):
            raise MetaError(100, text="object, callback_url and fields are required.")
        try:
            verify_callback(url, verify_token)
        except GraphError as error:
            raise MetaError(2200, text=error.details) from None
        fields = tuple(str(body["fields"]).split(","))
        with self.state.lock:
            self.state.keep_account(
                self.name,
                account.model_copy(
                    update={"webhook_url": url, "verify_token": verify_token, "app_fields": fields}
                ),
            )
        return json_answer(200, {"success": True})

    # --- sending ----------------------------------------------------------------------------------

    def _send(self, account: MetaAccount, body: Mapping[str, Any] | None) -> Answer:
        sending = read_body(body, self.limits)
        file = fetched(sending.file) if sending.file else None  # not under the lock: others answer
        if sending.file and file is None:
            raise MetaError(*self.bad_file, "The file could not be fetched")
        with self.state.lock:
            if sending.to in ("comment_id", "post_id"):
                person = self.comments.answered_privately(account, sending)
            else:
                person = self._reached(account, sending)
            address = self.address(person)
            shown = Shown(
                id=new_mid(),
                direction="out",
                kind=sending.file_type or "text",
                text=sending.text,
                buttons=sending.buttons,
                file=file,
                time=self.state.now(),
                account=account.id,
                quote=sending.quote,
                tag=sending.tag,
            )
            self.state.show(self.name, address, shown)
            self._report(account, address, shown)
        return json_answer(200, {"recipient_id": address, "message_id": shown.id}, id=shown.id)

    def _reached(self, account: MetaAccount, sending: Sending) -> Person:
        person = self.state.known(sending.address)
        talk = self.state.talk(self.name, account.id, sending.address)
        if person is None or talk is None or self.address(person) != sending.address:
            raise MetaError(*self.unknown, "No matching user found")
        if talk.blocked:
            raise MetaError(*self.blocked, "This person isn't available right now.")
        if sending.late and not account.human_agent:
            raise MetaError(100, text="The tag HUMAN_AGENT needs approval")
        window = 7 * DAY if sending.late else 24 * HOUR
        if talk.last_in is None or self.state.now() >= talk.last_in + window:
            raise MetaError(*self.window_closed, "This message is sent outside of allowed window.")
        return person

    def _report(self, account: MetaAccount, address: str, shown: Shown) -> None:
        if not account.webhook_url or not account.subscribed:
            return
        message: dict[str, Any] = {"mid": shown.id, "is_echo": True}
        message |= {"text": shown.text} if shown.text else {}
        if shown.file is not None:
            message["attachments"] = [{"type": shown.kind, "payload": {"url": shown.file.url}}]
        if self.limits.metadata:
            message |= {"app_id": int(account.app_id)} | ({"metadata": shown.tag} if shown.tag else {})
        parties = {"sender": {"id": account.id}, "recipient": {"id": address}}
        echo = {**parties, "timestamp": shown.time, "message": message}
        self.post(self.private_webhook(account, address, echo), DELAYS["echo"])
        for status in STATUSES[self.state.options.receipts]:
            part = self.receipt(shown, status)
            if part is not None:
                back = {"sender": {"id": address}, "recipient": {"id": account.id}}
                event = {**back, "timestamp": self.state.now(), **part}
                self.post(self.private_webhook(account, address, event), DELAYS[status])
            self.state.change(self.name, address, shown, status=status)


def _token(call: Call) -> str:
    return call.headers.get("authorization", "").removeprefix("Bearer ") or call.query.get("access_token", "")


def _app_token(account: MetaAccount) -> str:
    return f"{account.app_id}|{account.app_secret}"


def _check_proof(call: Call, account: MetaAccount, token: str) -> None:
    given = call.query.get("appsecret_proof")
    right = hmac.new(account.app_secret.encode(), token.encode(), "sha256").hexdigest()
    if (given is None and account.proof_required) or (given is not None and given != right):
        raise MetaError(100, text="Invalid appsecret_proof provided in the API argument")


def _chosen(known: Mapping[str, Any], call: Call) -> Answer:
    wanted = re.sub(r"\{[^}]*\}", "", call.query.get("fields", "id")).split(",")
    strange = [name for name in wanted if name not in known]
    if strange:
        raise MetaError(100, text=f"Tried accessing nonexisting field ({strange[0]})")
    return json_answer(200, {name: known[name] for name in wanted})


def _pair(code: str) -> tuple[int, int]:
    """``10.2018278`` as code and subcode."""
    first, _, second = code.partition(".")
    return int(first or "1"), int(second or "0")
