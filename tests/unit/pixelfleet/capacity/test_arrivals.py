"""Arrivals from rates and traces."""

import itertools

import pytest

from pixelfleet.capacity.arrivals import MAX_PLAYERS, TooManyPlayersError, players, rates, trace
from pixelfleet.capacity.durations import Exponential, Fixed

DAY = 86_400.0
NEVER = Fixed(float("inf"))


@pytest.mark.parametrize("hours", [1, 24, 168])
def test_rates_are_by_hour_and_repeat(hours: int) -> None:
    source = rates([100.0 * (hour % 3 == 0) for hour in range(hours)])
    found = players(source, 14 * DAY, Fixed(60), NEVER, 1)
    assert list(found.arrivals) == sorted(found.arrivals)
    assert len(found) == pytest.approx(source.expected(14 * DAY), rel=0.02)
    if hours > 1:
        assert {int(at // 3600) % hours % 3 for at in found.arrivals} == {0}


def test_the_gaps_of_constant_rates_are_those_of_a_poisson_process() -> None:
    found = players(rates([3600.0]), DAY, Fixed(60), NEVER, 1).arrivals
    gaps = [later - earlier for earlier, later in itertools.pairwise(found)]
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    assert mean == pytest.approx(1, rel=0.02)
    assert variance == pytest.approx(1, rel=0.04)


def test_the_last_hour_may_be_a_part() -> None:
    found = players(rates([3600.0]), 5400, Fixed(60), NEVER, 1)
    assert len(found) == pytest.approx(5400, rel=0.05)
    assert found.arrivals[-1] < 5400


def test_a_seed_makes_the_same_players_whatever_their_patience() -> None:
    one, two = (players(rates([60.0]), DAY, Exponential(60), each, 7) for each in (NEVER, Exponential(9)))
    other = players(rates([60.0]), DAY, Exponential(60), NEVER, 8)
    assert (one.arrivals, one.lengths) == (two.arrivals, two.lengths)
    assert one.arrivals != other.arrivals


def test_a_trace_begins_with_its_first_arrival_and_keeps_its_lengths() -> None:
    source = trace([(1010.0, 30.0), (1000.0, None), (5000.0, 30.0)])
    found = players(source, 100, Fixed(60), NEVER, 1)
    assert (list(found.arrivals), list(found.lengths)) == ([0, 10], [60, 30])
    assert source.expected(100) == 2


@pytest.mark.parametrize("numbers", [[], [1.0] * 23, [-1.0], [float("nan")], [float("inf")], [0.0] * 24])
def test_invalid_rates_are_refused(numbers: list[float]) -> None:
    with pytest.raises(ValueError, match="must"):
        rates(numbers)


@pytest.mark.parametrize("entries", [[], [(float("nan"), None)], [(0.0, -1.0)], [(float("inf"), 1.0)]])
def test_invalid_traces_are_refused(entries: list[tuple[float, float | None]]) -> None:
    with pytest.raises(ValueError, match=r"has|must"):
        trace(entries)


def test_the_number_of_players_is_limited_before_they_are_drawn() -> None:
    with pytest.raises(TooManyPlayersError, match="would have"):
        players(rates([MAX_PLAYERS / 2]), DAY, Fixed(60), NEVER, 1)
