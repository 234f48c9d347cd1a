"""Many calls alike in a short time are one incident: how they are counted, and what is said of it.

Pure. Times are the desk's clock. A call is counted under its *wave*: the strongest of its reasons' classes,
apart for public conversations and private ones. When ``incident_calls`` conversations have called within
``incident_within``, an incident opens; whoever calls alike joins it in silence, until nobody has for twice
that time. A call whose strongest reason is of another class is never folded into it.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from sportello.domain.desk import Desk
from sportello.domain.model import DAY, Instant
from sportello.domain.reasons import Reason

CLASSES: tuple[tuple[str, frozenset[Reason]], ...] = (
    ("urgent", frozenset({Reason.URGENT})),
    ("failed", frozenset({Reason.SEND_FAILED})),
    ("complaint", frozenset({Reason.ANGRY, Reason.CRITICAL, Reason.CHASES})),
    ("asks", frozenset({Reason.ASKS_PERSON, Reason.FAQ_NOT_ENOUGH, Reason.ORDER_UNPROVED})),
    ("unreadable", frozenset({Reason.UNREADABLE})),
    ("routed", frozenset({Reason.ROUTED_FALLBACK})),
    (
        "late",
        frozenset(
            {
                Reason.NO_ANSWER,
                Reason.FIRST_LATE,
                Reason.FULL_SOON,
                Reason.FULL_LATE,
                Reason.PROMISE_LATE,
                Reason.HANDED_BACK_SILENT,
            }
        ),
    ),
)
"""The strongest first: somebody angry who asks for a person complains, and what is urgent is only urgent."""
AGAIN = frozenset({Reason.UNACKNOWLEDGED, Reason.WAITS_AT_OPENING})
"""Nothing new of the conversation: they follow the call that they repeat."""
WAVES = tuple(f"{name}-{where}" for name, _ in CLASSES for where in ("public", "private"))
LASTS = DAY
"""For so long pages of an incident's conversations belong to it."""


class Counted(NamedTuple):
    """One conversation that has called."""

    at: Instant
    thread: str
    key: str


class Wave(NamedTuple):
    """What is known of calls of one kind: a row of the team."""

    recent: tuple[Counted, ...] = ()
    """By time; each conversation once, at most as many as open an incident."""
    incident: str = ""
    """Key of the incident that is open, or was last."""
    opened: Instant = 0
    conversations: int = 0
    """In it."""
    last: Instant = 0
    """When one joined last."""


Verdict = Literal["alone", "opens", "joins"]


class Folded(NamedTuple):
    verdict: Verdict
    wave: Wave
    calls: tuple[Counted, ...] = ()
    """Of an incident that opens: its first ones, this one among them."""


def wave_of(whys: Iterable[str], public: bool) -> str:
    """The kind of a call; empty: its reasons are of none that can be folded."""
    given = set(whys)
    for name, reasons in CLASSES:
        if reasons & given:
            return f"{name}-{'public' if public else 'private'}"
    return ""


def fold(wave: Wave, call: Counted, desk: Desk, key: str) -> Folded:
    """What a call makes of the wave.

    Args:
        key: of the incident, should this call open it.
    """
    calls, within = desk.escalation.incident_calls, desk.escalation.incident_within
    if is_open(wave, call.at, within):
        return Folded(
            "joins", wave._replace(conversations=wave.conversations + 1, last=max(wave.last, call.at))
        )
    recent = _with(wave.recent, call, within)
    if len(recent) < calls:
        return Folded("alone", wave._replace(recent=recent))
    newest = recent[-1].at
    return Folded("opens", Wave((), key, newest, len(recent), newest), recent)


def is_open(wave: Wave, at: Instant, within: Instant) -> bool:
    return bool(wave.incident) and wave.opened - within <= at <= wave.last + 2 * within


def _with(recent: tuple[Counted, ...], call: Counted, within: Instant) -> tuple[Counted, ...]:
    """Those of the newest ``within``; a late one counts at its own time, and each conversation once."""
    others = [one for one in recent if one.thread != call.thread and abs(one.at - call.at) < LASTS]
    known = next((one for one in recent if one.thread == call.thread), call)
    counted = sorted([*others, max(known, call)])
    return tuple(one for one in counted if one.at > counted[-1].at - within)


# --- what is said of an incident --------------------------------------------------------------


class News(NamedTuple):
    """What people are told of an incident."""

    what: Literal["opened", "grown", "unacknowledged"]
    at: Instant
    conversations: int
    level: int = 1


class Incident(NamedTuple):
    """A row of the team; ``told`` counts the news that each target knows, as a call's do reasons."""

    key: str
    team: str
    wave: str
    opened: Instant
    since: Instant
    """When the first of them called."""
    news: tuple[News, ...]
    told: Mapping[str, int]
    refused: Mapping[str, str]
    samples: tuple[str, ...] = ()
    """Threads whose first words are shown."""
    attempt: int = 0
    due: Instant | None = None
    """Real time: when to look again."""
    taken_by: str = ""
    taken_at: Instant = 0

    @property
    def conversations(self) -> int:
        """As people were told."""
        return self.news[-1].conversations


def page(incident: Incident, level: int, desk: Desk, at: Instant) -> News | None:
    """What is said when a conversation of the incident is paged again; None: nothing.

    Until somebody has taken the incident, its pages climb the levels as those of one conversation do.
    """
    if incident.taken_by:
        return None
    levels = desk.escalation.levels
    level = min(max(level, 1), len(levels))
    reached = max(news.level for news in incident.news)
    paged = max(news.at for news in incident.news if news.what != "grown")
    if level < reached or (level == reached and at < paged + levels[level - 1].within):
        return None
    return News("unacknowledged", at, incident.conversations, level)


def growth(incident: Incident, wave: Wave, desk: Desk, at: Instant) -> News | None:
    """What is said of how the incident has grown; None: it has not, or it is too early to say again."""
    if wave.incident != incident.key or wave.conversations <= incident.conversations:
        return None
    if at < max(news.at for news in incident.news) + desk.escalation.incident_update:
        return None
    return News("grown", at, wave.conversations, max(news.level for news in incident.news))
