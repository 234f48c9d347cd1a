"""The world's own interface under ``/_world/``: what people and tests tell it and ask it.

``GET`` health, channels, phone/<channel>/<name or id>, log?since=n, slack, mail; ``POST`` setup, say,
redeliver, file, fault, clear, reset, clock. Bodies and answers are JSON; an order that makes no sense is
answered 400 with ``{"error": …}``.
"""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote

from pydantic import ValidationError

from infra.world.delivery import Postman
from infra.world.faults import Fault, Faults
from infra.world.files import Served
from infra.world.model import Said, Say, Setup, Webhook
from infra.world.platform import StandIn
from infra.world.state import Absent, State
from infra.world.wire import Answer, Call, json_answer
from sportello.domain.model import Model

PREFIX = "/_world/"


class Clock(Model):
    offset_ms: int


class Again(Model):
    """Deliver a webhook once more, as a platform that lost our answer does."""

    id: str
    copies: int = 1


class File(Served):
    """What lies at an address from now on."""

    channel: str = ""
    url: str


class Control:
    def __init__(self, state: State, postman: Postman, faults: Faults, stand_ins: Iterable[StandIn]) -> None:
        self._state = state
        self._postman = postman
        self._faults = faults
        self._stand_ins = {stand_in.name: stand_in for stand_in in stand_ins}
        self._posts: dict[str, Callable[[dict[str, Any]], Any]] = {
            "setup": self._set_up,
            "say": self._say,
            "redeliver": self._redeliver,
            "file": self._file,
            "fault": self._fault,
            "clear": self._clear,
            "reset": self._reset,
            "clock": self._clock,
        }

    def answer(self, call: Call) -> Answer:
        try:
            return json_answer(200, self._answer(call))
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
            return json_answer(400, {"error": wrong})
        except (Absent, ValueError) as error:
            return json_answer(400, {"error": str(error)})

    def _answer(self, call: Call) -> Any:
        what = call.path.removeprefix(PREFIX)
        if call.method == "GET":
            return self._get(what, call)
        if call.method != "POST" or what not in self._posts:
            raise Absent(f"no {call.method} {call.path} here")
        body = call.json if call.body else {}
        if body is None:
            raise Absent("the body must be a JSON object")
        return self._posts[what](body)

    def _get(self, what: str, call: Call) -> Any:
        if what == "health":
            return {"ok": True, "pending": self._postman.pending(), "now": self._state.now()}
        if what == "channels":
            with self._state.lock:
                return {name: list(self._state.accounts.get(name, ())) for name in self._state.channels}
        if what == "log":
            return _dumped(self._state.log_since(int(call.query.get("since", "0"))))
        if what == "slack":
            with self._state.lock:
                return {path: _dumped(posts) for path, posts in self._state.slack.items()}
        if what == "mail":
            with self._state.lock:
                return {box: _dumped(letters) for box, letters in self._state.mail.items()}
        if what == "fault":
            return _dumped(self._faults.all())
        parts = what.split("/")
        if parts[0] == "phone" and len(parts) == 3:
            return _dumped(self._phone(parts[1], unquote(parts[2])))
        raise Absent(f"no GET {call.path} here")

    def _phone(self, channel: str, who: str) -> Iterable[Model]:
        self._state.channel(channel)
        address = self._state.address(channel, who)
        self._stand_ins[channel].look(address)
        return self._state.phone(channel, address)

    def _set_up(self, body: dict[str, Any]) -> Any:
        self._state.set_up(Setup.model_validate(body))
        return {"ok": True}

    def _say(self, body: dict[str, Any]) -> Any:
        say = Say.model_validate(body)
        self._state.channel(say.channel)
        with self._state.lock:
            webhook, withheld = self._stand_ins[say.channel].say(say)
            if webhook is not None:
                self._state.webhooks[webhook.id] = webhook
        if webhook is None:
            return Said(id="", message_id="", address="", note=withheld).model_dump()
        said = _said(webhook).model_copy(update={"note": withheld})
        if not say.deliver:
            said = said.model_copy(update={"request": webhook})
        elif not withheld:
            said = said.model_copy(update={"statuses": self._deliver(webhook, say.copies)})
        return said.model_dump()

    def _redeliver(self, body: dict[str, Any]) -> Any:
        again = Again.model_validate(body)
        webhook = self._state.webhooks.get(again.id)
        if webhook is None:
            raise Absent(f"no webhook {again.id!r}")
        statuses = self._deliver(webhook, again.copies)
        return _said(webhook).model_copy(update={"statuses": statuses}).model_dump()

    def _deliver(self, webhook: Webhook, copies: int) -> tuple[int, ...]:
        return tuple(self._postman.deliver(webhook) for _ in range(copies))

    def _file(self, body: dict[str, Any]) -> Any:
        file = File.model_validate(body)
        self._state.serve(file.url, Served(**file.model_dump(exclude={"url"})))
        return {"ok": True}

    def _fault(self, body: dict[str, Any]) -> Any:
        fault = Fault.model_validate(body)
        stand_in = self._stand_ins.get(fault.platform)
        if stand_in is None:
            raise Absent(f"no platform {fault.platform!r} here; known: {', '.join(self._stand_ins)}")
        if not stand_in.can_fail(fault.kind):
            raise Absent(
                f"{fault.platform} has no fault {fault.kind!r}; known: {', '.join(sorted(stand_in.faults))}"
            )
        self._faults.add(fault)
        return {"ok": True}

    def _clear(self, body: dict[str, Any]) -> Any:
        self._faults.clear(str(body.get("platform", "")))
        return {"ok": True}

    def _reset(self, body: dict[str, Any]) -> Any:
        self._faults.clear()
        self._state.reset()
        return {"ok": True}

    def _clock(self, body: dict[str, Any]) -> Any:
        with self._state.lock:
            self._state.clock_offset_ms = Clock.model_validate(body).offset_ms
            self._state.changed = True
        return {"ok": True, "now": self._state.now()}


def _said(webhook: Webhook) -> Said:
    customer = webhook.customer or webhook.address
    return Said(id=webhook.id, message_id=webhook.message_id, address=webhook.address, customer=customer)


def _dumped(items: Iterable[Model]) -> list[dict[str, Any]]:
    return [item.model_dump() for item in items]
