"""The series that autoscalers of streams read; tests/telemetry evaluates the queries."""

import pytest

from pixelfleet.autoscaling.demand import beyond_tolerance, demand_ratio


@pytest.mark.parametrize(("players", "slots", "ratio"), [(3, 4, 0.75), (0, 4, 0), (0, 0, 0), (2, 0, 3)])
def test_the_ratio_is_players_for_each_slot(players: int, slots: float, ratio: float) -> None:
    assert demand_ratio(players, slots) == ratio


@pytest.mark.parametrize(("wanted", "pods", "value"), [(5, 5, 5), (4, 5, 4), (101, 100, 111), (150, 100, 150)])
def test_only_a_growing_demand_is_raised(wanted: float, pods: int, value: float) -> None:
    assert beyond_tolerance(wanted, pods) == value
