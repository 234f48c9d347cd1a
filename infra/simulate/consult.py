"""The outside, answered from the scenario: frequent questions, the company's facts, other threads.

What the consult worker asks the table or the company's system for is here asked of the scenario; whose
order something is, is proved by the same functions.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from infra.simulate.company import Company
from sportello.channels.found import channel
from sportello.domain.decision import Consult
from sportello.domain.desk import Desk
from sportello.domain.events import Consulted, Inbound
from sportello.domain.faq import Faq
from sportello.domain.model import DAY, Instant
from sportello.domain.phrases import Meaning
from sportello.domain.proof import contact_hash, order_numbers, proved
from sportello.domain.thread import Thread
from sportello.services.faq import Answerer, LexicalAnswerer

NUMBER_KEPT = DAY
CONTACT_KEPT = 30 * DAY
"""As ``services.outside``: how long half a proof waits for the other half."""


class Asked(NamedTuple):
    """One enquiry, and where it was asked."""

    consult: Consult
    cause: str
    thread: Thread
    heard: Sequence[Inbound]
    """The customer's messages so far, the last of which made the desk ask; none: a deadline did."""
    at: Instant


class Outside:
    """Whom the desk asks."""

    def __init__(self, desk: Desk, faq: Faq, company: Company) -> None:
        self._desk = desk
        self._company = company
        self._answerer: Answerer = LexicalAnswerer(faq, desk.time_zone)

    def answer(self, asked: Asked, threads: Iterable[Thread], linked: Thread | None) -> Consulted:
        """All that is asked.

        Args:
            threads: all there are, to count what waits for a person.
            linked: the official thread that the message's ref leads back to.
        """
        asks: set[str] = set(asked.consult.asks)
        found: dict[str, Any] = {}
        if "faq" in asks:
            found |= self._faq(asked)
        if asks & {"facts", "order"}:
            found |= self._facts(asked, asks)
        if "load" in asks:
            found |= self._load(asked.consult.person, asked.thread, threads)
        if linked is not None:
            found |= {
                "linked": linked.id,
                "linked_since": linked.owed_since,
                "linked_first": linked.first,
            }
        buttons = not asked.thread.public and channel(asked.thread.channel).shows_buttons
        text = asked.heard[-1].text if asked.heard else ""
        return Consulted(
            cause=asked.cause,
            asks=asked.consult.asks,
            until=asked.consult.until,
            person=asked.consult.person,
            topics=Meaning(text, self._desk.patterns).topics,
            buttons=buttons,
            **found,
        )

    def _faq(self, asked: Asked) -> Mapping[str, Any]:
        text = asked.heard[-1].text if asked.heard else ""
        if not text.strip():
            return {}
        thread = asked.thread
        hit = self._answerer.answer(
            text,
            thread.language or self._desk.default_language,
            asked.at,
            channel=thread.channel,
            account=thread.account,
            public=thread.public,
        )
        return {"faq": hit.id, "language": hit.language} if hit else {}

    def _facts(self, asked: Asked, asks: set[str]) -> Mapping[str, Any]:
        if not self._company.known:
            return {"problems": ("hook_off",)}
        if self._company.slow:
            return {"problems": ("hook_slow",)}
        attested, numbers = self._proof(asked)
        found: dict[str, Any] = {}
        if "facts" in asks:
            found["tier"] = self._company.tier(asked.thread.to, attested)
        if "order" in asks:
            found |= self._order(asked.thread, attested, numbers)
        return found

    def _proof(self, asked: Asked) -> tuple[str, tuple[str, ...]]:
        """The two halves may come in two messages."""
        pattern = self._desk.hook.order_pattern
        attested, numbers = "", tuple[str, ...]()
        for message in reversed(asked.heard):
            age = asked.at - (message.time or asked.at)
            if not attested and age <= CONTACT_KEPT:
                attested = message.attested
            if not numbers and age <= NUMBER_KEPT:
                numbers = order_numbers(message.text, pattern)
        return attested, numbers

    def _order(self, thread: Thread, attested: str, numbers: tuple[str, ...]) -> Mapping[str, Any]:
        if thread.public:
            return {"problems": ("order_public",)}
        theirs = [
            order
            for order in self._company.orders
            if proved(order.number, numbers, [contact_hash(order.to)], attested)
        ]
        if len(theirs) == 1:
            return {"order": theirs[0].facts}
        return {"problems": ("order_several",)} if theirs else {"unproved": True}

    def _load(self, name: str, thread: Thread, threads: Iterable[Thread]) -> Mapping[str, Any]:
        person = self._desk.people.get(name)
        if person is None or not person.load:
            return {}
        teams = {*person.teams, thread.team}
        waiting = sum(one.owes and one.claimed_by == name and one.team in teams for one in threads)
        return {"over_load": waiting > person.load}
