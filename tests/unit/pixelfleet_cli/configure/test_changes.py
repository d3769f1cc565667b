"""The order of kubectl's commands; tests/manifests/test_changes.py has their effect on a cluster."""

import json
from typing import Any

import pytest

from pixelfleet_cli.configure.changes import apply, delete

SCALERS = ("horizontalpodautoscalers.autoscaling", "scaledobjects.keda.sh")
HPA = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "stream"}}
OLD = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "old"}}


def stream(replicas: int) -> dict[str, Any]:
    metadata = {"name": "stream", "annotations": {}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"replicas": replicas}}


class Kubectl:
    """A kubectl that answers with fixed objects, by the kinds that are requested."""

    def __init__(self, **found: Any) -> None:
        self.kinds = [*SCALERS, "deployments.apps", "secrets"]
        self.found = found
        self.changes: list[str] = []

    def __call__(self, *arguments: str, stdin: bytes = b"") -> str:
        if arguments[0] == "api-resources":
            return "\n".join(self.kinds)
        if arguments[0] == "get":
            names = {"deployments.apps": "streams", "pods": "pods", ",".join(SCALERS): "scalers"}
            return json.dumps({"items": self.found.get(names.get(arguments[1], "all"), [])})
        if "--dry-run=client" in arguments:
            return "deployment.apps/stream\nscaledobject.keda.sh/stream\n"
        self.changes.append(" ".join(each for each in arguments if not each.startswith("--n")))
        return ""


def test_another_autoscaler_goes_before_the_apply_and_everything_else_after_it() -> None:
    kubectl = Kubectl(streams=[stream(6)], scalers=[HPA], all=[stream(6), OLD])
    apply(kubectl, "pixel", "manifests", {"stream": 1})
    assert kubectl.changes == [
        "delete horizontalpodautoscaler.autoscaling/stream --ignore-not-found --wait=false",
        "apply --filename=-",
        "delete secret/old --ignore-not-found --wait=false",
    ]


@pytest.mark.parametrize(
    ("found", "scaled"),
    [
        ({}, True),
        ({"streams": [stream(6)]}, False),
        ({"streams": [stream(0)]}, False),
        ({"streams": [stream(0)], "scalers": [HPA]}, True),
        ({"streams": [stream(6)], "scalers": [HPA]}, False),
    ],
    ids=["new", "running", "stopped", "switched at zero", "switched"],
)
def test_only_a_new_deployment_and_one_that_a_switch_left_at_zero_are_scaled(
    found: dict[str, Any], scaled: bool
) -> None:
    kubectl = Kubectl(**found)
    apply(kubectl, "pixel", "manifests", {"stream": 2})
    assert ("scale deployment/stream --replicas=2" in kubectl.changes) is scaled


def test_a_secret_of_a_pod_stays(capsys: pytest.CaptureFixture[str]) -> None:
    used = {"spec": {"volumes": [{"name": "a", "secret": {"secretName": "old"}}]}}
    kubectl = Kubectl(streams=[stream(6)], all=[OLD], pods=[used])
    apply(kubectl, "pixel", "manifests", {"stream": 1})
    assert kubectl.changes == ["apply --filename=-"]
    assert "secret/old: still in use" in capsys.readouterr().err


def test_a_deletion_names_each_object_and_nothing_without_any() -> None:
    kubectl = Kubectl(all=[stream(6), OLD])
    delete(kubectl, "pixel")
    assert kubectl.changes == ["delete deployment.apps/stream secret/old --ignore-not-found --wait=false"]
    empty = Kubectl()
    assert delete(empty, "pixel") == ""
    assert empty.changes == []


def test_a_cluster_without_kinds_has_no_objects() -> None:
    kubectl = Kubectl()
    kubectl.kinds = []
    assert delete(kubectl, "pixel") == ""
