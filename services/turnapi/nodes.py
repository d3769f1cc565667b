"""TURN servers from Kubernetes nodes, and the choice among them. No I/O."""

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
    """The fields of a node that are used."""

    metadata: _Metadata
    spec: _Spec = msgspec.field(default_factory=_Spec)
    status: _Status = msgspec.field(default_factory=_Status)


@dataclass(frozen=True, slots=True)
class TurnNode:
    """A node that runs a TURN server."""

    name: str
    hosts: tuple[str, ...]
    """Its addresses of the selected kind."""
    ready: bool
    cordoned: bool
    """Whether it accepts no new pods, usually before its removal."""


def read_node(resource: KubeObject, kind: AddressKind) -> TurnNode:
    """Return the node from a Kubernetes object; raise ValueError for an invalid one."""
    try:
        node = msgspec.convert(resource, _Node)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    address_type = {"external": "ExternalIP", "internal": "InternalIP"}[kind]
    hosts = {host_of(each.address): None for each in node.status.addresses if each.type == address_type}
    ready = any(each.type == "Ready" and each.status == "True" for each in node.status.conditions)
    return TurnNode(node.metadata.name, tuple(hosts), ready, node.spec.unschedulable)


def servers_on(nodes: Iterable[TurnNode]) -> tuple[Server, ...]:
    """Return the TURN servers of nodes, ordered by the name of the node; see `preferred`."""
    return preferred(
        Candidate(node.name, Server(node.hosts), node.ready, node.cordoned) for node in nodes if node.hosts
    )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A TURN server in a cluster, with the state of its node or pod."""

    name: str
    server: Server
    ready: bool
    cordoned: bool


def preferred(candidates: Iterable[Candidate]) -> tuple[Server, ...]:
    """Return the servers that new players get, ordered by name.

    A cordoned node keeps its present relays, but new players get it only when there is no other. Servers that are not
    ready are the last resort: an API server that lost the connection to all nodes reports every node as not ready.
    """
    every = sorted(candidates, key=lambda each: each.name)
    ready = [each for each in every if each.ready]
    schedulable = [each for each in ready if not each.cordoned]
    return tuple(dict.fromkeys(each.server for each in schedulable or ready or every))
