"""The controller's arithmetic, on cases that were observed on Kubernetes 1.36 or follow from its source."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.autoscaling.behavior import Behavior, Policy, Rules, Select, Unit
from pixelfleet.autoscaling.hpa import Autoscaler, Metric
from pixelfleet.autoscaling.keda import ScaledObject
from pixelfleet.autoscaling.replicas import Pods, Target, Tolerance, proposal, proposals

AT_ONCE = Rules((Policy(Unit.PERCENT, 100_000, 15),))
EXACT = Tolerance(0, 0)
SIZES = (1, 10, 20, 100, 1000)


def steady(pods: int, ready: int | None = None) -> Pods:
    return Pods(pods, pods, pods if ready is None else ready)


def by_average(
    minimum: int = 1, maximum: int = 2000, *, tolerance: Tolerance | None = None, behavior: Behavior | None = None
) -> Autoscaler:
    metrics = [Metric("wanted", Target.AVERAGE, 1)]
    return Autoscaler(minimum, maximum, metrics, behavior or Behavior(AT_ONCE, AT_ONCE), tolerance)


def test_an_average_within_a_tenth_scales_nothing() -> None:
    assert by_average().reconcile(0, steady(20), [22]) == 20  # 1.1 is within the tolerance
    assert by_average().reconcile(0, steady(20), [23]) == 23
    assert by_average().reconcile(0, steady(100), [109]) == 100
    assert by_average().reconcile(0, steady(20), [18]) == 20


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("more", [-1, 0, 1, 2])
def test_without_tolerance_an_average_is_followed_exactly(size: int, more: int) -> None:
    wanted = max(1, size + more)
    assert by_average(tolerance=EXACT).reconcile(0, steady(size), [wanted]) == wanted


def test_a_value_multiplies_the_ready_pods() -> None:
    ratio = Autoscaler(1, 100, [Metric("ratio", Target.VALUE, 0.9)], Behavior(AT_ONCE, AT_ONCE))
    assert ratio.proposed(steady(4, ready=1), [9]) == 10
    assert ratio.proposed(steady(4), [9]) == 40
    assert ratio.reconcile(0, steady(5, ready=0), [10]) == 1  # all pods are starting: it shrinks to the minimum


@given(st.integers(1, 2000), st.integers(0, 2000), st.integers(0, 3000))
def test_an_average_ignores_how_many_pods_are_ready(existing: int, ready: int, value: int) -> None:
    pods = [Pods(existing, existing, count) for count in (min(ready, existing), existing)]
    first, second = (proposal(Target.AVERAGE, value, 1, each, Tolerance()) for each in pods)
    assert first == second


def test_a_missing_metric_blocks_scaling_down_only() -> None:
    assert proposals([None], 5) is None
    assert proposals([None, 3], 5) is None
    assert proposals([None, 7], 5) == 7
    assert proposals([3, 4], 5) == 4


def test_zero_replicas_switch_the_controller_off() -> None:
    assert by_average().reconcile(0, Pods(0, 0, 0), [5]) == 0


@pytest.mark.parametrize(("current", "expected"), [(1, 3), (50, 10)])
def test_limits_apply_at_once_and_without_policies(current: int, expected: int) -> None:
    slow = Behavior(Rules((Policy(Unit.PODS, 1, 600),)), Rules((Policy(Unit.PODS, 1, 600),)))
    scaler = by_average(3, 10, behavior=slow)
    assert scaler.reconcile(0, steady(current), [None]) == expected


def test_the_larger_policy_limits_growth_in_its_period() -> None:
    up = Rules((Policy(Unit.PERCENT, 100, 60), Policy(Unit.PODS, 4, 60)))
    scaler = by_average(tolerance=EXACT, behavior=Behavior(up, AT_ONCE))
    assert scaler.reconcile(0, steady(1), [100]) == 5
    assert scaler.reconcile(15, steady(5), [100]) == 5
    assert scaler.reconcile(61, steady(5), [100]) == 10
    assert scaler.reconcile(122, steady(10), [100]) == 20


def test_the_smaller_policy_can_be_selected_and_a_direction_disabled() -> None:
    policies = (Policy(Unit.PERCENT, 100, 60), Policy(Unit.PODS, 4, 60))
    slow = by_average(behavior=Behavior(Rules(policies, select=Select.MIN), AT_ONCE))
    assert slow.reconcile(0, steady(20), [100]) == 24
    never = by_average(behavior=Behavior(AT_ONCE, Rules(policies, select=Select.DISABLED)))
    assert never.reconcile(0, steady(20), [1]) == 20


def test_scaling_down_waits_for_the_highest_proposal_of_its_window() -> None:
    scaler = by_average(tolerance=EXACT, behavior=Behavior(AT_ONCE, Rules(AT_ONCE.policies, window_seconds=600)))
    assert scaler.reconcile(0, steady(10), [10]) == 10
    assert scaler.reconcile(300, steady(10), [4]) == 10
    assert scaler.reconcile(599, steady(10), [2]) == 10
    assert scaler.reconcile(601, steady(10), [2]) == 4
    assert scaler.reconcile(901, steady(4), [2]) == 2


def test_a_new_autoscaler_does_not_scale_down_within_its_window() -> None:
    scaler = by_average(tolerance=EXACT, behavior=Behavior(AT_ONCE, Rules(AT_ONCE.policies, window_seconds=600)))
    assert scaler.reconcile(0, steady(10), [2]) == 10
    assert scaler.reconcile(599, steady(10), [2]) == 10
    assert scaler.reconcile(600, steady(10), [2]) == 2


def test_a_quarter_a_minute_is_removed_at_most() -> None:
    scaler = by_average(tolerance=EXACT, behavior=Behavior(AT_ONCE, Rules((Policy(Unit.PERCENT, 25, 60),))))
    assert scaler.reconcile(0, steady(8), [0]) == 6
    assert scaler.reconcile(30, steady(6), [0]) == 6
    assert scaler.reconcile(61, steady(6), [0]) == 4


@given(st.lists(st.tuples(st.integers(1, 120), st.integers(0, 300)), min_size=1, max_size=30))
def test_no_sequence_leaves_the_limits_or_exceeds_the_policies(steps: list[tuple[int, int]]) -> None:
    behavior = Behavior(
        Rules((Policy(Unit.PERCENT, 100, 60), Policy(Unit.PODS, 4, 60))),
        Rules((Policy(Unit.PERCENT, 25, 60),), window_seconds=600),
    )
    scaler = by_average(1, 200, behavior=behavior)
    now, replicas, history = 0.0, 1, [(0.0, 1)]
    for seconds, value in steps:
        now += seconds
        replicas = scaler.reconcile(now, steady(replicas), [value])
        history.append((now, replicas))
        assert 1 <= replicas <= 200
        earlier = [count for at, count in history if at > now - 60]
        assert replicas <= max(2 * min(earlier), min(earlier) + 4)


def test_keda_activates_between_zero_and_one_and_cools_down() -> None:
    scaled = ScaledObject(0, by_average(), cooldown_seconds=600)
    assert scaled.poll(0, 0, 0) == 0
    assert scaled.poll(5, 0, 3) == 1
    assert scaled.reconcile(15, Pods(1, 1, 0), 3) == 3
    assert scaled.poll(20, 3, None) == 3
    assert scaled.poll(600, 1, 0) == 1
    assert scaled.poll(606, 1, 0) == 0
    assert ScaledObject(1, by_average()).poll(9999, 1, 0) == 1
