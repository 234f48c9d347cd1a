"""Figures with their spread: no median stands alone."""

from collections.abc import Sequence
from statistics import quantiles

from pydantic import BaseModel, ConfigDict


class Spread(BaseModel):
    """How a measured quantity is spread over its runs."""

    model_config = ConfigDict(frozen=True)

    runs: int
    min: float
    p10: float
    p50: float
    p90: float
    max: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        cuts = quantiles(values, n=20, method="inclusive")
        numbers = (min(values), cuts[1], cuts[9], cuts[17], max(values))
        low, p10, p50, p90, high = (round(number, 4) for number in numbers)
        return cls(runs=len(values), min=low, p10=p10, p50=p50, p90=p90, max=high)


class Ratio(BaseModel):
    """One thing measured against another, pair by pair; ``goal`` is the most that is wanted."""

    model_config = ConfigDict(frozen=True)

    name: str
    ratio: Spread
    ours_ms: Spread
    theirs_ms: Spread
    goal: float | None = None

    @classmethod
    def of(
        cls, name: str, ours: Sequence[float], theirs: Sequence[float], goal: float | None = None
    ) -> "Ratio":
        """From CPU seconds, the n-th of ``ours`` measured beside the n-th of ``theirs``."""
        return cls(
            name=name,
            ratio=Spread.of([mine / other for mine, other in zip(ours, theirs, strict=True)]),
            ours_ms=Spread.of([value * 1000 for value in ours]),
            theirs_ms=Spread.of([value * 1000 for value in theirs]),
            goal=goal,
        )

    @property
    def met(self) -> bool:
        return self.goal is None or self.ratio.p50 <= self.goal
