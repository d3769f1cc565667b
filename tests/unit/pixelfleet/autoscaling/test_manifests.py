import pytest

from pixelfleet.autoscaling.behavior import Policy, Unit
from pixelfleet.autoscaling.manifests import UnknownManifestError, autoscaler_of, quantity, scaled_object_of
from pixelfleet.autoscaling.replicas import Pods, Target, Tolerance

OBJECT = {
    "type": "Object",
    "object": {"metric": {"name": "wanted"}, "target": {"type": "AverageValue", "averageValue": "900m"}},
}


@pytest.mark.parametrize(("text", "number"), [("900m", 0.9), ("1", 1), (2, 2), ("1.5", 1.5), ("2k", 2000)])
def test_quantities(text: object, number: float) -> None:
    assert quantity(text) == pytest.approx(number)


def test_an_autoscaler_is_read_with_kubernetes_defaults() -> None:
    scaler = autoscaler_of({"maxReplicas": 10, "metrics": [OBJECT]})
    assert (scaler.minimum, scaler.maximum) == (1, 10)
    assert scaler.metrics[0].kind is Target.AVERAGE
    assert scaler.metrics[0].target == pytest.approx(0.9)
    assert scaler.tolerance == Tolerance(0.1, 0.1)
    assert scaler.behavior.down.window_seconds == 300


def test_behavior_and_tolerance_are_read() -> None:
    up = {"tolerance": "0", "policies": [{"type": "Pods", "value": 4, "periodSeconds": 60}]}
    scaler = autoscaler_of({"maxReplicas": 10, "metrics": [OBJECT], "behavior": {"scaleUp": up}})
    assert scaler.tolerance == Tolerance(0, 0.1)
    assert scaler.behavior.up.policies == (Policy(Unit.PODS, 4, 60),)


def test_a_resource_metric_is_not_covered() -> None:
    with pytest.raises(UnknownManifestError, match="Resource"):
        autoscaler_of({"maxReplicas": 10, "metrics": [{"type": "Resource"}]})


def test_a_scaled_object_is_read() -> None:
    trigger = {"type": "prometheus", "metadata": {"threshold": "1", "activationThreshold": "0"}}
    scaled = scaled_object_of({"minReplicaCount": 0, "maxReplicaCount": 5, "pollingInterval": 5, "triggers": [trigger]})
    assert (scaled.minimum, scaled.autoscaler.minimum, scaled.autoscaler.maximum) == (0, 1, 5)
    assert scaled.polling_seconds == 5
    assert scaled.autoscaler.reconcile(0, Pods(1, 1, 0), [9]) == 5
