from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from pixelfleet.kube import client as module
from pixelfleet.kube.client import Cluster, KubeClient, KubeError, in_cluster
from pixelfleet.net.tls import server_context
from pixelfleet.service.errors import UsageError
from tests.unit.pixelfleet.kube.server import ApiServer, node
from tests.unit.pixelfleet.net.certificates import make_certificate

NODES = "api/v1/nodes"


def names(objects: list[module.KubeObject]) -> list[str]:
    return [thing["metadata"]["name"] for thing in objects]


async def test_a_list_is_read_page_by_page(api: ApiServer, client: KubeClient) -> None:
    for name in "abcde":
        api.put(node(name))
    api.page = 2
    objects, version = await client.list(NODES, "app.pixel/turn")
    assert names(objects) == list("abcde")
    assert version == str(api.version)
    assert [query.get("continue") for query in api.lists] == [None, "2", "4"]
    assert {query["labelSelector"] for query in api.lists} == {"app.pixel/turn"}


async def test_the_token_is_read_for_each_request(api: ApiServer, client: KubeClient) -> None:
    await client.list(NODES, "")
    api.token_file.write_text("second\n")
    await client.list(NODES, "")
    assert api.tokens == ["Bearer first", "Bearer second"]
    api.token_file.unlink()
    with pytest.raises(KubeError, match="service account"):
        await client.list(NODES, "")


async def test_a_patch_merges(api: ApiServer, client: KubeClient) -> None:
    change = {"metadata": {"annotations": {"controller.kubernetes.io/pod-deletion-cost": "1"}}}
    answer = await client.patch("api/v1/namespaces/a/pods/b", change)
    assert answer["metadata"]["name"] == "patched"
    assert api.patches == [("/api/v1/namespaces/a/pods/b", "application/merge-patch+json", change)]


@pytest.mark.parametrize("status", [401, 403, 404, 410, 500])
async def test_an_error_has_its_status(api: ApiServer, client: KubeClient, status: int) -> None:
    api.fault = lambda _: web.Response(status=status)
    with pytest.raises(KubeError) as caught:
        await client.list(NODES, "")
    assert (caught.value.status, caught.value.gone) == (status, status == 410)
    with pytest.raises(KubeError) as caught:
        async with client.watch(NODES, "", "1", 60):
            pass
    assert caught.value.status == status


@pytest.mark.parametrize("body", [b"", b"no", b"[]", b"null", b'{"items": 7}', b'{"metadata": []}', b"\xff"])
async def test_an_invalid_answer_is_an_error(api: ApiServer, client: KubeClient, body: bytes) -> None:
    api.fault = lambda _: web.Response(body=body)
    if body == b'{"metadata": []}':
        assert await client.list(NODES, "") == ([], "")
        return
    with pytest.raises(KubeError):
        await client.list(NODES, "")


async def test_an_answer_is_bounded(api: ApiServer, client: KubeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ANSWER_BYTES", 100)
    api.fault = lambda _: web.Response(body=b'{"items": []}' + b" " * 100)
    with pytest.raises(KubeError, match="larger"):
        await client.list(NODES, "")


async def test_an_event_is_bounded(api: ApiServer, client: KubeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_EVENT_BYTES", 1000)
    api.fault = lambda _: web.Response(body=b"x" * 2000)
    with pytest.raises(KubeError, match="larger"):
        async with client.watch(NODES, "", "1", 60) as events:
            [event async for event in events]


async def test_a_silent_watch_fails(api: ApiServer) -> None:
    async with aiohttp.ClientSession() as session:
        client = KubeClient(session, api.cluster, silence_seconds=0.2)
        with pytest.raises(KubeError, match="unreachable"):
            async with client.watch(NODES, "", "100", 60) as events:
                [event async for event in events]


async def test_an_unreachable_server_is_an_error() -> None:
    async with aiohttp.ClientSession() as session:
        client = KubeClient(session, Cluster(URL("http://127.0.0.1:1")))
        with pytest.raises(KubeError, match="unreachable") as caught:
            await client.list(NODES, "")
    assert caught.value.status == 0


def test_a_pod_finds_its_cluster(tmp_path: Path) -> None:
    environ = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}
    with pytest.raises(UsageError, match="not in a pod"):
        in_cluster({}, tmp_path)
    with pytest.raises(UsageError, match="automountServiceAccountToken"):
        in_cluster(environ, tmp_path)
    (tmp_path / "token").write_text("t")
    (tmp_path / "ca.crt").write_text("c")
    cluster = in_cluster(environ, tmp_path)
    assert str(cluster.url) == "https://[fd00::1]:6443"
    assert (cluster.ca_file, cluster.token_file) == (tmp_path / "ca.crt", tmp_path / "token")


async def test_the_server_needs_a_certificate_of_the_clusters_authority(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    own, other = make_certificate(tmp_path), make_certificate(tmp_path / "other")
    app = web.Application()
    app.router.add_get("/api/v1/nodes", _empty)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=await server_context(own.certificate, own.key))
    try:
        url = URL.build(scheme="https", host="localhost", port=server.port)
        async with aiohttp.ClientSession() as session:
            assert await KubeClient(session, Cluster(url, own.certificate)).list(NODES, "") == ([], "")
            with pytest.raises(KubeError, match="unreachable"):
                await KubeClient(session, Cluster(url, other.certificate)).list(NODES, "")
    finally:
        await server.close()


async def _empty(_: web.Request) -> web.Response:
    return web.json_response({"items": []})
