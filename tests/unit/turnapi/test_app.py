"""The TURN API over HTTP."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

import turnapi.app
from tests.parts import eventually
from tests.unit.pixelfleet.kube.server import node, pod, running_api
from turnapi.settings import Settings

SECRET = "a secret of more than sixteen bytes"
COMMON: dict[str, Any] = {"host": "127.0.0.1", "port": 0, "metrics_port": 0, "secret": SecretStr(SECRET)}


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def get(
    http: aiohttp.ClientSession, api: turnapi.app.TurnApi, path: str = "/"
) -> tuple[int, dict[str, Any], Any]:
    async with http.get(f"http://127.0.0.1:{api.port}{path}") as answer:
        return answer.status, await answer.json(), answer.headers


async def test_each_name_has_its_own_credentials_that_expire(http: aiohttp.ClientSession) -> None:
    async with turnapi.app.running(Settings(**COMMON, server=["192.0.2.1"], lifetime=600, leeway=30)) as api:
        for query, name, lifetime in (
            ("?name=a", "a", 600),
            ("?name=b.c-d_9", "b.c-d_9", 600),
            ("?name=a&role=player", "a", 600),
            ("?name=a&role=streamer", "a", 7 * 86400),
        ):
            earliest = int(time.time())
            status, body, headers = await get(http, api, f"/{query}")
            latest = time.time()
            assert status == 200
            assert headers["Cache-Control"] == "no-store"
            expiry, _, named = body["iceServers"][0]["username"].partition(":")
            assert named == name
            assert earliest <= int(expiry) - lifetime - 30 <= latest
        users = {(await get(http, api))[1]["iceServers"][0]["username"] for _ in range(5)}
        assert len(users) == 5, "a request without a name has a name of its own"


@pytest.mark.parametrize("query", ["?name=", "?name=a:b", "?name=" + "a" * 65, "?name=%00", "?name=a%20b", "?role=x"])
async def test_an_invalid_parameter_is_refused_with_the_requirement(http: aiohttp.ClientSession, query: str) -> None:
    async with turnapi.app.running(Settings(**COMMON, server=["192.0.2.1"])) as api:
        status, body, _ = await get(http, api, f"/{query}")
        assert status == 400
        assert "must be" in body["error"]


async def test_readiness_and_answers_follow_the_nodes(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    async with running_api(tmp_path) as kube:
        settings = Settings(**COMMON, node_label="app.pixel/turn", kube_api=str(kube.url))
        async with turnapi.app.running(settings) as api:
            await eventually(lambda: kube.open_watches, "the nodes are watched")
            for path in ("/", "/readyz", "/healthz", "/health", "/health/x"):
                status, body, _ = await get(http, api, path)
                assert status == 503
                assert "no node has the label" in (body.get("error") or body["status"])
            assert (await get(http, api, "/livez"))[0] == 200
            kube.put(node("a", external="192.0.2.1"))
            await eventually(lambda: api.unready() is None, "a node")
            for path in ("/", "/readyz", "/healthz", "/health", "/health/x"):
                assert (await get(http, api, path))[0] == 200
            kube.fault = lambda _: aiohttp.web.Response(status=500)
            kube.close_watches()
            await eventually(lambda: api.source.failures, "the Kubernetes API is unavailable")
            status, body, _ = await get(http, api)
            assert status == 200, "the last servers stay"
            assert body["iceServers"][0]["credential"]
            async with http.get(f"http://127.0.0.1:{api.metrics_port}/metrics") as answer:
                metrics = await answer.text()
    for line in ("turnapi_servers 1.0", 'turnapi_answers_total{outcome="ok"} 2.0', 'outcome="unavailable"} 1.0'):
        assert line in metrics
    assert "turnapi_source_failures_total 0.0" not in metrics


async def test_only_the_ready_pods_of_this_installation_are_named(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    async with running_api(tmp_path) as kube:
        for name, address in (("a", "192.0.2.1"), ("b", "192.0.2.2"), ("c", "192.0.2.3")):
            kube.put(node(name, external=address))
        kube.put(pod("turn-a", "a", "10.0.0.1"))
        kube.put(pod("turn-b", "b", "10.0.0.2", phase="Failed", ready=False))
        source: dict[str, Any] = {
            "pod_label": "app.kubernetes.io/name=turn",
            "pod_namespace": "pixel",
            "node_label": "app.pixel/turn",
        }
        async with turnapi.app.running(Settings(**COMMON, **source, kube_api=str(kube.url), transports=["udp"])) as api:
            await eventually(lambda: api.unready() is None, "a server")
            _, body, _ = await get(http, api)
    assert [server["urls"] for server in body["iceServers"]] == [["turn:192.0.2.1:3478?transport=udp"]]
