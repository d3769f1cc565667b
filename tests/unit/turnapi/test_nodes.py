from typing import Any

import pytest

from tests.unit.pixelfleet.kube.server import node
from turnapi.ice import Server
from turnapi.nodes import read_node, servers_on


def nodes(*things: dict[str, Any]) -> tuple[Server, ...]:
    return servers_on(read_node(thing, "external") for thing in things)


def test_a_node_has_its_addresses_of_the_selected_kind() -> None:
    thing = node("a", external="192.0.2.1")
    thing["status"]["addresses"].append({"type": "ExternalIP", "address": "2001:DB8::1"})
    assert read_node(thing, "external").hosts == ("192.0.2.1", "2001:db8::1")
    assert read_node(thing, "internal").hosts == ("10.0.0.1",)


def test_a_node_without_an_address_is_skipped() -> None:
    assert nodes(node("a"), node("b", external="192.0.2.2")) == (Server(("192.0.2.2",)),)
    assert nodes(node("a")) == ()


def test_a_node_that_is_not_ready_is_the_last_resort() -> None:
    unready = node("a", external="192.0.2.1", ready=False)
    assert nodes(unready, node("b", external="192.0.2.2")) == (Server(("192.0.2.2",)),)
    assert nodes(unready, node("b", external="192.0.2.2", cordoned=True)) == (Server(("192.0.2.2",)),)
    assert nodes(unready) == (Server(("192.0.2.1",)),)


def test_a_cordoned_node_is_used_only_without_others() -> None:
    cordoned = node("a", external="192.0.2.1", cordoned=True)
    assert nodes(cordoned, node("b", external="192.0.2.2")) == (Server(("192.0.2.2",)),)
    assert nodes(cordoned) == (Server(("192.0.2.1",)),)


@pytest.mark.parametrize(
    "thing",
    [{}, {"metadata": {}}, {"metadata": {"name": 7}}, {"metadata": {"name": "a"}, "status": {"addresses": [7]}}],
)
def test_an_invalid_node_is_an_error(thing: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_node(thing, "external")
