"""The desk as its care lead wrote it in ``templates/desk.yaml``: hours, teams and policy.

The build checks the file, adds the phrases of ``templates/phrases/`` and writes one JSON file;
functions read that (``services.desk.current_desk``). Durations in the file are text such as
``10 min``; here they are milliseconds.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field, field_validator

from sportello.domain.deadlines import Answers
from sportello.domain.hours import Calendar, Day
from sportello.domain.model import HOUR, MINUTE, SECOND, Duration, Model
from sportello.domain.phrases import Patterns, Phrases
from sportello.domain.reasons import Reason
from sportello.domain.staff import (
    ClosedOrSpecial,
    Escalation,
    FieldName,
    Person,
    PersonName,
    SkillName,
    Team,
    TeamName,
)


class Served(Model):
    """A channel or an account with hours, a team or a role of its own."""

    channel: str = Field(default="", pattern=r"^[a-z]{0,16}$")
    """Of an account; a channel is named by its key."""
    account: str = ""
    """Our number, page or bot at the platform, as webhooks name it."""
    role: Literal["official", "care"] = "care"
    hours: str = ""
    """Empty: those of the level above (account, channel, team, desk)."""
    exceptions: tuple[ClosedOrSpecial, ...] = ()
    team: str = ""
    """Who takes what is written here, whatever its topic; empty: by competence."""
    care_link: str = ""
    """Of an official account: the way to the care account, with ``{ref}``, e.g. ``https://m.me/care?ref={ref}``."""


class Signal(Model):
    """What the desk does when a message shows it: file ``desk.yaml``, key ``signals``."""

    call: bool = True
    """People are called."""
    urgent: bool = False
    """Re-paged also while closed."""
    track: Literal["", "speed", "care"] = ""
    say: bool = False
    """The customer hears the text of that name (``chased``, ``sorry``)."""


class Question(Model):
    """One field that helps whoever answers; asked at most once, and never if it is known."""

    topics: tuple[SkillName, ...] = ()
    """Asked where the message is about one of these; empty: always."""
    pattern: str = ""
    """Regular expression by which an answer is recognised anywhere in the conversation."""
    text: Mapping[str, str] = Field(min_length=1)
    """What is asked, by language."""


class Hook(Model):
    """The company's own system: asked for facts by a signed POST. Its secret is ``/<stack>/hook/main``."""

    url: str = Field(default="", pattern=r"^(https://\S+)?$")
    """Empty: nobody is asked. One in the secret wins."""
    order_pattern: str = ""
    """Regular expression of an order number, e.g. ``\\b\\d{8}\\b``; its group, where it has one."""
    links: tuple[Annotated[str, Field(pattern=r"^\.?[a-z0-9-]+(\.[a-z0-9-]+)+$")], ...] = ()
    """Hosts to which an order's link may lead, ``.example.com`` for those below; empty: no link is told."""
    keep: Duration = 15 * MINUTE
    """For how long an answer is used again."""


class Policy(Model):
    """When the desk speaks by itself and when it calls for people."""

    on_it_after: Duration = 10 * MINUTE
    """Service time without an answer after which the customer hears "we are on it"; 0: never."""
    escalate_after: Duration = 30 * MINUTE
    """Service time without an answer after which people are called; 0: never."""
    person_quiet: Duration = 30 * MINUTE
    """How long a person stays in the conversation after a reply or claim."""
    consult_within: Duration = Field(default=MINUTE, ge=10 * SECOND)
    """What the outside is asked must answer in this time; then the desk goes on without."""
    questions_most: int = Field(default=2, ge=0, le=2, strict=True)
    """Questions that the desk asks by itself in one conversation; 0: none."""
    automatic_per_hour: int = Field(default=500, ge=0, strict=True)
    """Automatic replies per account and hour; the rest is cancelled as ``cap``."""
    reply_expires: Duration = 6 * HOUR
    """How long a person's reply is retried before it ends FAILED."""
    keep_days: int = Field(default=730, ge=1)
    """Days after which messages and silent threads are deleted."""


SignalName = Literal["chaser", "criticism", "anger"]
SIGNALS: Mapping[SignalName, Signal] = {
    "chaser": Signal(track="speed", say=True),
    "criticism": Signal(track="care"),
    "anger": Signal(urgent=True, track="care", say=True),
}


SHOWN_BY: Mapping[str, SignalName] = {
    Reason.CHASES: "chaser",
    Reason.CRITICAL: "criticism",
    Reason.ANGRY: "anger",
}


class _Level(NamedTuple):
    """Hours and exceptions of the desk, a team, a channel or an account."""

    name: str
    hours: str
    exceptions: tuple[ClosedOrSpecial, ...]


class Desk(Model):
    name: str = Field(min_length=1)
    time_zone: str
    languages: tuple[str, ...] = Field(min_length=1)
    """The first is the default."""
    hours: str
    """In opening_hours syntax, e.g. ``Mo-Fr 09:00-13:00,14:00-18:00; PH off``."""
    holidays: str = ""
    """ISO country code whose public holidays ``PH`` means; empty: none."""
    exceptions: tuple[ClosedOrSpecial, ...] = ()
    teams: Mapping[TeamName, Team] = Field(min_length=1)
    """The first takes what nobody else does."""
    people: Mapping[PersonName, Person] = {}
    """Empty: every team is on duty whenever it serves."""
    fallback: str = ""
    """Team that takes what no other can; empty: the first."""
    channels: Mapping[str, Served] = {}
    """Channels with hours or a team of their own."""
    accounts: tuple[Served, ...] = ()
    answers: Answers = Answers()
    """Deadlines of the first and the full answer."""
    escalation: Escalation = Escalation()
    signals: Mapping[SignalName, Signal] = {}
    """What is not named is done as in ``SIGNALS``."""
    questions: Mapping[FieldName, Question] = {}
    hook: Hook = Hook()
    track: Literal["", "speed", "care"] = ""
    """Of a conversation of which nothing else is known."""
    tracks: Mapping[SkillName, Literal["speed", "care"]] = {}
    """By topic."""
    contacts: tuple[str, ...] = ()
    """Written by the build: the company's own addresses and numbers (``guidelines/ours.yaml``)."""
    faq_words: frozenset[str] = frozenset()
    """Written by the build: words of the frequent questions (``domain.faq_words``)."""
    policy: Policy = Policy()
    formal: bool = False
    phrases: Mapping[str, Phrases] = {}
    phrase_index: Mapping[str, str] = {}
    """Written by the build: the phrases as ``domain.patterns`` looks them up; empty: made at first use."""

    @field_validator("languages")
    @classmethod
    def _codes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for code in value:
            if not re.fullmatch(r"[a-z]{2,3}", code):
                raise ValueError(f"{code!r} is not a language code; write e.g. it or en")
        if len(set(value)) < len(value):
            raise ValueError("a language is named twice; write e.g. [it, en]")
        return value

    @property
    def default_language(self) -> str:
        return self.languages[0]

    @property
    def default_team(self) -> str:
        return next(iter(self.teams))

    @property
    def calendar(self) -> Calendar:
        """The desk's own: of what has no hours of its own."""
        return self._calendar([_Level("", self.hours, self.exceptions)])

    def calendar_of(self, channel: str, account: str = "", team: str = "") -> Calendar:
        """The one calendar of reply, deadline, notification, page and report for what is written there.

        The most specific hours win: the account's, the channel's, the team's, the desk's. Exceptions of
        every level apply; where two speak of one day, the more specific one.

        A day that an exception makes is named ``#`` and its level and number: see ``name_of``.
        """
        place = (channel, account, team)
        calendar = self.calendars.get(place)
        if calendar is None:
            calendar = self.calendars[place] = self._calendar(self._levels(*place))
        return calendar

    @cached_property
    def calendars(self) -> dict[tuple[str, str, str], Calendar]:
        """Those that were asked for: by channel, account and team."""
        return {}

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A changed desk, which knows nothing that was worked out of this one."""
        copied = super().model_copy(update=update, deep=deep)
        for name in vars(copied).keys() - type(copied).model_fields.keys():
            del vars(copied)[name]
        return copied

    def _levels(self, channel: str, account: str, team: str) -> list[_Level]:
        """From the desk's own to the most specific."""
        levels = [_Level("", self.hours, self.exceptions)]
        if (crew := self.teams.get(team)) is not None and (crew.hours or crew.exceptions):
            levels.append(_Level(f"team {team}", crew.hours, crew.exceptions))
        if (served := self.channels.get(channel)) is not None and (served.hours or served.exceptions):
            levels.append(_Level(f"channel {channel}", served.hours, served.exceptions))
        if (own := self.account(channel, account)) is not None and (own.hours or own.exceptions):
            levels.append(_Level(f"account {self.accounts.index(own)}", own.hours, own.exceptions))
        return levels

    def _calendar(self, levels: Sequence[_Level]) -> Calendar:
        rules = [next(hours for _, hours, _ in reversed(levels) if hours)]
        for level, _, exceptions in levels:
            for number, special in enumerate(exceptions):
                rules.append(f'{special.dates} {special.hours} "#{number}@{level}"')
        return _calendar("; ".join(rules), self.time_zone, self.holidays)

    def account(self, channel: str, account: str) -> Served | None:
        """What the file says of one of our accounts."""
        for served in self.accounts:
            if served.account == account and served.channel == channel:
                return served
        return None

    def way_to_care(self, channel: str, account: str) -> str:
        """The link that an official account shows to whoever writes there; empty: it is none."""
        served = self.account(channel, account)
        return served.care_link if served is not None and served.role == "official" else ""

    @property
    def fallback_team(self) -> str:
        return self.fallback or self.default_team

    def signal(self, name: SignalName) -> Signal:
        return self.signals.get(name) or SIGNALS[name]

    def is_urgent(self, escalated: Sequence[str]) -> bool:
        """Whether one of these reasons of a debt is re-paged also while the desk is closed."""
        return any(
            why == Reason.URGENT or (why in SHOWN_BY and self.signal(SHOWN_BY[why]).urgent)
            for why in escalated
        )

    @cached_property
    def patterns(self) -> Patterns:
        return Patterns(self.phrases, self.phrase_index)

    def name_of(self, day: Day, language: str) -> str:
        """What customers are told of a day that differs; empty: nothing."""
        if not day.name.startswith("#"):
            return day.name
        number, _, level = day.name[1:].partition("@")
        names = self._exceptions_of(level)[int(number)].name
        return names.get(language) or names.get(self.default_language, "")

    def _exceptions_of(self, level: str) -> tuple[ClosedOrSpecial, ...]:
        kind, _, which = level.partition(" ")
        if kind == "team":
            return self.teams[which].exceptions
        if kind == "channel":
            return self.channels[which].exceptions
        return self.accounts[int(which)].exceptions if kind == "account" else self.exceptions


@lru_cache(maxsize=64)
def _calendar(rules: str, zone: str, country: str) -> Calendar:
    return Calendar(rules, zone, country)
