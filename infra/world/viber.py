"""Viber's bot API as the desk calls it: developers.viber.com/docs/api/rest-bot-api.

HTTP says 200 whatever happens; ``status`` in the body tells.
"""

import re
from typing import Any

import urllib3

from infra.world.faults import Fault
from infra.world.files import fetched
from infra.world.model import File, Person, Say, Shown, Webhook
from infra.world.platform import StandIn
from infra.world.viber_bot import HOST_NAME, LOCAL_BOT, ViberBot
from infra.world.viber_events import address_of, build, next_token, webhook_of
from infra.world.viber_rules import Refused, checked, keyboard_fault, shown_buttons, told
from infra.world.wire import Answer, Call, Target, json_answer
from sportello.domain.model import HOUR

PATH = re.compile(r"/pa/([a-z_]+)")
UNANSWERED = 100
"""Messages an hour to somebody who does not write back."""
FAULTS = {"429": 12, "token_expired": 2, "blocked": 6, "not_registered": 5, "suspended": 9, "bad_data": 3}


class Viber(StandIn):
    name = "viber"
    hosts = ("chatapi.viber.com",)
    faults = frozenset({*FAULTS, "500", "error", "failed_later"})
    account_model = ViberBot

    def local_account(self) -> ViberBot:
        return LOCAL_BOT

    def local_connection(self, account: ViberBot) -> dict[str, Any]:
        return {
            "secrets": [account.token],
            "accounts": [{"id": account.id, "role": "care", "name": account.uri}],
            "settings": {"sender_name": account.name},
        }

    def address(self, person: Person) -> str:
        return address_of(person)

    def say(self, say: Say) -> tuple[Webhook, str]:
        return build(self, say)

    def target(self, call: Call) -> Target:
        match = PATH.fullmatch(call.path)
        method = match.group(1) if match else "unknown"
        return Target(method, str((call.json or {}).get("receiver", "")), sends=method == "send_message")

    def answer(self, call: Call) -> Answer:
        try:
            return self._answer(call)
        except Refused as refused:
            return refused.answer()

    def fail(self, call: Call, fault: Fault) -> Answer:
        if fault.kind == "500":
            return json_answer(500, {}, code="500")
        try:
            if fault.kind == "failed_later":
                return self._send(self._bot_of(call), call, failure="media is invalid")
            raise Refused(FAULTS.get(fault.kind) or int(fault.code or "3"))
        except Refused as refused:
            return refused.answer()

    def _answer(self, call: Call) -> Answer:
        bot = self._bot_of(call)
        match self.target(call).method:
            case "get_account_info":
                return self._info(bot)
            case "set_webhook":
                return self._set_webhook(bot, call.json or {})
            case "send_message":
                return self._send(bot, call)
        return json_answer(404, {}, code="404")

    def _bot_of(self, call: Call) -> ViberBot:
        token = call.headers.get("x-viber-auth-token", "")
        bots: tuple[ViberBot, ...] = self.state.accounts_of("viber")
        found = next((bot for bot in bots if token and bot.token == token), None)
        if found is None:
            raise Refused(2)
        return found

    # --- the account -----------------------------------------------------------------------------

    def _info(self, bot: ViberBot) -> Answer:
        events = _subscribed(bot) if bot.webhook_url else []
        about = {"id": bot.id, "name": bot.name, "uri": bot.uri, "webhook": bot.webhook_url}
        value = {"status": 0, "status_message": "ok", **about, "event_types": events}
        return json_answer(200, value | {"chat_hostname": HOST_NAME, "subscribers_count": 1})

    def _set_webhook(self, bot: ViberBot, body: dict[str, Any]) -> Answer:
        """The address is tried before it is taken; not under the lock, since somebody else answers."""
        url, events = body.get("url"), body.get("event_types")
        if url is None:
            raise Refused(4)
        changed = bot.model_copy(update={"webhook_url": str(url), "event_types": _events(events)})
        if url and not self._answers(changed):
            raise Refused(1)
        self.state.keep_account("viber", changed)
        return told(event_types=_subscribed(changed))

    def _answers(self, bot: ViberBot) -> bool:
        event = {"event": "webhook", "timestamp": self.state.now(), "message_token": next_token(self.state)}
        webhook = webhook_of(self.state, bot, "", event)
        try:
            answer = urllib3.request(
                "POST", webhook.url, body=webhook.content, headers=webhook.headers, timeout=10, retries=False
            )
        except urllib3.exceptions.HTTPError:
            return False
        return answer.status == 200

    # --- messages --------------------------------------------------------------------------------

    def _send(self, bot: ViberBot, call: Call, failure: str = "") -> Answer:
        body = checked(call.json, call.body)
        file = fetched(str(body["media"]), str(body.get("file_name", ""))) if "media" in body else None
        failure = failure or keyboard_fault(body.get("keyboard"))
        if "media" in body and file is None:
            failure = failure or "media is invalid"
        with self.state.lock:
            self._check_receiver(bot, str(body["receiver"]))
            token = next_token(self.state)
            self._show(bot, body, token, file, failure)
        self._tell(bot, str(body["receiver"]), token, failure)
        return told(str(token), message_token=token, chat_hostname=HOST_NAME, billing_status=1)

    def _check_receiver(self, bot: ViberBot, receiver: str) -> None:
        talk = self.state.talk("viber", bot.id, receiver)
        if not bot.webhook_url:
            raise Refused(10)
        if talk is None:
            raise Refused(5)
        if talk.blocked or talk.more.get("subscribed") != "yes":
            raise Refused(6)
        now, since = self.state.now(), int(talk.more.get("since", "0"))
        unanswered = int(talk.more.get("unanswered", "0")) if now < since + HOUR else 0
        if unanswered >= UNANSWERED:
            raise Refused(12)
        count = {"unanswered": str(unanswered + 1), "since": str(since if unanswered else now)}
        self.state.keep_talk("viber", bot.id, receiver, more={**talk.more, **count})

    def _show(self, bot: ViberBot, body: dict[str, Any], token: int, file: File | None, failure: str) -> None:
        receiver = str(body["receiver"])
        if failure:
            return
        shown = Shown(
            id=str(token),
            direction="out",
            kind=str(body["type"]),
            text=str(body.get("text", "")),
            buttons=shown_buttons(body.get("keyboard")),
            file=file,
            time=self.state.now(),
            account=bot.id,
        )
        self.state.show("viber", receiver, shown)
        talk = self.state.talk("viber", bot.id, receiver)
        more = {**(talk.more if talk else {}), "tracking": str(body.get("tracking_data", ""))}
        self.state.keep_talk("viber", bot.id, receiver, more=more)

    def _tell(self, bot: ViberBot, receiver: str, token: int, failure: str) -> None:
        """What became of it, where the bot has asked to be told."""
        told_of = {"on": ("delivered",), "read": ("delivered", "seen")}.get(self.state.options.receipts, ())
        for number, name in enumerate(("failed",) if failure else told_of):
            if bot.event_types is not None and name not in bot.event_types:
                continue
            event = {"event": name, "timestamp": self.state.now(), "message_token": token}
            event |= {"user_id": receiver} | ({"desc": failure} if failure else {})
            self.post(webhook_of(self.state, bot, receiver, event), 0.05 * (number + 1))


OPTIONAL = ("delivered", "seen", "failed", "subscribed", "unsubscribed", "conversation_started")


MANDATORY = ("subscribed", "unsubscribed")


def _subscribed(bot: ViberBot) -> list[str]:
    wanted = OPTIONAL if bot.event_types is None else bot.event_types
    return sorted({*wanted, *MANDATORY})


def _events(wanted: Any) -> tuple[str, ...] | None:
    """A list that is left out means all, an empty one the mandatory ones."""
    if wanted is None:
        return None
    if not isinstance(wanted, list) or not set(map(str, wanted)) <= {*OPTIONAL, "message", "client_status"}:
        raise Refused(3)
    return tuple(map(str, wanted))
