"""Reads autoscalers from Kubernetes objects: HorizontalPodAutoscaler (`autoscaling/v2`) and KEDA's ScaledObject."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from pixelfleet.autoscaling.behavior import DOWN, UP, Behavior, Policy, Rules, Select, Unit
from pixelfleet.autoscaling.hpa import Autoscaler, Metric
from pixelfleet.autoscaling.keda import ScaledObject
from pixelfleet.autoscaling.replicas import DEFAULT_TOLERANCE, Target, Tolerance

SUFFIXES: Final = {"m": Decimal("0.001"), "k": Decimal(1000), "M": Decimal(10**6)}


class UnknownManifestError(ValueError):
    """The object has a metric that the arithmetic does not cover."""


def quantity(text: object) -> float:
    """Return a Kubernetes quantity such as `900m` or `1.5` as a number; raise ValueError for any other text."""
    word = str(text)
    unit = SUFFIXES.get(word[-1:], Decimal(1))
    return float(Decimal(word[:-1] if word[-1:] in SUFFIXES else word) * unit)


def autoscaler_of(spec: Mapping[str, Any]) -> Autoscaler:
    """Return the autoscaler of a HorizontalPodAutoscaler's `spec`; raise UnknownManifestError."""
    behavior = spec.get("behavior", {})
    return Autoscaler(
        int(spec.get("minReplicas", 1)),
        int(spec["maxReplicas"]),
        [_metric(each) for each in spec["metrics"]],
        _behavior(behavior),
        _tolerance(behavior),
    )


def scaled_object_of(spec: Mapping[str, Any]) -> ScaledObject:
    """Return the autoscaler of a ScaledObject's `spec` with one trigger; raise UnknownManifestError."""
    (trigger,) = spec["triggers"]
    metadata = trigger["metadata"]
    behavior = spec.get("advanced", {}).get("horizontalPodAutoscalerConfig", {}).get("behavior", {})
    minimum = int(spec.get("minReplicaCount", 0))
    metric = Metric("s0", Target(trigger.get("metricType", "AverageValue")), quantity(metadata["threshold"]))
    return ScaledObject(
        minimum,
        Autoscaler(
            max(1, minimum), int(spec.get("maxReplicaCount", 100)), [metric], _behavior(behavior), _tolerance(behavior)
        ),
        activation=quantity(metadata.get("activationThreshold", 0)),
        polling_seconds=float(spec.get("pollingInterval", 30)),
        cooldown_seconds=float(spec.get("cooldownPeriod", 300)),
    )


def _metric(found: Mapping[str, Any]) -> Metric:
    kind = str(found["type"])
    if kind not in ("Object", "External"):
        raise UnknownManifestError(f"metrics of the type {kind} are not covered")
    metric = found[kind.lower()]
    target = Target(metric["target"]["type"])
    return Metric(
        metric["metric"]["name"],
        target,
        quantity(metric["target"]["value" if target is Target.VALUE else "averageValue"]),
    )


def _behavior(found: Mapping[str, Any]) -> Behavior:
    return Behavior(_rules(found.get("scaleUp", {}), UP), _rules(found.get("scaleDown", {}), DOWN))


def _rules(found: Mapping[str, Any], default: Rules) -> Rules:
    policies = tuple(
        Policy(Unit(each["type"]), int(each["value"]), float(each["periodSeconds"]))
        for each in found.get("policies", [])
    )
    return Rules(
        policies or default.policies,
        float(found.get("stabilizationWindowSeconds", default.window_seconds)),
        Select(found.get("selectPolicy", "Max")),
    )


def _tolerance(behavior: Mapping[str, Any]) -> Tolerance:
    """Return the tolerances. Before Kubernetes 1.35 the API server drops the field, and the default applies."""
    up, down = (
        quantity(behavior.get(name, {}).get("tolerance", DEFAULT_TOLERANCE)) for name in ("scaleUp", "scaleDown")
    )
    return Tolerance(up, down)
