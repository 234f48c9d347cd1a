"""What the sender would do with a reply: its words, and why it would not go out."""

from collections import Counter

from infra.simulate.entry import Sayings
from sportello.channels.base import Act, Outbound, Problem
from sportello.channels.found import channel
from sportello.domain.desk import Desk
from sportello.domain.faq import Faq
from sportello.domain.message import Message
from sportello.domain.model import HOUR, Instant
from sportello.domain.thread import Thread
from sportello.services import automatic
from sportello.services.wording import Wording


class Sending:
    """Sends at once, which is what the sender does unless a platform is in trouble."""

    def __init__(self, desk: Desk, wording: Wording, faq: Faq) -> None:
        self._desk = desk
        self._wording = wording
        self._faq = faq
        self._sent: Counter[tuple[str, str, int]] = Counter()

    def of(self, thread: Thread, row: Message, sent: int, now: Instant) -> Sayings:
        """In the sender's order.

        Args:
            sent: messages of ours since the customer's newest.
        """
        speaks = channel(thread.channel)
        try:
            text = automatic.text(self._desk, self._wording, thread, row, speaks, now, self._faq)
        except automatic.Gone:
            return Sayings("", "text_gone")
        if problem := automatic.overtaken(thread, row, now):
            return Sayings(text, problem)
        if automatic.exposes(self._desk, thread, row, text):
            return Sayings(text, "personal_data")
        if speaks.answers is not None and sent >= speaks.answers:
            return Sayings(text, "window_closed")
        return Sayings(text, refusal(thread, text, now, row.act) or self._capped(thread, now))

    def _capped(self, thread: Thread, now: Instant) -> str:
        place = (thread.channel, thread.account, now // HOUR)
        if self._sent[place] >= self._desk.policy.automatic_per_hour:
            return "cap"
        self._sent[place] += 1
        return ""


STAND_INS = ("1000000001", "customer@example.com")
PUBLIC_STAND_INS = ("comment:1000000001", "1000000001")
"""A scenario's names are no addresses: these are, on one channel or another."""


def refusal(thread: Thread, text: str, now: Instant, act: Act = "reply", by_person: bool = False) -> str:
    """Why the channel's policy forbids it (window, length, …); empty: it does not."""
    if thread.unreachable:
        return Problem.UNREACHABLE
    for address in (thread.to, *(PUBLIC_STAND_INS if thread.public else STAND_INS)):
        message = Outbound(account=thread.account, to=address, act=act, by_person=by_person, text=text)
        problem = channel(thread.channel).refusal(message, thread.window, now)
        if problem != Problem.REFUSED:
            return problem or ""
    return Problem.REFUSED
