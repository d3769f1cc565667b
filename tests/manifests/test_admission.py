"""The admission policies of pod-marks and fresh-pod, evaluated on requests as an API server passes them to it."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from celpy import Environment
from celpy.adapter import json_to_cel
from celpy.celtypes import MapType, StringType
from celpy.evaluation import CELEvalError

from signalserver.pod_marks import marks_of
from tests.manifests.pods import of_kind, workloads
from tests.manifests.rendering import Object, rendered, require_kubectl

NAME = "stream-7d9f8-x2x4z"
SIDECAR = "system:serviceaccount:pixel:stream"
POD_NAME = "authentication.kubernetes.io/pod-name"

Request = dict[str, Any]


@pytest.fixture(autouse=True)
def _kubectl() -> None:
    require_kubectl()


def pod() -> Object:
    """Return a pod of the rendered Deployment, as the API server has stored it."""
    (stream,) = (each for each in workloads(rendered("overlay example")) if each.name == "stream")
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "stream-7d9f8", "controller": True}
    metadata = {"name": NAME, "namespace": "pixel", "ownerReferences": [owner], **deepcopy(stream.template["metadata"])}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": deepcopy(stream.spec), "status": {}}


def patched(change: Object) -> Object:
    """Return the pod after a JSON merge patch (RFC 7386)."""
    merged: Object = _merged(pod(), change)
    return merged


def _merged(target: Any, change: Any) -> Any:
    if not isinstance(change, dict):
        return change
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in change.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(merged.get(key), value)
    return merged


def request(after: Object, before: Object | None = None, **user: Any) -> Request:
    """Return the variables of an update of the pod by a sidecar."""
    info = {"username": SIDECAR, "groups": ["system:serviceaccounts"], "extra": {POD_NAME: [NAME]}, **user}
    asked = {"operation": "UPDATE", "namespace": "pixel", "name": after["metadata"]["name"], "userInfo": info}
    return {"request": asked, "object": after, "oldObject": before or pod()}


def deletion(name: str, **user: Any) -> Request:
    """Return the variables of a deletion of a pod by a sidecar."""
    variables = request(pod(), **user)
    variables["request"].update(operation="DELETE", name=name)
    return {**variables, "object": None}


def refusals(
    variables: Request, rendering: str = "overlay example", policy_name: str = "pod-marks"
) -> list[str] | None:
    """Return the messages of the validations that fail; None if the policy does not apply."""
    policies = of_kind(rendered(rendering), "ValidatingAdmissionPolicy")
    (spec,) = (each["spec"] for each in policies if f"pixelfleet-{policy_name}" in each["metadata"]["name"])
    known: dict[str, Any] = {name: json_to_cel(value) for name, value in variables.items()}
    if not all(_value(each["expression"], known) for each in spec["matchConditions"]):
        return None
    made = {each["name"]: _value(each["expression"], known) for each in spec.get("variables", ())}
    known["variables"] = MapType({StringType(name): made[name] for name in made})
    return [each["message"] for each in spec["validations"] if not _allows(each["expression"], known)]


def _allows(expression: str, known: dict[str, Any]) -> bool:
    try:
        return bool(_value(expression, known))
    except CELEvalError:
        return False  # failurePolicy: Fail


def _value(expression: str, known: dict[str, Any]) -> Any:
    environment = Environment()
    return environment.program(environment.compile(expression)).evaluate(known)


@pytest.mark.parametrize("busy", [True, False])
def test_a_sidecar_may_mark_its_own_pod(busy: bool) -> None:
    assert refusals(request(patched(marks_of(busy)))) == []
    other = patched(marks_of(not busy))
    assert refusals(request(_merged(other, marks_of(busy)), other)) == []


def test_the_first_mark_may_be_the_first_annotation() -> None:
    before = patched({"metadata": {"annotations": None}})
    assert refusals(request(_merged(before, marks_of(True)), before)) == []


def _image(changed: Object) -> None:
    changed["spec"]["initContainers"][0]["image"] = "registry.example.com/other:1"


def _tolerations(changed: Object) -> None:
    changed["spec"]["tolerations"].append({"operator": "Exists"})


CHANGES: dict[str, Callable[[Object], None]] = {
    "an image": _image,
    "a toleration": _tolerations,
    "a deadline": lambda changed: changed["spec"].update(activeDeadlineSeconds=1),
    "a label": lambda changed: changed["metadata"]["labels"].update({"app.kubernetes.io/name": "matchmaker"}),
    "a new label": lambda changed: changed["metadata"]["labels"].update(a="b"),
    "no labels": lambda changed: changed["metadata"].pop("labels"),
    "a finalizer": lambda changed: changed["metadata"].update(finalizers=["example.com/never"]),
    "no owner": lambda changed: changed["metadata"].pop("ownerReferences"),
    "another annotation": lambda changed: changed["metadata"]["annotations"].update({"prometheus.io/port": "1"}),
    "a new annotation": lambda changed: changed["metadata"]["annotations"].update(a="b"),
    "a removed annotation": lambda changed: changed["metadata"]["annotations"].pop("prometheus.io/path"),
    "no annotations": lambda changed: changed["metadata"].pop("annotations"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_sidecar_may_change_nothing_else(change: str) -> None:
    changed = patched(marks_of(True))
    CHANGES[change](changed)
    found = refusals(request(changed))
    assert found
    assert all("nothing of its pod" in each or "no annotation of its pod" in each for each in found)


def _others() -> Iterator[tuple[str, Request]]:
    marked = patched(marks_of(True))
    yield "another pod", request(marked, extra={POD_NAME: ["stream-7d9f8-aaaaa"]})
    yield "a token without a pod", request(marked, extra={"authentication.kubernetes.io/credential-id": ["JTI=1"]})
    without = request(marked)
    del without["request"]["userInfo"]["extra"]
    yield "no details of the token", without
    # A patch with an empty body changes nothing, and returns the whole pod.
    yield "reading another pod", request(pod(), extra={POD_NAME: ["stream-7d9f8-aaaaa"]})


@pytest.mark.parametrize(
    "case", ["another pod", "a token without a pod", "no details of the token", "reading another pod"]
)
def test_a_sidecar_may_patch_no_other_pod(case: str) -> None:
    assert refusals(dict(_others())[case]) == ["a sidecar may change only the pod that its token is bound to"]


@pytest.mark.parametrize("name", ["system:node:gpu-1", "system:serviceaccount:kube-system:replicaset-controller"])
def test_the_policy_does_not_apply_to_others(name: str) -> None:
    changed = pod()
    _image(changed)
    assert refusals(request(changed, username=name)) is None


def test_the_policy_lists_the_annotations_of_the_sidecar() -> None:
    (policy,) = of_kind(rendered("overlay example"), "ValidatingAdmissionPolicy")
    (marks,) = (each["expression"] for each in policy["spec"]["variables"] if each["name"] == "marks")
    assert set(map(str, _value(marks, {}))) == set(marks_of(True)["metadata"]["annotations"])


@pytest.mark.parametrize("name", ["overlay example", "overlay example-keda", "configure least", "configure most"])
def test_the_right_to_patch_comes_with_the_policy_of_its_namespace(name: str) -> None:
    found = rendered(name)
    (policy,), (binding,) = (
        of_kind(found, "ValidatingAdmissionPolicy"),
        of_kind(found, "ValidatingAdmissionPolicyBinding"),
    )
    (role,) = (each for each in of_kind(found, "Role") if each["metadata"]["name"] == "stream")
    namespace = role["metadata"]["namespace"]
    assert policy["metadata"]["name"] == binding["metadata"]["name"] == f"pixelfleet-pod-marks-{namespace}"
    assert binding["spec"]["policyName"] == policy["metadata"]["name"]
    assert binding["spec"]["validationActions"] == ["Deny"]
    selected = binding["spec"]["matchResources"]["namespaceSelector"]["matchLabels"]
    assert selected == {"kubernetes.io/metadata.name": namespace}
    assert policy["spec"]["failurePolicy"] == "Fail"


@pytest.mark.parametrize("name", ["overlay demo", "configure older", "component hpa-services"])
def test_without_the_policy_a_stream_has_neither_right_nor_token_nor_access_to_the_api(name: str) -> None:
    found = rendered(name)
    assert [each["metadata"]["name"] for each in of_kind(found, "Role")] == ["turn-api"]
    (stream,) = (each for each in workloads(found) if each.name == "stream")
    assert "volumes" not in stream.spec
    names = {variable["name"] for variable in stream.containers[0]["env"]}
    assert not [each for each in names if each.startswith("PIXELFLEET_SIGNALSERVER_POD_")]
    ports = {
        port["port"]
        for policy in of_kind(found, "NetworkPolicy")
        if policy["spec"]["podSelector"].get("matchLabels", {}).get("app.kubernetes.io/name") == "stream"
        for rule in policy["spec"].get("egress", [])
        for port in rule["ports"]
        if port["protocol"] == "TCP"
    }
    assert ports.isdisjoint({443, 6443})


OTHER = "stream-7d9f8-aaaaa"


@pytest.mark.parametrize(
    ("name", "user", "found"),
    [
        (NAME, {}, []),
        (OTHER, {}, ["a sidecar may delete only the pod that its token is bound to"]),
        (NAME, {"extra": {}}, ["a sidecar may delete only the pod that its token is bound to"]),
        (OTHER, {"username": "system:serviceaccount:kube-system:replicaset-controller"}, None),
    ],
    ids=["its own pod", "another pod", "a token without a pod", "a controller"],
)
def test_a_sidecar_may_delete_its_own_pod_only(name: str, user: dict[str, Any], found: list[str] | None) -> None:
    assert refusals(deletion(name, **user), "component fresh-pod", "pod-deletion") == found
