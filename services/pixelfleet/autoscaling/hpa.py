"""A HorizontalPodAutoscaler, reconciled as Kubernetes' controller does it, every 15 s by default."""

from collections.abc import Sequence
from typing import Final

import msgspec

from pixelfleet.autoscaling.behavior import Behavior
from pixelfleet.autoscaling.replicas import Pods, Target, Tolerance, proposal, proposals

SYNC_SECONDS: Final = 15.0
"""The controller's default period."""


class Metric(msgspec.Struct, frozen=True):
    """An object metric or an external metric with its target."""

    name: str
    kind: Target
    target: float


class Autoscaler:
    """One HorizontalPodAutoscaler."""

    def __init__(
        self,
        minimum: int,
        maximum: int,
        metrics: Sequence[Metric],
        behavior: Behavior | None = None,
        tolerance: Tolerance | None = None,
    ) -> None:
        self.minimum, self.maximum = minimum, maximum
        self.metrics = tuple(metrics)
        self.behavior = behavior or Behavior()
        self.tolerance = tolerance or Tolerance()

    def reconcile(self, now: float, pods: Pods, values: Sequence[float | None]) -> int:
        """Return the new `spec.replicas`. `values` are those of the metrics; None is a metric without a value."""
        current = pods.wanted
        if current == 0 and self.minimum > 0:
            return 0  # scaled to zero by hand or by KEDA: the controller is off
        if not self.minimum <= current <= self.maximum:
            return min(max(current, self.minimum), self.maximum)  # at once, without the policies
        proposed = self.proposed(pods, values)
        if proposed is None:
            return current
        desired = self.behavior.apply(now, current, proposed, self.minimum, self.maximum)
        if desired != current:
            self.behavior.changed(now, current, desired)
        return desired

    def proposed(self, pods: Pods, values: Sequence[float | None]) -> int | None:
        """Return the largest proposal of the metrics without limits; None to leave the replicas as they are."""
        found = [
            None if value is None else proposal(metric.kind, value, metric.target, pods, self.tolerance)
            for metric, value in zip(self.metrics, values, strict=True)
        ]
        return proposals(found, pods.wanted)
