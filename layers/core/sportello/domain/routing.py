"""Which team takes a conversation: by account, topic, language and channel, and by who is on duty.

1. The team that the account or the channel names.
2. The team that is meant for it: that knows the topic, or names the language or the channel. Of several
   the one that fits best, then the first in the file.
3. The first team of the file where nothing is known.
4. Where nobody of these is on duty although the conversation is open: the next that fits, the fallback
   team, anybody who is on duty; at last the fallback team, so that one team always holds it.

A team that is closed by its own hours keeps what is meant for it: it waits for the opening.
"""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from sportello.domain.desk import Desk
from sportello.domain.duty import hands_back, is_manned, members
from sportello.domain.model import Instant
from sportello.domain.reasons import Reason
from sportello.domain.staff import Team

__all__ = ["Route", "hands_back", "is_manned", "route"]


class Route(NamedTuple):
    team: str
    reason: Reason


class Fit(NamedTuple):
    """How well somebody of a team fits a conversation; the greater, the better."""

    can: bool
    """Speaks the language and serves the channel."""
    knows: bool
    """A topic of the message."""
    names_language: bool
    """It is there for this language, not for all."""
    names_channel: bool

    def reason(self) -> Reason:
        if self.knows:
            return Reason.ROUTED_SKILL
        return Reason.ROUTED_LANGUAGE if self.names_language else Reason.ROUTED_CHANNEL


def route(
    desk: Desk,
    *,
    channel: str,
    account: str,
    language: str,
    topics: Collection[str],
    now: Instant,
    current: str = "",
) -> Route:
    """The team for a conversation as it is now, and why.

    Args:
        language: of the customer; empty: not known, then any team will do.
        topics: of the message.
        current: the team that has it; it keeps it as long as no other fits better and it is on duty.
    """
    if len(desk.teams) == 1:
        return Route(desk.default_team, Reason.ROUTED_STAYS if current else Reason.ROUTED_DEFAULT)
    return _Choice(desk, channel, account, language, topics, now, current).route()


class _Choice:
    """One conversation's choice among the teams of the file."""

    __slots__ = ("account", "channel", "current", "desk", "language", "now", "topics")

    def __init__(
        self,
        desk: Desk,
        channel: str,
        account: str,
        language: str,
        topics: Collection[str],
        now: Instant,
        current: str,
    ) -> None:
        self.desk = desk
        self.channel = channel
        self.account = account
        self.language = language
        self.topics = topics
        self.now = now
        self.current = current if current in desk.teams else ""

    def route(self) -> Route:
        own = self._own_team()
        if own and self._ready(own):
            return Route(own, Reason.ROUTED_STAYS if own == self.current else Reason.ROUTED_ACCOUNT)
        fits = {name: self._fit(name, team) for name, team in self.desk.teams.items()}
        best = next((name for name in self._meant(fits) if self._ready(name)), "")
        if self.current and self._stays(fits, best):
            return Route(self.current, Reason.ROUTED_STAYS)
        if best:
            return Route(best, fits[best].reason())
        default = self.desk.default_team
        if not (own or self.current or any(self._meant(fits))) and self._ready(default):
            return Route(default, Reason.ROUTED_DEFAULT)
        return Route(self._whoever_is_there(fits), Reason.ROUTED_FALLBACK)

    def _own_team(self) -> str:
        """Of the account, else of the channel; the build refuses names that are no teams."""
        account = self.desk.account(self.channel, self.account)
        channel = self.desk.channels.get(self.channel)
        named = (account.team if account else "") or (channel.team if channel else "")
        return named if named in self.desk.teams else ""

    def _ready(self, team: str) -> bool:
        """Somebody is there, or nobody needs to be."""
        return is_manned(self.desk, team, self.now) or not self._is_open(team)

    def _is_open(self, team: str) -> bool:
        return self.desk.calendar_of(self.channel, self.account, team).is_open(self.now)

    def _fit(self, name: str, team: Team) -> Fit:
        """Of the one who fits best among those on duty; of the whole team where nobody is."""
        people = members(self.desk, name)
        there = [member for member in people if member.is_on(self.now)] or people
        if not there:
            return self._fits(team.skills, team.languages, team.channels)
        return max(self._fits(member.skills, member.languages, member.channels) for member in there)

    def _fits(self, skills: Collection[str], languages: Collection[str], channels: Collection[str]) -> Fit:
        speaks = not languages or not self.language or self.language in languages
        serves = not channels or self.channel in channels
        return Fit(
            speaks and serves,
            any(topic in skills for topic in self.topics),
            bool(languages) and self.language in languages,
            bool(channels) and serves,
        )

    def _meant(self, fits: dict[str, Fit]) -> Iterator[str]:
        """The teams that are there for such a conversation, the best first.

        One with skills is there for its topics: that it names a language or a channel counts only
        where the first team cannot take the conversation.
        """
        default = fits[self.desk.default_team]
        for name in sorted(fits, key=fits.__getitem__, reverse=True):
            fit = fits[name]
            if not fit.can:
                return
            special = fit.names_language or fit.names_channel
            if fit.knows or not default.can or (special and not self.desk.teams[name].skills):
                yield name

    def _stays(self, fits: dict[str, Fit], best: str) -> bool:
        """Whether the team that has it fits as well as any other.

        One with skills got it by a topic, which the customer need not name again.
        """
        fit = fits[self.current]
        if not self._ready(self.current):
            return False
        if not best:
            return fit.can or not fits[self.desk.default_team].can
        if fit.can and self.desk.teams[self.current].skills and not fits[best].knows:
            return True
        return fit >= fits[best]

    def _whoever_is_there(self, fits: dict[str, Fit]) -> str:
        fallback = self.desk.fallback_team
        order = dict.fromkeys((fallback, self.desk.default_team, *self.desk.teams))
        there = [team for team in order if is_manned(self.desk, team, self.now) and self._is_open(team)]
        return next((team for team in there if fits[team].can), there[0] if there else fallback)
