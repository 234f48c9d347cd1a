"""Somebody who was told takes a conversation, or an incident: what they see, and the act."""

from collections.abc import Callable
from typing import NamedTuple

from sportello.aws import escalations, history, incidents, store
from sportello.aws.outbox import Address
from sportello.channels.found import channel
from sportello.domain import keys
from sportello.domain.desk import Desk
from sportello.domain.escalating import is_on_leave
from sportello.domain.incidents import Incident
from sportello.domain.message import Message
from sportello.domain.model import Instant
from sportello.domain.take_link import TakeLink
from sportello.services import notices, reply, rows
from sportello.services.notice_words import Notice
from sportello.services.reply import NotAllowed, Person
from sportello.services.wording import Wording

NAME_MOST = 20
"""Characters of a name that is typed."""
NEWEST = 50


class Reader(NamedTuple):
    """The desk as it speaks to whoever has opened the link."""

    desk: Desk
    wording: Wording
    now: Callable[[], Instant]


class Waiting(NamedTuple):
    """What there is to take."""

    notice: Notice
    people: tuple[str, ...]
    """Who may take it by one tap."""
    holder: str = ""
    """Who has it; empty: nobody."""
    since: Instant | None = None
    answered: bool = False
    """Nothing is owed any more."""
    conversations: int = 0
    """Of an incident; 0: it is one conversation."""


def look(reader: Reader, link: TakeLink) -> Waiting | None:
    """What the link leads to; nothing is changed. None: it is no more."""
    if link.key.startswith(keys.TOGETHER):
        incident = incidents.read(Address(link.thread, link.key))
        return None if incident is None else _incident(reader, incident)
    thread, call = escalations.read(Address(link.thread, link.key))
    if thread is None or call is None:
        return None
    said = history.messages(thread.id, newest=NEWEST)
    return Waiting(
        notice=notices.of_call(reader, thread, call),
        people=_people(reader, thread.team or call.team),
        holder=thread.claimed_by,
        since=_claimed_at(said, thread.claimed_by),
        answered=not thread.owes,
    )


def _incident(reader: Reader, incident: Incident) -> Waiting:
    threads = (store.read_thread(id, consistent=True).thread for id in incident.samples)
    wave, _ = incidents.read_wave(incidents.wave_address(incident))
    conversations = wave.conversations if wave.incident == incident.key else incident.conversations
    news = incident.news[-1]._replace(conversations=conversations)
    samples = [thread for thread in threads if thread is not None]
    return Waiting(
        notice=notices.of_incident(reader, incident, news, samples, nobody_on_call=False),
        people=_people(reader, incident.team),
        holder=incident.taken_by,
        since=incident.taken_at or None,
        conversations=conversations,
    )


def _people(reader: Reader, team: str) -> tuple[str, ...]:
    """The team's people, and whoever is in the rota; not who is on leave."""
    desk = reader.desk
    named = [name for name, person in desk.people.items() if team in person.teams]
    named += [shift.who for shift in desk.escalation.on_call if shift.who in desk.people]
    return tuple(name for name in dict.fromkeys(named) if not is_on_leave(desk, name, reader.now()))


def _claimed_at(said: list[Message], by: str) -> Instant | None:
    claims = (row.time for row in reversed(said) if row.kind == "claim" and row.by == by)
    return next(claims, None) if by else None


def take(reader: Reader, link: TakeLink, by: str, held_by: str) -> bool:
    """Take it; False where somebody else has it than ``held_by``. Raises NoThread, Busy."""
    if link.key.startswith(keys.TOGETHER):
        name = rows.clip(by, rows.BY_BYTES)
        return incidents.take(Address(link.thread, link.key), name, reader.now(), held_by)
    person = Person(by=by, desk=reader.desk, channels=channel, now=reader.now)
    try:
        reply.claim(person, link.thread, held_by)
    except NotAllowed:
        return False
    return True


def name_of(reader: Reader, typed: str) -> str:
    """The name under which somebody takes it; empty where it is none.

    What is written as a person of the desk is called counts as that person.
    """
    name = " ".join(typed.split())
    if not name or len(name) > NAME_MOST or not name.isprintable():
        return ""
    return name.casefold() if name.casefold() in reader.desk.people else name
