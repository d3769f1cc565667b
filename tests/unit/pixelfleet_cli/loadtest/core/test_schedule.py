from random import Random

import pytest

from pixelfleet.capacity.arrivals import trace
from pixelfleet.capacity.durations import Fixed
from pixelfleet_cli.loadtest.core.schedule import Arrival, Drops, Ramp, schedule, source_of


def test_arrivals_keep_the_rate() -> None:
    found = list(source_of(20, 0).arrivals(1000, Random(1)))
    assert len(found) == pytest.approx(20_000, rel=0.03)
    assert found == sorted(found)


def test_a_ramp_rises_evenly_to_the_rate() -> None:
    ramp = Ramp(20, 500)
    times = [at for at, _ in ramp.arrivals(1000, Random(1))]
    assert len(times) == pytest.approx(ramp.expected(1000), rel=0.03)
    assert sum(at < 250 for at in times) == pytest.approx(1250, rel=0.1)
    assert sum(250 <= at < 500 for at in times) == pytest.approx(3750, rel=0.1)
    assert sum(at >= 500 for at in times) == pytest.approx(10_000, rel=0.05)
    assert times == sorted(times)


def test_a_test_shorter_than_its_ramp_does_not_reach_the_rate() -> None:
    assert Ramp(10, 100).expected(50) == pytest.approx(125)


def arrivals(**changes: object) -> list[Arrival]:
    values: dict[str, object] = {"seconds": 60, "most": 1000, "hold": Fixed(5), "patience": Fixed(9), "seed": 1}
    return list(schedule(source_of(2, 0), **{**values, **changes}))  # type: ignore[arg-type]  # mixed values


def test_the_same_seed_gives_the_same_players() -> None:
    assert arrivals() == arrivals()
    assert arrivals() != arrivals(seed=2)


def test_the_number_of_players_is_bounded() -> None:
    assert len(arrivals(most=7)) == 7


def test_a_session_length_of_the_trace_takes_precedence() -> None:
    source = trace([(10.0, 3.0), (11.0, None)])
    found = list(schedule(source, seconds=60, most=9, hold=Fixed(5), patience=Fixed(9), seed=1))
    assert found == [Arrival(0.0, 3.0, 9.0), Arrival(1.0, 5.0, 9.0)]


def test_drops_have_the_wanted_mean() -> None:
    drops = Drops(6, seed=1)
    assert sum(drops.next() for _ in range(5000)) / 5000 == pytest.approx(10, rel=0.05)


def test_without_drops_the_next_one_never_comes() -> None:
    assert Drops(0, seed=1).next() == float("inf")
