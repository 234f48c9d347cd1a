"""What the sender would do with a reply: its words, and why it would not go out."""

from collections import Counter

from infra.simulate.entry import Sayings
from sportello.channels.base import Outbound
from sportello.channels.found import channel
from sportello.domain.decision import Say
from sportello.domain.desk import Desk
from sportello.domain.faq import Faq
from sportello.domain.model import HOUR, Instant
from sportello.domain.thread import Thread
from sportello.services.wording import Wording


class Sending:
    """Sends at once, which is what the sender does unless a platform is in trouble."""

    def __init__(self, desk: Desk, wording: Wording, faq: Faq) -> None:
        self._desk = desk
        self._wording = wording
        self._faq = faq
        self._sent: Counter[tuple[str, str, int]] = Counter()

    def of(self, thread: Thread, say: Say, now: Instant, ref: str) -> Sayings:
        """``ref``: what the link to the care account carries."""
        text = self._words(thread, say, now, ref)
        return Sayings(text, self._overtaken(thread, say, now) or refusal(thread, text, now))

    def _words(self, thread: Thread, say: Say, now: Instant, ref: str) -> str:
        return self._wording.say(
            say.text,
            say.language,
            now,
            channel=thread.channel,
            account=thread.account,
            team=thread.team,
            opening=say.until,
            promise=say.promise,
        )

    def _overtaken(self, thread: Thread, say: Say, now: Instant) -> str:
        """It is judged again when it is sent."""
        if now >= say.not_after:
            return "expired"
        if thread.person_present(now):
            return "person_answered"
        place = (thread.channel, thread.account, now // HOUR)
        if self._sent[place] >= self._desk.policy.automatic_per_hour:
            return "cap"
        self._sent[place] += 1
        return ""


def refusal(thread: Thread, text: str, now: Instant, by_person: bool = False) -> str:
    """Why the channel's policy forbids it; empty: it does not.

    What a public post allows is told by its address at the platform, which no scenario has.
    """
    if thread.unreachable:
        return "unreachable"
    if thread.public:
        return ""
    message = Outbound(account=thread.account, to=thread.to, by_person=by_person, text=text)
    return channel(thread.channel).refusal(message, thread.window, now) or ""
