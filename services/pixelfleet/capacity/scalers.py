"""The autoscaler of a run: the shipped one or that of a cluster, with the series that it reads."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

from pixelfleet.autoscaling.demand import beyond_tolerance, demand_ratio
from pixelfleet.autoscaling.manifests import UnknownManifestError, autoscaler_of, scaled_object_of
from pixelfleet.autoscaling.replicas import Pods
from pixelfleet.capacity.scenario import MAX_STREAMS


class Series(StrEnum):
    """A series that an autoscaler of streams can read."""

    WANTED = "pixelfleet_streams_wanted"
    BEYOND = "pixelfleet_streams_wanted_beyond_tolerance"
    RATIO = "player_stream_pool_ratio"

    @property
    def counts_warm(self) -> bool:
        """Whether warm slots are part of its value."""
        return self is not Series.RATIO

    def reading(self, players: int, draining: int, warm: int, pods: Pods) -> float:
        """Return the value of the series: `players` occupy ready slots or wait, `draining` ones are on removed pods."""
        if self is Series.RATIO:
            return demand_ratio(players, pods.ready)
        wanted = players + draining + warm
        return beyond_tolerance(wanted, pods.existing) if self is Series.BEYOND else wanted


class Loop(msgspec.Struct, frozen=True):
    """A periodic step of a controller."""

    seconds: float
    """Its period."""
    step: Callable[[float, Pods, float | None], int]
    """Returns the new `spec.replicas` from the time, the pods and the value of the series, or None without one."""


class Scaler(msgspec.Struct, frozen=True):
    """An autoscaler."""

    series: Series
    loops: tuple[Loop, ...]
    minimum: int
    maximum: int


def scaler_of(manifest: Mapping[str, Any], sync_seconds: float) -> Scaler:
    """Return the autoscaler of a HorizontalPodAutoscaler or a ScaledObject; raise ValueError for another object."""
    kind = manifest.get("kind")
    try:
        spec = manifest["spec"]
        if kind == "HorizontalPodAutoscaler":
            return _of_autoscaler(spec, sync_seconds)
        if kind == "ScaledObject":
            return _of_scaled_object(spec, sync_seconds)
    except UnknownManifestError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise UnknownManifestError(f"a field of the {kind} is missing or invalid: {error!r}") from None
    raise UnknownManifestError("is neither a HorizontalPodAutoscaler nor a ScaledObject")


def _of_autoscaler(spec: Mapping[str, Any], sync_seconds: float) -> Scaler:
    scaler = autoscaler_of(spec)
    if len(scaler.metrics) != 1:
        raise UnknownManifestError("has several metrics, and the simulation covers one")
    (metric,) = scaler.metrics
    known = {each.value: each for each in Series}
    if metric.name not in known:
        raise UnknownManifestError(f"follows {metric.name}, and the simulation has only {', '.join(known)}")
    _check_limits(scaler.minimum, scaler.maximum)
    loop = Loop(sync_seconds, lambda now, pods, value: scaler.reconcile(now, pods, [value]))
    return Scaler(known[metric.name], (loop,), scaler.minimum, scaler.maximum)


def _of_scaled_object(spec: Mapping[str, Any], sync_seconds: float) -> Scaler:
    scaled = scaled_object_of(spec)
    query = spec["triggers"][0]["metadata"].get("query", "")
    if Series.WANTED not in query:
        raise UnknownManifestError(f"has a query without {Series.WANTED}, which the simulation does not cover")
    if scaled.polling_seconds < 1:
        raise UnknownManifestError("has a pollingInterval below 1")
    series = Series.BEYOND if "clamp_min" in query else Series.WANTED
    _check_limits(scaled.minimum, scaled.autoscaler.maximum)
    poll = Loop(scaled.polling_seconds, lambda now, pods, value: scaled.poll(now, pods.wanted, value))
    sync = Loop(sync_seconds, scaled.reconcile)
    return Scaler(series, (poll, sync), scaled.minimum, scaled.autoscaler.maximum)


def _check_limits(minimum: int, maximum: int) -> None:
    if not 0 <= minimum <= maximum <= MAX_STREAMS or maximum < 1:
        raise UnknownManifestError(f"must have limits from 0 to {MAX_STREAMS}, the minimum first")


_BEHAVIOR: Final[Mapping[str, Any]] = {
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "policies": [
            {"type": "Percent", "value": 100, "periodSeconds": 60},
            {"type": "Pods", "value": 4, "periodSeconds": 60},
        ],
    },
    "scaleDown": {
        "stabilizationWindowSeconds": 600,
        "policies": [{"type": "Percent", "value": 25, "periodSeconds": 60}],
    },
}
"""The behavior of all shipped autoscalers."""

_EXACT: Final = {direction: {"tolerance": "0", **rules} for direction, rules in _BEHAVIOR.items()}

SHIPPED: Final = ("hpa", "hpa-ratio", "keda")


def shipped(name: str, minimum: int, maximum: int, *, exact: bool = True) -> dict[str, Any]:
    """Return the autoscaler of a component, as `AUTOSCALING` of `pixelfleet configure` names it.

    `exact` is false before Kubernetes 1.35, where `before-1-35` is added to all but `hpa-ratio`.
    """
    behavior = _EXACT if exact else _BEHAVIOR
    series = Series.WANTED if exact else Series.BEYOND
    if name == "keda":
        query = f'avg({Series.WANTED}{{app="default"}})'
        spec = {
            "minReplicaCount": minimum,
            "maxReplicaCount": maximum,
            "pollingInterval": 5,
            "cooldownPeriod": 600,
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": behavior}},
            "triggers": [
                {
                    "type": "prometheus",
                    "metricType": "AverageValue",
                    "metadata": {
                        "query": query if exact else f"clamp_min({query}, …)",
                        "threshold": "1",
                        "activationThreshold": "0",
                    },
                }
            ],
        }
        return {"kind": "ScaledObject", "spec": spec}
    if name == "hpa-ratio":
        behavior, series = _BEHAVIOR, Series.RATIO
        target = {"type": "Value", "value": "900m"}
    else:
        target = {"type": "AverageValue", "averageValue": "1"}
    metric = {"type": "Object", "object": {"metric": {"name": series.value}, "target": target}}
    spec = {"minReplicas": minimum, "maxReplicas": maximum, "metrics": [metric], "behavior": behavior}
    return {"kind": "HorizontalPodAutoscaler", "spec": spec}
