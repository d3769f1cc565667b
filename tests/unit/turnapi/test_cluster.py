from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from pixelfleet.kube.client import KubeClient
from pixelfleet.service.lifecycle import background
from tests.parts import eventually
from tests.unit.pixelfleet.kube.server import NODES, ApiServer, node, pod, running_api
from turnapi.cluster import Nodes, Pods
from turnapi.ice import Server

A, B = Server(("192.0.2.1",)), Server(("192.0.2.2",))
PORT = 3478
SELECTOR = "app.kubernetes.io/name=turn"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[ApiServer]:
    async with running_api(tmp_path) as running:
        yield running


@pytest.fixture
async def client(api: ApiServer) -> AsyncIterator[KubeClient]:
    async with aiohttp.ClientSession() as session:
        yield KubeClient(session, api.cluster)


async def test_servers_follow_the_nodes_and_their_absence_has_a_reason(api: ApiServer, client: KubeClient) -> None:
    source = Nodes(client, "app.pixel/turn", "external")
    assert "not loaded yet" in source.missing()
    async with background(source.run()):
        await eventually(lambda: api.open_watches, "the watch is open")
        assert source.missing() == "no node has the label app.pixel/turn"
        api.put(node("a"))
        await eventually(lambda: "external address" in source.missing(), "a node without an address")
        api.put(node("a", external="192.0.2.1"))
        await eventually(lambda: source.servers == (A,), "a usable node")
        api.put(node("b", external="192.0.2.2"))
        api.put(node("a", external="192.0.2.1", cordoned=True))
        await eventually(lambda: source.servers == (B,), "the other one")
        api.remove(node("b"))
        await eventually(lambda: source.servers == (A,), "the cordoned one again")
        api.remove(node("a"))
        await eventually(lambda: source.servers == (), "none")


async def test_only_pods_of_the_namespace_are_requested_without_external_addresses(
    api: ApiServer, client: KubeClient
) -> None:
    source = Pods(client, "pixel", SELECTOR, node_label="", kind="internal")
    api.refused = NODES
    api.put(node("a", external="192.0.2.1"))
    api.put(pod("turn-a", "a", "10.0.0.1"))
    other = pod("turn-b", "b", "10.0.0.2")
    other["metadata"]["namespace"] = "other"
    api.put(other)
    async with background(source.run()):
        await eventually(lambda: source.servers == (Server(("10.0.0.1",), PORT),), "the pod here, by its own address")
        await eventually(lambda: api.open_watches == 1, "one watch")
    assert {query["labelSelector"] for query in api.lists} == {SELECTOR}
    assert source.failures == 0
    assert source.last_success is not None


async def test_servers_follow_the_pods_and_their_absence_has_a_reason(api: ApiServer, client: KubeClient) -> None:
    source = Pods(client, "pixel", SELECTOR, node_label="app.pixel/turn=true", kind="external")
    assert "the pods are not loaded yet" in source.missing()
    assert source.last_success is None
    async with background(source.run()):
        await eventually(lambda: api.open_watches == 2, "both watches are open")
        assert source.missing() == f"there is no pod with the label {SELECTOR} in the namespace pixel"
        api.put(node("a", external="192.0.2.1"))
        api.put(node("b", external="192.0.2.2"))
        api.put(pod("turn-a", "a", "10.0.0.1", phase="Pending", ready=False))
        await eventually(lambda: "none of the 1 pods" in source.missing(), "a pod that does not run")
        assert not source.servers
        api.put(pod("turn-a", "a", "10.0.0.1"))
        await eventually(lambda: source.servers == (Server(A.hosts, PORT),), "a ready pod, by its external address")
        api.put(pod("turn-b", "b", "10.0.0.2"))
        api.put(node("a", external="192.0.2.1", cordoned=True))
        await eventually(lambda: source.servers == (Server(B.hosts, PORT),), "the pod of the other node")
        api.put(node("b"))
        api.remove(node("a"))
        await eventually(lambda: not source.servers, "no address")
        assert source.missing().endswith("no node with the label app.pixel/turn=true has an external address")


async def test_a_missing_right_to_read_nodes_is_the_reason(api: ApiServer, client: KubeClient) -> None:
    source = Pods(client, "pixel", SELECTOR, node_label="app.pixel/turn=true", kind="external")
    api.put(pod("turn-a", "a", "10.0.0.1"))
    api.refused = NODES
    async with background(source.run()):
        await eventually(lambda: source.missing().endswith("nodes are not loaded yet: HTTP 403"), "the reason")
    assert source.servers == ()
    assert source.failures
