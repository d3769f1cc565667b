import random

import pytest

from pixelfleet_cli.loadtest.core.histogram import BUCKETS, LEAST, MOST, Histogram


def test_percentiles_are_within_one_percent() -> None:
    chance = random.Random(1)
    values = sorted(chance.lognormvariate(-3, 2) for _ in range(20_000))
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    for part in (0.01, 0.5, 0.9, 0.95, 0.99):
        assert histogram.percentile(part) == pytest.approx(values[int(part * len(values)) - 1], rel=0.011)
    assert histogram.percentile(1) == values[-1]


def test_the_memory_does_not_grow_with_the_number_of_times() -> None:
    histogram = Histogram()
    for place in range(50_000):
        histogram.add(1e-7 * 1.001**place)
    assert len(histogram._counts) <= BUCKETS
    assert histogram.count == 50_000


def test_without_times_there_is_no_percentile() -> None:
    assert Histogram().percentile(0.5) is None


@pytest.mark.parametrize("seconds", [0.0, -1.0, LEAST / 2, MOST * 2])
def test_times_outside_the_range_are_counted(seconds: float) -> None:
    histogram = Histogram()
    histogram.add(seconds)
    assert histogram.count == 1
    assert histogram.percentile(0.5) is not None
