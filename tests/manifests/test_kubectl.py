"""A real kubectl with the commands of `pixelfleet configure`: the ground on which tests/manifests/cluster.py stands."""

import asyncio
import json
from collections.abc import AsyncIterator
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp.test_utils import TestServer

from pixelfleet.service.errors import UsageError
from pixelfleet_cli.configure.changes import apply, delete, held, release
from pixelfleet_cli.configure.installation import LAST_APPLIED, labels_of
from pixelfleet_cli.configure.kubectl import run
from tests.manifests.api import Api, write_config
from tests.manifests.rendering import Object, require_kubectl

STREAM: Final = "/apis/apps/v1/namespaces/pixel/deployments/stream"
SECRET: Final = "/api/v1/namespaces/pixel/secrets/stream-old"

MANIFEST: Final[Object] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "stream",
        "namespace": "pixel",
        "labels": {**labels_of("pixel"), "app.kubernetes.io/name": "stream"},
    },
    "spec": {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}},
    },
}


def applied(manifest: Object, **spec: int) -> Object:
    """Return an object as an earlier `kubectl apply` left it."""
    thing = deepcopy(manifest)
    thing.setdefault("spec", {}).update(spec)
    thing["metadata"]["annotations"] = {}
    thing["metadata"]["annotations"] = {LAST_APPLIED: json.dumps(thing)}
    return thing


@pytest.fixture(scope="module", autouse=True)
def _kubectl() -> None:
    require_kubectl()


@pytest.fixture
async def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Api]:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "stream-old", "namespace": "pixel"}}
    secret["metadata"] |= {"labels": labels_of("pixel"), "uid": "a"}  # type: ignore[operator]  # a dict
    api = Api({STREAM: applied(MANIFEST, replicas=6), SECRET: secret})
    async with TestServer(api.application()) as server:
        config = await asyncio.to_thread(write_config, tmp_path, server.make_url(""))
        monkeypatch.setenv("KUBECONFIG", str(config))
        monkeypatch.setenv("HOME", str(tmp_path))  # the cache of discovery
        yield api


def kubectl(*arguments: str, stdin: bytes = b"") -> str:
    """Run kubectl without the validation of manifests, for which the API would need all schemas."""
    validates = arguments[0] == "apply" and arguments[1] != "set-last-applied"
    return run(*arguments, *(("--validate=false",) if validates else ()), stdin=stdin)


def sent(api: Api) -> dict[str, Any]:
    """Return the specification of the last patch."""
    _, _, body = api.changes[-1]
    spec: dict[str, Any] = body.get("spec", {})
    return spec


async def test_a_manifest_without_the_number_removes_an_applied_one(api: Api) -> None:
    await asyncio.to_thread(kubectl, "apply", "--filename=-", stdin=json.dumps(MANIFEST).encode())
    assert sent(api) == {"replicas": None}


async def test_after_the_release_the_number_is_not_touched(api: Api) -> None:
    assert await asyncio.to_thread(held, run, "pixel") == {"stream": 6}
    await asyncio.to_thread(release, run, "pixel")
    assert sent(api) == {}
    assert await asyncio.to_thread(held, run, "pixel") == {}
    out = await asyncio.to_thread(kubectl, "apply", "--filename=-", stdin=json.dumps(MANIFEST).encode())
    assert out == "deployment.apps/stream unchanged\n"
    assert len(api.changes) == 1


async def test_the_command_of_the_guide_releases_it_too(api: Api) -> None:
    script = (
        "kubectl -n pixel apply view-last-applied deployment/stream | sed '/^  replicas:/d' "
        "| kubectl apply set-last-applied -f -"
    )
    process = await asyncio.create_subprocess_shell(script, stdout=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0
    ((method, path, body),) = api.changes
    assert (method, path, set(body)) == ("PATCH", STREAM, {"metadata"})
    assert "replicas" not in api.objects[STREAM]["metadata"]["annotations"][LAST_APPLIED]


async def test_an_apply_with_an_absent_api_of_metrics_deletes_leftovers(api: Api) -> None:
    out = await asyncio.to_thread(apply, kubectl, "pixel", json.dumps(MANIFEST), {"stream": 1})
    assert [(method, path) for method, path, _ in api.changes] == [("PATCH", STREAM), ("DELETE", SECRET)]
    assert "deployment.apps/stream unchanged" in out


async def test_a_pod_keeps_its_secret(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    variable = {"name": "A", "valueFrom": {"secretKeyRef": {"name": "stream-old", "key": "a"}}}
    api.objects["/api/v1/namespaces/pixel/pods/stream-1"] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "stream-1", "namespace": "pixel", "labels": {"app.kubernetes.io/part-of": "pixelfleet"}},
        "spec": {"containers": [{"name": "c", "image": "i", "env": [variable]}]},
    }
    await asyncio.to_thread(apply, kubectl, "pixel", json.dumps(MANIFEST), {"stream": 1})
    assert SECRET in api.objects
    assert "secret/stream-old: still in use" in capsys.readouterr().err


async def test_deleting_removes_all(api: Api) -> None:
    await asyncio.to_thread(delete, kubectl, "pixel")
    assert api.objects == {}


async def test_an_error_of_the_cluster_is_reported(api: Api) -> None:
    with pytest.raises(UsageError, match=r"kubectl get widgets: .*the server doesn't have a resource type"):
        await asyncio.to_thread(run, "get", "widgets")
