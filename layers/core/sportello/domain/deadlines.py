"""Deadlines of answers, in service time: how long the first and the full answer may take.

Keyed by channel, tier and track: the rules of ``desk.yaml`` are read from top to bottom, and a later one
that fits replaces what an earlier one said.
"""

from typing import Literal, NamedTuple

from sportello.domain.model import HOUR, Duration, Instant, Model


class AnswerRule(Model):
    """Other deadlines for some conversations. What is not named fits all."""

    channel: str = ""
    tier: str = ""
    """As the company's system calls it (``Hook``)."""
    track: Literal["", "speed", "care"] = ""
    first: Duration | None = None
    full: Duration | None = None

    def fits(self, channel: str, tier: str, track: str) -> bool:
        return self.channel in ("", channel) and self.tier in ("", tier) and self.track in ("", track)


class Answers(Model):
    first: Duration = HOUR
    """Service time in which a person answers for the first time; 0: no deadline."""
    full: Duration = 24 * HOUR
    """Service time in which the answer is complete; 0: no deadline."""
    warn_full: Duration = 2 * HOUR
    """So long before the full answer's deadline people are warned."""
    rules: tuple[AnswerRule, ...] = ()

    def of(self, channel: str, tier: str, track: str) -> "Deadlines":
        first, full = self.first, self.full
        for rule in self.rules:
            if rule.fits(channel, tier, track):
                first = first if rule.first is None else rule.first
                full = full if rule.full is None else rule.full
        return Deadlines(first, full, min(self.warn_full, full // 2))


class Deadlines(NamedTuple):
    """Amounts of service time; 0: none."""

    first: Instant
    full: Instant
    warn_full: Instant
    """Before the end of ``full``."""
