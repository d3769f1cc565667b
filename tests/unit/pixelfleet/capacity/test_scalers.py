"""Autoscalers of a run, from the shipped components and from objects of a cluster."""

from typing import Any

import pytest

from pixelfleet.autoscaling.manifests import UnknownManifestError
from pixelfleet.autoscaling.replicas import Pods
from pixelfleet.capacity.scalers import SHIPPED, Series, scaler_of, shipped

PODS = Pods(wanted=10, existing=10, ready=4)


@pytest.mark.parametrize(("series", "value"), [(Series.WANTED, 13), (Series.BEYOND, 13), (Series.RATIO, 8 / 4)])
def test_the_demand_counts_draining_players_and_the_ratio_does_not(series: Series, value: float) -> None:
    assert series.reading(players=8, draining=3, warm=2, pods=PODS) == value


def test_before_1_35_a_growing_demand_is_raised() -> None:
    assert Series.BEYOND.reading(players=101, draining=0, warm=0, pods=Pods(100, 100, 100)) == 111


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_autoscaler_has_the_limits_of_its_options(name: str) -> None:
    scaler = scaler_of(shipped(name, 2, 9), 15)
    assert (scaler.minimum, scaler.maximum) == (2, 9)
    assert [loop.seconds for loop in scaler.loops] == ([5, 15] if name == "keda" else [15])


def changed(name: str, **fields: Any) -> dict[str, Any]:
    found = shipped(name, 1, 9)
    return {**found, "spec": {**found["spec"], **fields}}


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ({"kind": "Deployment", "spec": {}}, "neither"),
        ({}, "missing or invalid"),
        ({"kind": "HorizontalPodAutoscaler", "spec": {}}, "maxReplicas"),
        ({"kind": "HorizontalPodAutoscaler", "spec": []}, "missing or invalid"),
        ({"kind": "ScaledObject", "spec": {"triggers": []}}, "missing or invalid"),
        (changed("hpa", metrics=[]), "several metrics"),
        (changed("hpa", metrics=[{"type": "Resource"}]), "Resource"),
        (changed("hpa", maxReplicas="many"), "missing or invalid"),
        (changed("hpa", maxReplicas=10**6), "limits from 0"),
        (changed("keda", minReplicaCount=10), "limits from 0"),
        (changed("keda", pollingInterval=0), "pollingInterval"),
        (changed("keda", triggers=[{"metadata": {"query": "up", "threshold": "1"}}]), "a query without"),
    ],
)
def test_other_objects_are_refused_with_what_is_wrong(manifest: dict[str, Any], message: str) -> None:
    with pytest.raises(UnknownManifestError, match=message):
        scaler_of(manifest, 15)


def test_another_metric_is_refused() -> None:
    target = {"type": "Value", "value": "1"}
    metric = {"type": "Object", "object": {"metric": {"name": "cpu"}, "target": target}}
    with pytest.raises(UnknownManifestError, match="follows cpu"):
        scaler_of(changed("hpa", metrics=[metric]), 15)
