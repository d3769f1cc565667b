"""Percentiles of any number of durations."""

import random

import pytest

from matchmaker.usage.histogram import Histogram


def histogram(*durations: float) -> Histogram:
    made = Histogram()
    for each in durations:
        made.add(each)
    return made


def test_no_durations_have_no_percentile() -> None:
    assert Histogram().percentile(0.5) is None


@pytest.mark.parametrize("share", [0.5, 0.95, 1.0])
def test_a_percentile_is_exact_to_three_percent(share: float) -> None:
    numbers = random.Random(7)
    durations = sorted(numbers.lognormvariate(1.0, 2.0) for _ in range(5001))
    exact = durations[max(0, round(share * len(durations) + 0.49) - 1)]
    assert histogram(*durations).percentile(share) == pytest.approx(exact, rel=0.03)


def test_no_wait_is_zero_and_any_duration_is_counted() -> None:
    assert histogram(0.0, 0.0, 5.0).percentile(0.5) == 0.0
    assert histogram(1e300).percentile(0.5) is not None


def test_merged_histograms_count_all_durations() -> None:
    merged = histogram(1.0).merge([histogram(1.0), histogram(100.0)])
    assert merged.total == 3
    assert merged.percentile(0.5) == pytest.approx(1.0, rel=0.03)
    assert merged.percentile(1.0) == pytest.approx(100.0, rel=0.03)
