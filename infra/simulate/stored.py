"""A stored conversation as a scenario: what came and what people did, so that it can be played again.

What the table does not keep is found from the reasons that were stored with each message (that a machine
wrote it, that it was not said to us) or left out.
"""

from collections.abc import Iterator, Sequence
from itertools import dropwhile
from typing import Any

from sportello.domain.message import Message
from sportello.domain.model import Instant, to_datetime
from sportello.domain.reasons import Reason
from sportello.domain.thread import Thread

_AUTOMATIC = {
    Reason.NEWSLETTER: "list",
    Reason.AUTO_SUBMITTED: "auto_submitted",
    Reason.AUTOMATIC_MESSAGE: "own_address",
}
PLAIN = frozenset({"text", "media", "reaction", "button"})


def lines_of(thread: Thread, messages: Sequence[Message]) -> list[tuple[Message, dict[str, Any]]]:
    """Each message with its line of a scenario, in the order of arrival; some have none.

    What people did before the customer wrote for the first time is left out: nobody could answer them.
    """
    arrived = sorted(messages, key=lambda message: message.arrived)
    lines = [(message, line) for message in arrived for line in _lines(thread, message)]
    return list(dropwhile(lambda pair: "agent" in pair[1], lines))


def _lines(thread: Thread, message: Message) -> Iterator[dict[str, Any]]:
    if message.direction == "in":
        yield _where(thread, message) | _what(message) | _circumstances(message)
    elif message.author == "person" and message.kind != "hide":
        yield _act(thread, message)


def _where(thread: Thread, message: Message) -> dict[str, Any]:
    line: dict[str, Any] = {"at": written(message.time), "channel": thread.channel, "from": thread.to}
    if thread.account:
        line["account"] = thread.account
    if thread.public:
        line["public"] = True
    if thread.language:
        line["language"] = thread.language
    return line


def _what(message: Message) -> dict[str, Any]:
    if message.kind == "reaction":
        return {"reaction": message.text}
    what: dict[str, Any] = {"text": message.text} if message.text else {}
    if message.kind == "button":
        what["button"] = message.payload or message.text
    if message.kind == "media":
        what["media"] = [{"kind": media.kind, "name": media.name} for media in message.media] or "document"
    if message.kind not in PLAIN:
        what["kind"] = message.kind
    return what or {"text": ""}


def _circumstances(message: Message) -> dict[str, Any]:
    """What stands on the row, or shows in the reasons that were stored."""
    found: dict[str, Any] = {}
    if message.attested:
        found["attested"] = message.attested
    if message.ref:
        found["ref"] = message.ref
    automatic = next((why for reason, why in _AUTOMATIC.items() if reason in message.why), "")
    if automatic:
        found["automatic"] = automatic
    if Reason.NOT_ADDRESSED in message.why:
        found["addressed"] = False
    return found


def _act(thread: Thread, message: Message) -> dict[str, Any]:
    line: dict[str, Any] = {
        "at": written(message.arrived or message.time),
        "agent": message.by or "somebody",
        "to": thread.to,
        "channel": thread.channel,
    }
    if thread.account:
        line["account"] = thread.account
    if thread.public:
        line["public"] = True
    if message.kind == "claim":
        return line | {"claim": True}
    if message.kind == "resolve":
        return line | {"resolve": message.detail or True}
    if message.kind == "want":
        return line | {"wanted": True}
    if message.kind == "language":
        return line | {"language": message.detail}
    promise = {"promise": written(message.promise)} if message.promise is not None else {}
    return line | {"reply": message.text or "[…]"} | promise


def written(at: Instant) -> str:
    """As a scenario has it, in UTC."""
    return to_datetime(at).isoformat(timespec="milliseconds" if at % 1000 else "seconds")
