"""Replicas that the controller of the HorizontalPodAutoscaler proposes for one metric.

The rules are those of Kubernetes 1.29 to 1.37, `pkg/controller/podautoscaler/replica_calculator.go`. An autoscaler with
several metrics takes the largest proposal.
"""

import math
from enum import StrEnum
from typing import Final

import msgspec

DEFAULT_TOLERANCE: Final = 0.1
"""The controller's default: it leaves the replicas as they are while the ratio is within 10 % of 1, inclusive."""


class Tolerance(msgspec.Struct, frozen=True):
    """Deviations of the ratio from 1 at which the controller does not scale, inclusive."""

    up: float = DEFAULT_TOLERANCE
    down: float = DEFAULT_TOLERANCE

    def covers(self, ratio: float) -> bool:
        """Return whether the controller leaves the replicas as they are."""
        return 1 - self.down <= ratio <= 1 + self.up


class Pods(msgspec.Struct, frozen=True):
    """The pods of a workload."""

    wanted: int
    """`spec.replicas`."""
    existing: int
    """`status.replicas`: ready or not, without terminating ones."""
    ready: int
    """Running pods with the condition `Ready`. A draining pod is not ready."""


class Target(StrEnum):
    """The target of an object metric or an external metric."""

    VALUE = "Value"
    AVERAGE = "AverageValue"


def proposal(kind: Target, value: float, target: float, pods: Pods, tolerance: Tolerance) -> int:
    """Return the proposed replicas for the value of a metric.

    `Value` multiplies the ready pods by the ratio of value and target. `AverageValue` divides the value by the target,
    so that neither ready nor existing pods appear in the result.
    """
    if kind is Target.VALUE:
        return _by_ratio(value / target, pods, tolerance)
    return _by_average(value, target, pods, tolerance)


def _by_ratio(ratio: float, pods: Pods, tolerance: Tolerance) -> int:
    if pods.wanted == 0:
        return math.ceil(ratio)
    return pods.wanted if tolerance.covers(ratio) else math.ceil(ratio * pods.ready)


def _by_average(value: float, target: float, pods: Pods, tolerance: Tolerance) -> int:
    ratio = value / (target * pods.existing) if pods.existing else math.inf
    return pods.existing if tolerance.covers(ratio) else math.ceil(value / target)


def proposals(found: list[int | None], current: int) -> int | None:
    """Return the replicas for several metrics: the largest proposal, or None to leave them as they are.

    `None` is a metric without a value. It blocks scaling down, and scaling up when no metric has a value.
    """
    known = [each for each in found if each is not None]
    if not known or (len(known) < len(found) and max(known) < current):
        return None
    return max(known)
