"""Rate limits as token buckets, on real time."""

import time


class Buckets:
    """One bucket per key. Callers hold the state's lock."""

    def __init__(self) -> None:
        self._levels: dict[str, tuple[float, float]] = {}

    def take(self, key: str, burst: int, per_second: float) -> float:
        """Takes one token: 0.0 if there was one, else the seconds until there is."""
        now = time.monotonic()
        level, since = self._levels.get(key, (float(burst), now))
        level = min(float(burst), level + (now - since) * per_second)
        if level < 1:
            self._levels[key] = (level, now)
            return (1 - level) / per_second
        self._levels[key] = (level - 1, now)
        return 0.0

    def clear(self) -> None:
        self._levels.clear()
