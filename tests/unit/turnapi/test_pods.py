from typing import Any

import pytest

from tests.unit.pixelfleet.kube.server import node, pod
from turnapi.ice import Server
from turnapi.nodes import read_node
from turnapi.pods import read_pod, servers_in

FIRST, SECOND = Server(("10.0.0.1",), 3478), Server(("10.0.0.2",), 3478)


def servers(*things: dict[str, Any]) -> tuple[Server, ...]:
    return servers_in(map(read_pod, things))


def test_a_pod_shows_the_addresses_of_its_node_and_its_port() -> None:
    thing = pod("turn-a", "a", "10.0.0.1")
    thing["status"]["hostIPs"].append({"ip": "2001:DB8::1"})
    thing["spec"]["containers"][0]["ports"][0]["containerPort"] = 3578
    assert servers(thing) == (Server(("10.0.0.1", "2001:db8::1"), 3578),)


def test_an_older_kubernetes_shows_one_address() -> None:
    thing = pod("turn-a", "a", "10.0.0.1")
    del thing["status"]["hostIPs"]
    thing["spec"]["containers"][0]["ports"] = []
    assert servers(thing) == (Server(("10.0.0.1",), None),)


@pytest.mark.parametrize("phase", ["Pending", "Failed", "Succeeded", "Unknown", ""])
def test_a_pod_that_was_evicted_or_did_not_start_has_no_server(phase: str) -> None:
    gone = pod("turn-a", "a", "10.0.0.1", phase=phase, ready=False)
    assert servers(gone, pod("turn-b", "b", "10.0.0.2")) == (SECOND,)
    assert servers(gone) == ()


@pytest.mark.parametrize(("ready", "ending"), [(False, False), (True, True)])
def test_a_pod_that_is_not_ready_is_the_last_resort(ready: bool, ending: bool) -> None:
    unready = pod("turn-a", "a", "10.0.0.1", ready=ready, ending=ending)
    assert servers(unready, pod("turn-b", "b", "10.0.0.2")) == (SECOND,)
    assert servers(unready) == (FIRST,)


def test_an_evicted_pod_does_not_hide_its_successor_on_the_same_node() -> None:
    evicted = pod("turn-a", "a", "10.0.0.1", phase="Failed", ready=False)
    assert servers(evicted, pod("turn-b", "a", "10.0.0.1")) == (FIRST,)
    assert servers(pod("turn-a", "a", "10.0.0.1"), pod("turn-b", "a", "10.0.0.1")) == (FIRST,)


def test_with_nodes_a_server_has_the_addresses_of_its_node() -> None:
    nodes = {
        "a": read_node(node("a", external="192.0.2.1"), "external"),
        "b": read_node(node("b", external="192.0.2.2", cordoned=True), "external"),
        "c": read_node(node("c"), "external"),
    }
    pods = [read_pod(pod(f"turn-{name}", name, "10.0.0.1")) for name in "abcd"]
    assert servers_in(pods, nodes) == (Server(("192.0.2.1",), 3478),)
    assert servers_in(pods[1:], nodes) == (Server(("192.0.2.2",), 3478),), "a cordoned node without others"
    assert servers_in(pods[2:], nodes) == ()


@pytest.mark.parametrize(
    "thing", [{}, {"metadata": {}}, {"metadata": {"name": 7}}, {"metadata": {"name": "a"}, "status": {"hostIP": "a b"}}]
)
def test_an_invalid_pod_is_an_error(thing: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_pod(thing)
