"""Several applications: pods that selectors tell apart, and autoscalers that share the demand."""

import base64
from collections import Counter
from typing import Any

import pytest

from pixelfleet.autoscaling.hpa import Autoscaler
from pixelfleet.autoscaling.manifests import autoscaler_of
from pixelfleet.autoscaling.replicas import Pods
from tests.manifests.environment import services
from tests.manifests.pods import of_kind, picked, workloads
from tests.manifests.rendering import Object, rendered, require_kubectl

SEVERAL = ("configure several", "configure several keda")
VERSIONS = {"stream-game", "stream-game-canary", "stream-viewer"}


@pytest.fixture(scope="module", autouse=True)
def _kubectl() -> None:
    require_kubectl()


def named(rendering: str, kind: str) -> dict[str, Object]:
    return {each["metadata"]["name"]: each for each in of_kind(rendered(rendering), kind)}


@pytest.mark.parametrize("rendering", SEVERAL)
def test_each_version_has_a_deployment_an_autoscaler_and_a_budget(rendering: str) -> None:
    assert set(named(rendering, "Deployment")) >= VERSIONS
    assert set(named(rendering, "PodDisruptionBudget")) >= VERSIONS
    kind = "ScaledObject" if rendering.endswith("keda") else "HorizontalPodAutoscaler"
    scalers = named(rendering, kind)
    targets = Counter(each["spec"]["scaleTargetRef"]["name"] for each in scalers.values())
    assert {name: targets[name] for name in VERSIONS} == dict.fromkeys(VERSIONS, 1)
    assert "stream" not in targets


@pytest.mark.parametrize("rendering", SEVERAL)
def test_no_selector_of_an_owner_matches_pods_of_another(rendering: str) -> None:
    pods = workloads(rendered(rendering))
    for pod in pods:
        assert picked(pod.thing["spec"]["selector"], pods) == [pod]


@pytest.mark.parametrize("rendering", SEVERAL)
def test_policies_and_the_service_cover_all_applications(rendering: str) -> None:
    pods = workloads(rendered(rendering))
    for name in ("stream", "rest-proxy-streams"):
        policy = named(rendering, "NetworkPolicy")[name]
        assert {pod.name for pod in picked(policy["spec"]["podSelector"], pods)} == VERSIONS
    service = named(rendering, "Service")["signalserver"]
    assert {pod.name for pod in picked({"matchLabels": service["spec"]["selector"]}, pods)} == VERSIONS


@pytest.mark.parametrize("rendering", SEVERAL)
def test_the_sidecars_report_application_version_and_rest_api(rendering: str) -> None:
    prefix = "PIXELFLEET_SIGNALSERVER_"
    found = [environ for command, _, environ in services(rendered(rendering)) if command == "signalserver"]
    assert all(f"{prefix}UE_REST_ENDPOINT" in environ for environ in found)
    assert sorted((environ[f"{prefix}APP"], environ[f"{prefix}LABELS"]) for environ in found) == [
        ("game", '{"version": "1.0"}'),
        ("game", '{"version": "1.1"}'),
        ("viewer", '{"region": "eu"}'),
    ]


def test_images_arguments_and_gpus_are_those_of_each_application() -> None:
    containers = {pod.name: pod.spec["containers"][0] for pod in workloads(rendered("configure several"))}
    assert {name: containers[name]["image"] for name in VERSIONS} == {
        "stream-game": "registry.example.com/game:1.0",
        "stream-game-canary": "registry.example.com/game:1.1",
        "stream-viewer": "registry.example.com/viewer@sha256:" + "0" * 64,
    }
    assert containers["stream-viewer"]["args"] == ["-log", "-ExecCmds=stat fps"]
    assert "args" not in containers["stream-game"]
    assert "nvidia.com/gpu" in containers["stream-game"]["resources"]["limits"]
    assert "nvidia.com/gpu" not in containers["stream-viewer"]["resources"]["limits"]


def proposed(spec: Any, wanted: int, pods: int) -> int:
    found = autoscaler_of(spec)
    unlimited = Autoscaler(1, 10_000, found.metrics, tolerance=found.tolerance)
    number = unlimited.proposed(Pods(pods, pods, pods), [wanted])
    assert number is not None
    return number


@pytest.mark.parametrize("wanted", [1, 2, 9, 10, 11, 20, 100, 999, 1000, 5000])
def test_two_versions_share_the_demand(wanted: int) -> None:
    scalers = named("configure several", "HorizontalPodAutoscaler")
    old, new = (
        proposed(scalers[name]["spec"], wanted, max(wanted // 2, 1)) for name in ("stream-game", "stream-game-canary")
    )
    assert wanted <= old + new <= wanted + 2
    assert new == -(-wanted // 10)


def test_the_only_application_keeps_its_names_and_selectors() -> None:
    """Selectors cannot be changed, so those of an earlier version must stay."""
    for pod in workloads(rendered("configure least")):
        labels = {"app.kubernetes.io/name": pod.name, "app.kubernetes.io/part-of": "pixelfleet"}
        assert pod.thing["spec"]["selector"] == {"matchLabels": labels}
        assert "app.kubernetes.io/instance" not in pod.labels
    assert set(named("configure least", "Deployment")) == {"matchmaker", "router", "stream", "turn-api"}


@pytest.mark.parametrize("rendering", ["configure least", "configure most", *SEVERAL])
def test_each_object_has_the_label_of_the_installation(rendering: str) -> None:
    found = rendered(rendering)
    space = {each["metadata"].get("namespace") for each in found} - {None}
    expected = {"app.kubernetes.io/part-of": "pixelfleet", "app.kubernetes.io/instance": space.pop()}
    assert not space
    assert [each for each in found if not expected.items() <= each["metadata"].get("labels", {}).items()] == []


@pytest.mark.parametrize("rendering", ["configure least", "configure most", *SEVERAL])
def test_no_manifest_has_the_number_of_streams(rendering: str) -> None:
    streams = [each for name, each in named(rendering, "Deployment").items() if name.startswith("stream")]
    assert streams
    assert [each for each in streams if "replicas" in each["spec"]] == []


def test_only_readers_have_a_secret() -> None:
    """No secret of another service is in a pod, and no value is in two Secrets but shared ones."""
    secrets = {name: each["data"] for name, each in named("configure most", "Secret").items()}
    keys = {name.rpartition("-")[0] or name: set(data) for name, data in secrets.items() if name != "router-users"}
    assert keys == {
        "matchmaker": {"redis-url", "session-key", "rest-token"},
        "router": {"session-key", "rest-token"},
        "stream": {"redis-url", "session-key", "drain-token"},
        "turn": {"turn-secret"},
    }
    users = base64.b64decode(secrets["router-users"]["users"]).decode()
    assert users.startswith("ada:")
