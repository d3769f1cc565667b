import json
import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from pixelfleet.service.version import VERSION
from pixelfleet_cli.configure.kubectl import usable_kubectl
from tests.manifests.environment import load, services, unknown_names
from tests.manifests.pods import title, workloads
from tests.manifests.policy import policy_problems
from tests.manifests.references import reference_problems
from tests.manifests.rendering import K8S, RENDERINGS, ROOT, Object, objects, rendered, require_kubectl
from tests.manifests.schema import NEWEST, OLDEST, schema_problem

OUTDATED = {
    "bases",
    "commonLabels",
    "commonAnnotations",
    "patchesStrategicMerge",
    "patchesJson6902",
    "vars",
    "imageTags",
}
"""Deprecated fields of kustomizations."""

EXACTLY_SCALED = ("overlay example", "component hpa-stream", "configure least", "configure several")
"""Renderings for Kubernetes 1.35 and newer: an older API server refuses the tolerance of their autoscaler."""

MARKED = (
    "overlay example",
    "overlay example-keda",
    "component fresh-pod",
    "component pod-marks",
    *(f"configure {name}" for name in ("least", "most", "several", "several keda")),
)
"""Renderings for Kubernetes 1.30 and newer: an older API server has no ValidatingAdmissionPolicy."""


@pytest.fixture(autouse=True)
def _kubectl() -> None:
    require_kubectl()


def test_kubectl_is_new_enough() -> None:
    assert usable_kubectl()


@pytest.mark.parametrize("name", RENDERINGS)
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_object_follows_its_schema(name: str, version: str) -> None:
    problems = {title(each): problem for each in rendered(name) if (problem := schema_problem(each, version))}
    if version == OLDEST and name in EXACTLY_SCALED:
        exact = [known for known in problems if known.startswith("HorizontalPodAutoscaler/stream")]
        assert exact
        assert all("'tolerance' was unexpected" in problems.pop(known) for known in exact)
    if version == OLDEST and name in MARKED:
        newer = {known for known in problems if known.startswith("ValidatingAdmissionPolicy")}
        assert len(newer) == (4 if name == "component fresh-pod" else 2)
        assert all(problems.pop(known).endswith("has no admissionregistration.k8s.io/v1") for known in newer)
    assert problems == {}


@pytest.mark.parametrize("name", RENDERINGS)
def test_references_between_objects_are_valid(name: str) -> None:
    assert reference_problems(rendered(name)) == []


@pytest.mark.parametrize("name", RENDERINGS)
def test_objects_follow_the_policy(name: str) -> None:
    assert policy_problems(rendered(name)) == []


@pytest.mark.parametrize("name", RENDERINGS)
def test_every_service_accepts_its_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = set()
    for command, container, environ in services(rendered(name)):
        found.add(command)
        assert unknown_names(command, environ) == set(), f"{command} has no such settings"
        settings = load(command, environ, monkeypatch)
        ports = {value for field, value in settings.model_dump().items() if field.endswith("port")}
        listened = {port["containerPort"] for port in container.get("ports", [])}
        assert listened <= ports, f"{command} does not listen on all of {listened}"
    assert found >= {"signalserver", "matchmaker", "router", "turn-api"}


@pytest.mark.parametrize("path", sorted(ROOT.glob("k8s/**/kustomization.yaml")), ids=lambda path: path.parent.name)
def test_kustomizations_have_current_fields_only(path: Path) -> None:
    assert OUTDATED.isdisjoint(yaml.safe_load(path.read_text()))


def test_the_support_objects_follow_their_schemas() -> None:
    found = [each for path in sorted(K8S.glob("support/*.yaml")) for each in objects(path.read_text())]
    assert found
    assert [problem for each in found if (problem := schema_problem(each, NEWEST))] == []


def test_the_images_have_the_projects_version() -> None:
    project = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert project
    images = {each["image"] for pod in workloads(rendered("overlay demo")) for each in pod.containers}
    ours = {image for image in images if image.startswith("pixelfleet")}
    assert ours
    assert {image.partition(":")[2] for image in ours} == {project[1]}
    assert project[1] == VERSION


def test_the_checked_in_demo_is_up_to_date() -> None:
    written = objects((K8S / "demo.yaml").read_text())
    assert written == list(rendered("overlay demo")), "run: make manifests ARGS=--write"


def test_the_demo_needs_no_gpu_and_no_unreal() -> None:
    text = json.dumps(rendered("overlay demo"))
    assert 'nvidia.com/gpu":' not in text
    assert '"image": "unreal' not in text
    (stream,) = (pod for pod in workloads(rendered("overlay demo")) if pod.name == "stream")
    assert "affinity" not in stream.spec


def test_with_redis_a_session_token_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {
        command: load(command, environ, monkeypatch) for command, _, environ in services(rendered("overlay example"))
    }
    assert settings["signalserver"].requires_session  # type: ignore[attr-defined]  # of this service's settings


Change = Callable[[Any], None]


def _spec(kind: str, name: str, change: Change) -> Callable[[list[Object]], None]:
    def apply(things: list[Object]) -> None:
        for each in things:
            if (each["kind"], each["metadata"]["name"].partition("-")[0]) == (kind, name):
                change(each.get("spec", each))

    return apply


def _pod(change: Change) -> Callable[[list[Object]], None]:
    return _spec("Deployment", "stream", lambda spec: change(spec["template"]["spec"]))


def _sidecar(change: Change) -> Callable[[list[Object]], None]:
    return _pod(lambda pod: change(pod["initContainers"][0]))


BREAKAGES: dict[str, Callable[[list[Object]], None]] = {
    "a selector without a match": _spec("Service", "router", lambda spec: spec["selector"].update(a="b")),
    "a port without a container": _spec("Service", "router", lambda spec: spec["ports"][0].update(targetPort="nope")),
    "a missing ConfigMap": _spec("ConfigMap", "router", lambda thing: thing["metadata"].update(name="other")),
    "a missing service account": _pod(lambda pod: pod.update(serviceAccountName="other")),
    "a wrong probe": _sidecar(lambda each: each["readinessProbe"]["httpGet"].update(path="/livez")),
    "a probe on no port": _sidecar(lambda each: each["livenessProbe"]["httpGet"].update(port="nope")),
    "root": _sidecar(lambda each: each["securityContext"].update(runAsUser=0)),
    "no limits": _sidecar(lambda each: each["resources"].pop("limits")),
    "a writable file system": _sidecar(lambda each: each["securityContext"].update(readOnlyRootFilesystem=False)),
    "a sidecar that is not native": _sidecar(lambda each: each.pop("restartPolicy")),
    "a token for the application": _pod(lambda pod: pod.update(automountServiceAccountToken=True)),
    "a short grace period": _pod(lambda pod: pod.update(terminationGracePeriodSeconds=3600)),
    "no preStop": _pod(lambda pod: pod["containers"][0].pop("lifecycle")),
    "a surge": _spec("Deployment", "stream", lambda spec: spec["strategy"]["rollingUpdate"].update(maxSurge=1)),
    "replicas beside an autoscaler": _spec("Deployment", "stream", lambda spec: spec.update(replicas=1)),
    "a wildcard": lambda things: next(each for each in things if each["kind"] == "Role")["rules"][0].update(
        verbs=["*"]
    ),
    "no default deny": lambda things: things.remove(
        next(each for each in things if each["metadata"]["name"] == "default-deny")
    ),
    "a secret on a command line": _sidecar(
        lambda each: each["command"].append("$(PIXELFLEET_SIGNALSERVER_REST_TOKEN)")
    ),
    "a secret in plain text": _sidecar(
        lambda each: each["env"].append({"name": "PIXELFLEET_SIGNALSERVER_REST_TOKEN", "value": "a"})
    ),
    "egress to a closed port": _spec(
        "NetworkPolicy", "router", lambda spec: spec["egress"][0]["ports"][0].update(port=3001)
    ),
    "an ingress to a missing service": _spec(
        "Ingress",
        "pixelfleet",
        lambda spec: spec["rules"][0]["http"]["paths"][0]["backend"]["service"].update(name="nobody"),
    ),
    "matchmakers behind one address": _spec("Service", "matchmakers", lambda spec: spec.pop("clusterIP")),
    "a proxy that counts as a player": lambda things: next(
        each for each in things if "PIXELFLEET_ROUTER_TRUSTED_PROXIES" in each.get("data", {})
    )["data"].pop("PIXELFLEET_ROUTER_TRUSTED_PROXIES"),
    "a budget that Kubernetes does not support": _spec(
        "PodDisruptionBudget", "turn", lambda spec: spec.update(minAvailable="50%")
    ),
    "an annotation of another port": _spec(
        "Deployment",
        "router",
        lambda spec: spec["template"]["metadata"]["annotations"].update({"prometheus.io/port": "1"}),
    ),
}


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_the_checks_detect(breakage: str) -> None:
    things = deepcopy(list(rendered("overlay example")))
    BREAKAGES[breakage](things)
    assert things != list(rendered("overlay example"))
    assert reference_problems(things) + policy_problems(things)


@pytest.mark.parametrize("change", [{"paused": "no"}, {"unknown": 1}, {"replicas": -1.5}], ids=str)
def test_a_schema_violation_is_detected(change: dict[str, Any]) -> None:
    deployment = deepcopy(next(each for each in rendered("overlay example") if each["kind"] == "Deployment"))
    assert schema_problem(deployment, NEWEST) is None
    deployment["spec"] |= change
    assert (schema_problem(deployment, NEWEST) or "").startswith(title(deployment))


def test_a_removed_api_is_detected() -> None:
    deployment = deepcopy(next(each for each in rendered("overlay example") if each["kind"] == "Deployment"))
    deployment["apiVersion"] = "apps/v1beta1"
    assert schema_problem(deployment, OLDEST)
