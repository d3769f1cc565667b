"""Which Kubernetes nodes are TURN servers, and under which addresses, without I/O."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from pixelfleet.kube.client import KubeObject
from turnapi.ice import AddressKind, Server, host_of


class _Metadata(msgspec.Struct):
    name: str


class _Spec(msgspec.Struct):
    unschedulable: bool = False


class _Address(msgspec.Struct):
    type: str
    address: str


class _Condition(msgspec.Struct):
    type: str
    status: str


class _Status(msgspec.Struct):
    addresses: list[_Address] = []
    conditions: list[_Condition] = []


class _Node(msgspec.Struct):
    """The part of a node that is looked at."""

    metadata: _Metadata
    spec: _Spec = msgspec.field(default_factory=_Spec)
    status: _Status = msgspec.field(default_factory=_Status)


@dataclass(frozen=True, slots=True)
class TurnNode:
    """A node that runs a TURN server."""

    name: str
    hosts: tuple[str, ...]
    """Its addresses of the wanted kind."""
    ready: bool
    cordoned: bool
    """Takes no new pods: as a rule it is about to be taken away."""


def read_node(thing: KubeObject, kind: AddressKind) -> TurnNode:
    """Return what there is to know of a node; raise ValueError for what is none."""
    try:
        node = msgspec.convert(thing, _Node)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    wanted = {"external": "ExternalIP", "internal": "InternalIP"}[kind]
    hosts = {host_of(each.address): None for each in node.status.addresses if each.type == wanted}
    ready = any(each.type == "Ready" and each.status == "True" for each in node.status.conditions)
    return TurnNode(node.metadata.name, tuple(hosts), ready, node.spec.unschedulable)


def servers_on(nodes: Iterable[TurnNode]) -> tuple[Server, ...]:
    """Return the TURN servers to hand out, by their nodes' names.

    A cordoned node still relays, and goes on doing so for who is there, but is named to new players only where there
    is no other.
    """
    able = sorted((node for node in nodes if node.ready and node.hosts), key=lambda node: node.name)
    staying = [node for node in able if not node.cordoned]
    return tuple(Server(node.hosts) for node in staying or able)
