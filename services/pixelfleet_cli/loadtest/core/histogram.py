"""Times in a bounded memory: a histogram with buckets of equal relative width."""

import math
from typing import Final

LEAST: Final = 1e-5
"""Shorter times, in seconds, are in the first bucket."""

MOST: Final = 86_400.0
"""Longer times are in the last bucket."""

GROWTH: Final = 1.02
"""The relative width of a bucket: a percentile differs from the exact one by at most 1 %."""

_SCALE: Final = 1 / math.log(GROWTH)
BUCKETS: Final = math.ceil(math.log(MOST / LEAST) * _SCALE) + 1


class Histogram:
    """Counts times in seconds; it has at most BUCKETS numbers, however many times are added."""

    __slots__ = ("_counts", "count", "longest", "total")

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self.count = 0
        self.longest = 0.0
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count a time."""
        place = int(math.log(min(max(seconds, LEAST), MOST) / LEAST) * _SCALE)
        self._counts[place] = self._counts.get(place, 0) + 1
        self.count += 1
        self.total += seconds
        self.longest = max(self.longest, seconds)

    def percentile(self, part: float) -> float | None:
        """Return the time that this part of the times (0 to 1) does not exceed; None without any time."""
        if not self.count:
            return None
        if part >= 1:
            return self.longest
        wanted, seen = part * self.count, 0
        for place in sorted(self._counts):
            seen += self._counts[place]
            if seen >= wanted:
                return min(self.longest, LEAST * math.pow(GROWTH, place + 0.5))
        return self.longest
