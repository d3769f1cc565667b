"""Counts of durations in classes of equal ratio, for percentiles of any number of values. No I/O."""

import math
from collections import Counter
from collections.abc import Iterable
from typing import Final

RATIO: Final = 1.05
"""The ratio of a class's bounds: a percentile is exact to half of 5 %."""

SMALLEST: Final = 0.001
"""Shorter durations, in seconds, count as 0."""

LARGEST_CLASS: Final = 600
"""That of all durations above centuries."""


class Histogram:
    """The number of durations in each class."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()
        self.total = 0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self.counts[_class_of(seconds)] += 1
        self.total += 1

    def merge(self, others: Iterable["Histogram"]) -> "Histogram":
        """Return a histogram of the durations of this one and all others."""
        merged = Histogram()
        for each in (self, *others):
            merged.counts.update(each.counts)
            merged.total += each.total
        return merged

    def percentile(self, share: float) -> float | None:
        """Return the duration that this share of all does not exceed, from 0 to 1; None without durations."""
        if not self.total:
            return None
        wanted, passed = max(1, math.ceil(share * self.total)), 0
        for each in sorted(self.counts):
            passed += self.counts[each]
            if passed >= wanted:
                return _middle_of(each)
        raise AssertionError("the classes have all durations")


def _class_of(seconds: float) -> int:
    return 0 if seconds < SMALLEST else min(LARGEST_CLASS, 1 + int(math.log(seconds / SMALLEST, RATIO)))


def _middle_of(number: int) -> float:
    return 0.0 if number == 0 else round(SMALLEST * RATIO ** (number - 0.5), 3)
