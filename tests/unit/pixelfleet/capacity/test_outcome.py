"""Figures of an outcome."""

import pytest

from pixelfleet.capacity.durations import Exponential, Fixed
from pixelfleet.capacity.outcome import BUCKETS, Timeline
from tests.unit.pixelfleet.capacity.runs import at, run, steady


def test_players_that_give_up_are_late_and_their_waits_count() -> None:
    found = steady(3600, 100, Fixed(1000), Fixed(20))
    outcome = run(found, 200, replicas=10)
    assert (outcome.served(), outcome.waiting()) == (10, 0)
    assert outcome.in_time(10) == outcome.in_time(30) == pytest.approx(10 / len(found))
    assert outcome.percentiles([0, 0.5, 0.95]) == pytest.approx([0, 20, 20])


def test_players_that_wait_at_the_end_are_late_after_the_target() -> None:
    outcome = run(at(0, 1, 95), 100, replicas=1)
    assert outcome.waiting() == 2
    assert outcome.in_time(10) == 1 / 2
    assert outcome.in_time(3) == 1 / 3
    assert outcome.in_time(10, first=2) == 1
    assert outcome.percentiles([0.99], first=2) == [5]


def test_hours_are_those_of_nodes_pods_and_players() -> None:
    outcome = run(at(0, 1800, length=1800), 3600, replicas=2)
    assert (outcome.node_gpu_hours, outcome.stream_gpu_hours, outcome.busy_gpu_hours) == (2, 2, 1)


def test_no_players_are_all_in_time() -> None:
    outcome = run(at(0), 10, replicas=1)
    assert outcome.in_time(10, first=1) == 1
    assert outcome.percentiles([0.5], first=1) == [0]


def test_a_timeline_has_the_means_of_its_parts() -> None:
    found = Timeline.of(100, 25)
    for now, waiting in ((1, 2), (2, 4), (60, 8), (100, 1)):
        found.sample(now, 1, 1, 1, waiting)
    assert found.means(found.waiting) == [3, 3, 8, 1]
    assert found.most_waiting == [4, 0, 8, 1]


def test_a_timeline_is_limited() -> None:
    outcome = run(steady(60, 86_400, Exponential(60)), 86_400, replicas=9)
    assert len(outcome.timeline.count) == BUCKETS
    assert sum(outcome.timeline.count) == pytest.approx(86_400 / 15, abs=2)
