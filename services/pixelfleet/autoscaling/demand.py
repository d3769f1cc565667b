"""The values of the series that autoscalers of streams read."""

import math

from pixelfleet.autoscaling.replicas import DEFAULT_TOLERANCE


def demand_ratio(players: int, slots: float) -> float:
    """Return players per slot. Without slots, return `players + 1`, or 0 without players."""
    if slots:
        return players / slots
    return players + 1 if players else 0


def beyond_tolerance(wanted: float, pods: int) -> float:
    """Return the demand for autoscalers before Kubernetes 1.35, as the component `before-1-35` queries it.

    A demand above the present number of pods is raised beyond the controller's tolerance.
    """
    return max(wanted, math.floor((1 + DEFAULT_TOLERANCE) * pods) + 1) if wanted > pods else wanted
