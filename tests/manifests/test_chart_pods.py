"""What only the Helm chart has: additions to pods, restarts after changes, and secrets that upgrades keep."""

import asyncio
import base64
import shutil
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from tests.manifests.api import Api, write_config
from tests.manifests.chart import Values, changed, charted, helm, require_helm
from tests.manifests.pods import of_kind, workloads
from tests.manifests.policy import policy_problems
from tests.manifests.references import reference_problems
from tests.manifests.rendering import objects
from tests.manifests.schema import NEWEST, schema_problem
from tests.manifests.test_chart import DEMO, EXAMPLE, USERS
from tools.chart.files import CHART

ADDED: Values = changed(
    {
        "application.nodeSelector": {"gpu": "a10"},
        "application.tolerations": [{"key": "spot", "operator": "Exists"}],
        "application.podAnnotations": {"team": "games"},
        "application.podLabels": {"cost": "games"},
        "application.resources": {"requests": {"cpu": "3"}, "limits": {"memory": "20Gi"}},
        "application.environment": {"RES_X": "2560", "TZ": "UTC"},
        "settings.router": {"PIXELFLEET_ROUTER_ORIGINS": "https://example.com"},
        "settings.signalserver": {"PIXELFLEET_SIGNALSERVER_LOG_FORMAT": "text"},
        "pods.redis": {"nodeSelector": {"disk": "none"}, "annotations": {"a": "b"}, "tolerations": [{"key": "c"}]},
        "pods.turnApi": {"resources": {"limits": {"cpu": "2"}}, "labels": {"a": "b"}},
        "pods.signalserver": {"resources": {"requests": {"memory": "200Mi"}}},
        "ingress.annotations": {"example.com/waf": "on"},
        "monitoring.namespaces": ["telemetry"],
        "images.turn": "registry.example.com/coturn:1",
    },
    EXAMPLE,
)


@pytest.fixture(scope="module", autouse=True)
def _helm() -> None:
    require_helm()


def test_additions_to_pods_arrive() -> None:
    found = charted("pixel", ADDED)
    assert [problem for each in found if (problem := schema_problem(each, NEWEST))] == []
    assert policy_problems(found) + reference_problems(found) == []
    pods = {pod.name: pod for pod in workloads(found)}
    stream = pods["stream"]
    application, sidecar = stream.spec["containers"][0], stream.spec["initContainers"][0]
    assert stream.spec["nodeSelector"] == pods["image-pull"].spec["nodeSelector"] == {"gpu": "a10"}
    assert (
        stream.spec["tolerations"][-1]
        == pods["image-pull"].spec["tolerations"][-1]
        == {"key": "spot", "operator": "Exists"}
    )
    assert stream.labels["cost"] == stream.template["metadata"]["annotations"]["team"] == "games"
    assert application["resources"]["requests"] == {"cpu": "3", "memory": "4Gi"}
    assert application["resources"]["limits"] == {"cpu": "8", "memory": "20Gi", "nvidia.com/gpu": 1}
    assert sidecar["resources"]["requests"]["memory"] == "200Mi"
    assert pods["redis"].spec["nodeSelector"] == {"disk": "none"}
    assert pods["redis"].spec["tolerations"] == [{"key": "c"}]
    assert pods["redis"].template["metadata"]["annotations"]["a"] == pods["turn-api"].labels["a"] == "b"
    assert pods["turn-api"].containers[0]["resources"]["limits"] == {"cpu": "2", "memory": "256Mi"}
    assert pods["turn"].containers[0]["image"] == "registry.example.com/coturn:1"
    config = {each["metadata"]["name"]: each["data"] for each in of_kind(found, "ConfigMap")}
    assert (config["streamer"]["RES_X"], config["streamer"]["RES_Y"], config["streamer"]["TZ"]) == (
        "2560",
        "1080",
        "UTC",
    )
    assert config["router"]["PIXELFLEET_ROUTER_ORIGINS"] == "https://example.com"
    assert config["signalserver"]["PIXELFLEET_SIGNALSERVER_LOG_FORMAT"] == "text"
    (ingress,) = of_kind(found, "Ingress")
    assert ingress["metadata"]["annotations"]["example.com/waf"] == "on"


def sums(values: Values) -> dict[str, dict[str, str]]:
    """Return the checksums in the pods of each workload."""
    return {
        pod.name: {key: text for key, text in annotations.items() if key.startswith("checksum/")}
        for pod in workloads(charted("pixel", values))
        if (annotations := pod.template["metadata"].get("annotations", {}))
    }


def test_a_change_restarts_only_the_pods_that_read_it() -> None:
    before = changed({"users": {"htpasswd": [USERS], "dashboard": True}, "secrets": DEMO["secrets"]}, EXAMPLE)
    started = sums(before)
    changes: dict[str, tuple[str, object, set[str]]] = {
        "one more user": ("users.htpasswd", [USERS, USERS.replace("ada", "bob")], set()),
        "another TURN secret": ("secrets.turnSecret", "another-secret-of-turn", {"turn", "turn-api"}),
        "another setting": ("settings.router", {"PIXELFLEET_ROUTER_LOG_FORMAT": "text"}, {"router"}),
        "another resolution": ("application.environment", {"RES_X": "2560"}, {"stream"}),
        "another password of Redis": ("secrets.redisPassword", "a" * 20, {"redis", "matchmaker", "stream"}),
    }
    for what, (path, value, restarted) in changes.items():
        after = sums(changed({path: value}, before))
        assert {name for name in started if after[name] != started[name]} == restarted, what


def secrets_of(text: str) -> dict[str, dict[str, bytes]]:
    return {
        each["metadata"]["name"]: {key: base64.b64decode(value) for key, value in each["data"].items()}
        for each in of_kind(objects(text), "Secret")
    }


def test_secrets_that_exist_already_are_not_made() -> None:
    values = changed({"secrets.create": False, "redis": {"bundled": False}}, EXAMPLE)
    assert list(of_kind(charted("pixel", values), "Secret")) == []


def _of_secrets(folder: Path) -> Path:
    """Return a chart of the Secrets alone, of whose kind the API in this test is."""
    shutil.copytree(CHART, folder)
    for path in (folder / "templates").iterdir():
        if path.name not in ("_helpers.tpl", "secrets.yaml"):
            path.unlink()
    return folder


async def test_an_upgrade_keeps_the_secrets_of_the_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Helm looks them up in the cluster; those that it does not find are made, one for all of its readers."""
    known = {"session-key": "k" * 32, "rest-token": "t" * 16}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "matchmaker",
            "namespace": "pixel",
            "labels": {"app.kubernetes.io/managed-by": "Helm"},
            "annotations": {"meta.helm.sh/release-name": "release", "meta.helm.sh/release-namespace": "pixel"},
        },
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in known.items()},
    }
    api = Api({"/api/v1/namespaces/pixel/secrets/matchmaker": secret})
    async with TestServer(api.application()) as server:
        monkeypatch.setenv("KUBECONFIG", str(await asyncio.to_thread(write_config, tmp_path, server.make_url(""))))
        monkeypatch.setenv("HOME", str(tmp_path))
        options = ("--dry-run=server", "--disable-openapi-validation")
        done = await asyncio.to_thread(helm, "pixel", EXAMPLE, *options, chart=_of_secrets(tmp_path / "chart"))
    assert done.returncode == 0, done.stderr
    found = secrets_of(done.stdout)
    assert {found[name]["session-key"] for name in ("matchmaker", "router", "stream")} == {b"k" * 32}
    assert found["matchmaker"]["rest-token"] == b"t" * 16
    assert len(found["turn"]["turn-secret"]) == len(found["redis"]["redis-password"]) == 48
    assert found["matchmaker"]["redis-url"] == found["stream"]["redis-url"]
    assert found["redis"]["redis-password"] in found["stream"]["redis-url"]
