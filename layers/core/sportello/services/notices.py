"""What people are told, put together: a context pack, so that nobody has to ask the customer again."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from sportello.aws import facts, history
from sportello.domain import timers
from sportello.domain.desk import Desk
from sportello.domain.facts import Facts
from sportello.domain.incidents import Incident, News
from sportello.domain.message import Escalation, Message
from sportello.domain.model import MINUTE, Instant
from sportello.domain.thread import Thread
from sportello.services.notice_words import Item, Notice
from sportello.services.wording import Wording, one_line, render

NEWEST = 20
SAID_MOST = 5
"""Unanswered messages that a notice repeats."""


class Speaker(Protocol):
    """Who puts it together: the by, and the page on which something is taken."""

    @property
    def desk(self) -> Desk: ...
    @property
    def wording(self) -> Wording: ...
    @property
    def now(self) -> Callable[[], Instant]: ...


def of_call(by: Speaker, thread: Thread, call: Escalation, *, nobody_on_call: bool = False) -> Notice:
    """One conversation: who, where, why, since when, what they wrote, what is known, what helps."""
    said = [message for message in history.messages(thread.id, newest=NEWEST) if message.direction == "in"]
    since = thread.owed_since if thread.owed_since is not None else call.whys[-1].at
    waiting = unanswered(thread, said)
    known = facts.read(thread.id)
    whys = tuple(dict.fromkeys(why.why for why in call.whys))
    notice = by.wording.notify(
        by.now(),
        customer=thread.name or _group_member(waiting) or known.customer.name or thread.to,
        channel=thread.channel,
        said="\n".join(map(words, waiting[-SAID_MOST:])),
        reasons=whys,
        since=since,
        thread=thread.id,
        account=thread.account,
        team=thread.team,
        more={
            "language": thread.language,
            "tier": thread.tier or known.customer.tier,
            "team": call.team if len(by.desk.teams) > 1 else "",
            "due": deadlines(by, thread),
            "known": "; ".join(_known(known, thread)),
            "helps": "\n".join(_helps(by, whys)),
        },
    )
    return notice._replace(foot=by.wording.told.nobody_on_call) if nobody_on_call else notice


def unanswered(thread: Thread, said: Sequence[Message]) -> list[Message]:
    """The customer's messages that wait for an answer; of a thread that owes nothing, those that did."""
    waiting = [message for message in said if message.owes and not message.deleted]
    if thread.owed_since is None:
        return waiting
    return [message for message in waiting if message.time >= thread.owed_since]


def words(message: Message) -> str:
    what = message.media[0].kind if message.media else message.detail or message.kind
    return message.text or f"[{what}]"


def _group_member(messages: Sequence[Message]) -> str:
    return messages[-1].by if messages else ""


def deadlines(by: Speaker, thread: Thread) -> str:
    """By when what is owed, in words; empty where there is no deadline."""
    desk, now = by.desk, by.now()
    if thread.owed_since is None:
        return ""
    calendar = desk.calendar_of(thread.channel, thread.account, thread.team)
    due: dict[str, Instant | None] = {"promise": thread.promised}
    if not thread.interim:
        due["first"] = timers.first_due(thread, desk, calendar)
    due["full"] = timers.full_due(thread, desk, calendar)
    named = by.wording.told.deadlines
    return "; ".join(
        f"{named[name]}: {by.wording.moment(at, now)}" for name, at in due.items() if at is not None
    )


def _known(known: Facts, thread: Thread) -> Iterator[str]:
    customer = known.customer
    yield from (
        part for part in (customer.name, customer.since, customer.notes) if part and part != thread.name
    )
    yield from (f"{name}: {value}" for name, value in known.fields.items())
    for order in known.orders:
        yield " ".join(part for part in (order.number, order.status, order.expected) if part)


def _helps(by: Speaker, whys: Sequence[str]) -> Iterator[str]:
    playbook = by.wording.told.playbook
    return (playbook[why] for why in whys if why in playbook)


# --- many conversations -----------------------------------------------------------------------


def listed(by: Speaker, thread: Thread) -> str:
    """One conversation among several: who, where, since when, and its first words."""
    channel = by.wording.told.channels.get(thread.channel, thread.channel)
    since = by.wording.moment(thread.owed_since or by.now(), by.now())
    return one_line(f"{thread.name or thread.to} · {channel} · {since}") + f"\n{thread.first}"


def of_digest(by: Speaker, team: str, items: Sequence[Item], more: int) -> Notice:
    """What waited for the opening: the oldest of them, and how many there are besides."""
    texts = by.wording.told
    values = {"desk": by.desk.name, "team": team, "conversations": len(items) + more}
    return Notice(
        title=one_line(render(texts.digest, values)),
        lines=(),
        take=texts.take,
        items=tuple(items),
        foot=texts.more.format(count=more) if more else "",
    )


def of_incident(
    by: Speaker, incident: Incident, news: News, samples: Sequence[Thread], *, nobody_on_call: bool
) -> Notice:
    texts, now = by.wording.told, by.now()
    what, _, where = incident.wave.partition("-")
    took = max(1, -(-(incident.opened - incident.since) // MINUTE))
    title = render(
        texts.incident,
        {
            "desk": by.desk.name,
            "team": incident.team,
            "conversations": news.conversations,
            "minutes": took,
            "what": texts.waves[what],
            "public": where == "public",
            "news": news.what,
        },
    )
    lines = [(texts.labels["since"], by.wording.moment(incident.since, now))]
    if len(by.desk.teams) > 1:
        lines.insert(0, (texts.labels["team"], incident.team))
    return Notice(
        title=one_line(title),
        lines=tuple(lines),
        take=texts.take,
        items=tuple(Item(listed(by, thread)) for thread in samples),
        foot=texts.nobody_on_call if nobody_on_call else "",
    )
