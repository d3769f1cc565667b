"""From settings to runs."""

from typing import Any

import pytest

from pixelfleet.capacity.arrivals import rates
from pixelfleet.capacity.scalers import shipped
from pixelfleet.service.errors import UsageError
from pixelfleet_cli.simulate.plan import Plan, plan_of
from tests.unit.pixelfleet_cli.simulate.runs import settings


def plan(manifest: Any = None, **chosen: Any) -> Plan:
    return plan_of(settings(**chosen), rates([60]), manifest)


@pytest.mark.parametrize(
    ("chosen", "varied", "numbers"),
    [
        ({}, "warm", (0, 100)),
        ({"streams_max": 7}, "warm", (0, 7)),
        ({"warm": 3}, "warm", (3,)),
        ({"autoscaler": "keda", "streams_min": 0}, "warm", (0, 100)),
        ({"autoscaler": "none", "nodes_max": 3, "gpus_per_node": 4, "streams_per_gpu": 2}, "streams", (1, 24)),
        ({"autoscaler": "none", "streams": 9}, "streams", (9,)),
        ({"autoscaler": "hpa-ratio"}, "", (0,)),
    ],
)
def test_the_number_that_decides_is_looked_for_unless_it_is_given(
    chosen: dict[str, Any], varied: str, numbers: tuple[int, ...]
) -> None:
    found = plan(**chosen)
    assert (found.varied, found.numbers, found.searches) == (varied, numbers, len(numbers) > 1)


def test_a_run_begins_with_its_minimum_or_its_warm_slots() -> None:
    found = plan(streams_min=2, streams_max=5)
    assert [found.scenario(warm).replicas for warm in (0, 3, 9)] == [2, 3, 5]
    assert [found.scenario(warm).warm for warm in (0, 3)] == [0, 3]
    assert plan(autoscaler="none").scenario(8).replicas == 8


def test_the_autoscaler_of_a_file_has_its_own_limits() -> None:
    found = plan(shipped("keda", 0, 12), streams_max=3)
    assert found.numbers == (0, 12)


@pytest.mark.parametrize("version", ["1.34", "1.29"])
def test_the_version_decides_about_the_tolerance(version: str) -> None:
    older, newer = plan(kubernetes=version).manifest, plan(kubernetes="1.35").manifest
    assert older != newer


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"streams_min": 5, "streams_max": 4}, "--streams-max: must be at least --streams-min"),
        ({"streams_min": 0}, "keda scales to zero"),
        ({"nodes_min": 5, "nodes_max": 4}, "--nodes-max: must be at least --nodes-min"),
        ({"autoscaler": "none", "warm": 1}, "--warm: has no effect with --autoscaler none"),
        ({"autoscaler": "hpa-ratio", "warm": 1}, "--warm: has no effect on the ratio"),
        ({"streams": 4}, "--streams: has an effect with --autoscaler none only"),
        ({"days": 92, "scrape_seconds": 1, "sync_seconds": 1}, "--days 92: .* use fewer days"),
    ],
)
def test_contradictions_are_refused_with_a_remedy(chosen: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        plan(**chosen)
