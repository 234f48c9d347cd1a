"""LINE's Messaging API as the desk calls it: developers.line.biz/en/reference/messaging-api.

A push to somebody who blocked the account is answered 200 and reaches nobody, as on the real one.
"""

import re
from typing import Any

import urllib3

from infra.world.faults import Fault
from infra.world.files import fetched
from infra.world.line_bot import LOCAL_BOT, LineBot, person_id
from infra.world.line_events import FIRST_MESSAGE, build, webhook_of
from infra.world.line_rules import Refused, checked_key, checked_messages, choices
from infra.world.model import File, Person, Say, Shown, Webhook
from infra.world.platform import StandIn
from infra.world.wire import Answer, Call, Target, json_answer
from sportello.domain.model import MINUTE

PERSON = re.compile(r"/v2/bot/profile/([^/]+)")
GROUP = re.compile(r"/v2/bot/group/([^/]+)/summary")
TRANSCODING = re.compile(r"/v2/bot/message/([0-9]+)/content/transcoding")
SENDS = {"/v2/bot/message/push": "push", "/v2/bot/message/reply": "reply"}
ENDPOINT = "/v2/bot/channel/webhook/endpoint"
FAULTS = {
    "429": (429, "The API rate limit has been exceeded. Try again later."),
    "monthly": (429, "You have reached your monthly limit."),
    "500": (500, "Internal server error"),
    "token_expired": (401, "Authentication failed. Confirm that the access token is valid."),
    "not_available": (403, "Access to this API is not available for your account"),
}


class Line(StandIn):
    name = "line"
    hosts = ("api.line.me", "api-data.line.me")
    faults = frozenset({*FAULTS, "error", "accepted_twice"})
    account_model = LineBot

    def local_account(self) -> LineBot:
        return LOCAL_BOT

    def local_connection(self, account: LineBot) -> dict[str, Any]:
        accounts = [{"id": account.id, "role": "care", "name": account.basic_id}]
        return {"secrets": [account.secret], "token": account.token, "accounts": accounts}

    def address(self, person: Person) -> str:
        return person_id(person.number)

    def say(self, say: Say) -> tuple[Webhook, str]:
        return build(self, say)

    def accepts(self, status: int, body: str) -> bool:
        return 200 <= status < 300

    def target(self, call: Call) -> Target:
        method = SENDS.get(call.path, "")
        body = call.json or {}
        address = str(body.get("to", ""))
        if method == "reply":
            address = self._reply_address(str(body.get("replyToken", "")))
        return Target(method or call.path.removeprefix("/v2/bot/") or "unknown", address, sends=bool(method))

    def answer(self, call: Call) -> Answer:
        try:
            return self._answer(call)
        except Refused as refused:
            return refused.answer()

    def fail(self, call: Call, fault: Fault) -> Answer:
        """``accepted_twice`` is what a repeated push is told: 409, and the first one's message."""
        if fault.kind == "accepted_twice":
            self.answer(call)
            return self.answer(call)
        status, text = FAULTS.get(fault.kind, (int(fault.code or "400"), fault.text))
        return Refused(status, text).answer()

    def _answer(self, call: Call) -> Answer:
        bot = self._bot_of(call)
        if call.path in SENDS and call.method == "POST":
            return self._send(bot, SENDS[call.path], call)
        if call.path == "/v2/bot/info":
            about = {"userId": bot.id, "basicId": bot.basic_id, "displayName": bot.name}
            return json_answer(200, about | {"chatMode": "bot", "markAsReadMode": "manual"})
        if call.path == ENDPOINT:
            return self._endpoint(bot, call)
        if call.path == "/v2/bot/channel/webhook/test" and call.method == "POST":
            return self._test(bot, str((call.json or {}).get("endpoint") or bot.webhook_url))
        if match := PERSON.fullmatch(call.path):
            return self._profile(bot, match.group(1))
        if match := GROUP.fullmatch(call.path):
            return self._group(bot, match.group(1))
        if match := TRANSCODING.fullmatch(call.path):
            return self._transcoding(bot, match.group(1))
        raise Refused(404, "Not found")

    def _bot_of(self, call: Call) -> LineBot:
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        bots: tuple[LineBot, ...] = self.state.accounts_of("line")
        found = next((bot for bot in bots if token and bot.token == token), None)
        if found is None:
            raise Refused(*FAULTS["token_expired"])
        return found

    # --- the account ---------------------------------------------------------------------------

    def _endpoint(self, bot: LineBot, call: Call) -> Answer:
        if call.method == "PUT":
            url = str((call.json or {}).get("endpoint", ""))
            if not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
                raise Refused(400, "Invalid webhook endpoint URL")
            self.state.keep_account("line", bot.model_copy(update={"webhook_url": url}))
            return json_answer(200, {})
        if not bot.webhook_url:
            raise Refused(404, "Webhook endpoint is not set")
        return json_answer(200, {"endpoint": bot.webhook_url, "active": bot.subscribed})

    def _test(self, bot: LineBot, url: str) -> Answer:
        """A signed webhook without events; not under the lock, since somebody else answers."""
        webhook = webhook_of(self.state, bot.model_copy(update={"webhook_url": url}), "", [])
        try:
            answer = urllib3.request(
                "POST", url, body=webhook.content, headers=webhook.headers, timeout=10, retries=False
            )
        except (urllib3.exceptions.HTTPError, ValueError):
            told = {"success": False, "statusCode": 0, "reason": "COULD_NOT_CONNECT", "detail": "timeout"}
            return json_answer(200, told)
        success = answer.status == 200
        reason = "OK" if success else "ERROR_STATUS_CODE"
        told = {"success": success, "statusCode": answer.status, "reason": reason}
        return json_answer(200, told | {"detail": str(answer.status)})

    # --- customers -----------------------------------------------------------------------------

    def _profile(self, bot: LineBot, address: str) -> Answer:
        person, talk = self.state.known(address), self.state.talk("line", bot.id, address)
        if person is None or talk is None or talk.blocked:
            raise Refused(404, "Not found")
        about = {"userId": address, "displayName": person.name, "language": "it"}
        return json_answer(200, about)

    def _group(self, bot: LineBot, address: str) -> Answer:
        if self.state.talk("line", bot.id, address) is None:
            raise Refused(404, "Not found")
        return json_answer(200, {"groupId": address, "groupName": "A group"})

    def _transcoding(self, bot: LineBot, message: str) -> Answer:
        talk = self.state.talk("line", bot.id, f"file:{message}")
        if talk is None:
            raise Refused(404, "Not found")
        return json_answer(200, {"status": talk.more["status"]})

    # --- messages --------------------------------------------------------------------------------

    def _send(self, bot: LineBot, method: str, call: Call) -> Answer:
        body = call.json
        if body is None:
            raise Refused(400, "The request body could not be parsed as JSON")
        messages = checked_messages(body)
        files = [_picture(message) for message in messages]
        with self.state.lock:
            if method == "reply":
                return self._taken(bot, self._used_token(str(body.get("replyToken", ""))), messages, files)
            key = checked_key(call.headers.get("x-line-retry-key", ""))
            if key and (known := self.state.talk("line", bot.id, f"key:{key}")):
                return _again(known.more)
            self._count(bot)
            return self._taken(bot, self._checked_to(bot, body.get("to")), messages, files, key)

    def _checked_to(self, bot: LineBot, to: Any) -> str:
        known = isinstance(to, str) and (
            self.state.known(to) is not None or self.state.talk("line", bot.id, to) is not None
        )
        if not known:
            raise Refused(400, "The property, 'to', in the request body is invalid (line: -, column: -)")
        return str(to)

    def _count(self, bot: LineBot) -> None:
        if bot.quota is None:
            return
        if bot.quota < 1:
            raise Refused(*FAULTS["monthly"])
        self.state.keep_account("line", bot.model_copy(update={"quota": bot.quota - 1}))

    def _reply_address(self, token: str) -> str:
        bots: tuple[LineBot, ...] = self.state.accounts_of("line")
        talks = [self.state.talk("line", bot.id, f"reply:{token}") for bot in bots]
        return next((talk.more["to"] for talk in talks if talk is not None), "")

    def _used_token(self, token: str) -> str:
        """Where a reply goes; from now on its token is worth nothing."""
        bots: tuple[LineBot, ...] = self.state.accounts_of("line")
        for bot in bots:
            talk = self.state.talk("line", bot.id, f"reply:{token}")
            fresh = talk is not None and self.state.now() - int(talk.more["at"]) <= MINUTE
            if talk is not None and fresh and not talk.blocked:
                self.state.keep_talk("line", bot.id, f"reply:{token}", blocked=True)
                return talk.more["to"]
        raise Refused(400, "Invalid reply token")

    def _taken(
        self,
        bot: LineBot,
        address: str,
        messages: list[dict[str, Any]],
        files: list[File | None],
        key: str = "",
    ) -> Answer:
        talk = self.state.talk("line", bot.id, address)
        reaches = talk is not None and not talk.blocked
        ids = [str(self.state.next("line messages", FIRST_MESSAGE)) for _ in messages]
        for id, message, file in zip(ids, messages, files, strict=True):
            if reaches:
                self._show(bot, address, id, message, file)
        request = f"request-{self.state.next('line requests')}"
        if key:
            more = {"request": request, "ids": " ".join(ids)}
            self.state.keep_talk("line", bot.id, f"key:{key}", more=more)
        sent = [{"id": id, "quoteToken": f"quote-{id}"} for id in ids]
        return json_answer(200, {"sentMessages": sent}, id=ids[0], headers={"X-Line-Request-Id": request})

    def _show(self, bot: LineBot, address: str, id: str, message: dict[str, Any], file: File | None) -> None:
        shown = Shown(
            id=id,
            direction="out",
            kind=str(message["type"]),
            text=str(message.get("text", "")),
            buttons=choices(message),
            file=file,
            time=self.state.now(),
            account=bot.id,
            quote=str(message.get("quoteToken", "")).removeprefix("quote-"),
        )
        self.state.show("line", address, shown)


def _picture(message: dict[str, Any]) -> File | None:
    """LINE's app fetches it when the message is opened; a missing one shows an empty frame."""
    return fetched(str(message["originalContentUrl"])) if message["type"] == "image" else None


def _again(known: Any) -> Answer:
    sent = [{"id": id, "quoteToken": f"quote-{id}"} for id in known["ids"].split()]
    body = {"message": "The retry key is already accepted", "sentMessages": sent}
    headers = {"X-Line-Accepted-Request-Id": known["request"]}
    return json_answer(409, body, code="409", id=sent[0]["id"], headers=headers)
