"""A ScaledObject of KEDA 2: it scales between zero and one itself, and above by a HorizontalPodAutoscaler."""

from pixelfleet.autoscaling.hpa import Autoscaler
from pixelfleet.autoscaling.replicas import Pods


class ScaledObject:
    """One ScaledObject with one trigger."""

    def __init__(
        self,
        minimum: int,
        autoscaler: Autoscaler,
        *,
        activation: float = 0,
        polling_seconds: float = 30,
        cooldown_seconds: float = 300,
    ) -> None:
        """`autoscaler` is the object that KEDA creates, whose minimum is at least 1."""
        self.minimum = minimum
        self.autoscaler = autoscaler
        self.activation = activation
        self.polling_seconds = polling_seconds
        self.cooldown_seconds = cooldown_seconds
        self._active_at: float | None = None

    def poll(self, now: float, wanted: int, value: float | None) -> int:
        """Return `spec.replicas` after a poll of the trigger; None is a failed poll, which changes nothing."""
        if value is None:
            return wanted
        if value > self.activation:
            self._active_at = now
            return wanted or max(1, self.minimum)
        cooled = self._active_at is None or now - self._active_at > self.cooldown_seconds
        return 0 if self.minimum == 0 and cooled else wanted

    def reconcile(self, now: float, pods: Pods, value: float | None) -> int:
        """Return `spec.replicas` after a sync of the HorizontalPodAutoscaler."""
        return self.autoscaler.reconcile(now, pods, [value])
