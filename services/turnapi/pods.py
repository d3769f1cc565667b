"""TURN servers from Kubernetes pods on the host network. No I/O."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from pixelfleet.kube.client import KubeObject
from turnapi.ice import Server, host_of
from turnapi.nodes import Candidate, TurnNode, preferred

PORT_NAME: Final = "turn-udp"
"""The name of a container's port for STUN and TURN."""


class _Metadata(msgspec.Struct, rename="camel"):
    name: str
    deletion_timestamp: str | None = None


class _Port(msgspec.Struct, rename="camel"):
    container_port: int
    name: str = ""


class _Container(msgspec.Struct):
    ports: list[_Port] = []


class _Spec(msgspec.Struct, rename="camel"):
    node_name: str = ""
    containers: list[_Container] = []


class _Address(msgspec.Struct):
    ip: str


class _Condition(msgspec.Struct):
    type: str
    status: str


class _Status(msgspec.Struct):
    phase: str = ""
    host_ip: str = msgspec.field(default="", name="hostIP")
    host_ips: list[_Address] = msgspec.field(default_factory=list, name="hostIPs")
    conditions: list[_Condition] = []


class _Pod(msgspec.Struct):
    """The fields of a pod that are used."""

    metadata: _Metadata
    spec: _Spec = msgspec.field(default_factory=_Spec)
    status: _Status = msgspec.field(default_factory=_Status)


@dataclass(frozen=True, slots=True)
class TurnPod:
    """A pod that runs a TURN server."""

    name: str
    node: str
    """The name of its node; empty before it is scheduled."""
    hosts: tuple[str, ...]
    """The internal addresses of its node."""
    port: int | None
    """Its port for STUN, UDP and TCP; None if the pod names none."""
    running: bool
    """Whether its containers run. A pod that was evicted or could not start has no TURN server."""
    ready: bool
    """Whether its probe succeeds, and it is not about to end."""


def read_pod(resource: KubeObject) -> TurnPod:
    """Return the pod from a Kubernetes object; raise ValueError for an invalid one."""
    try:
        pod = msgspec.convert(resource, _Pod)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    # Kubernetes before 1.30 may have only the first address.
    addresses = [each.ip for each in pod.status.host_ips] or [pod.status.host_ip]
    named = [
        each.container_port for container in pod.spec.containers for each in container.ports if each.name == PORT_NAME
    ]
    ready = any(each.type == "Ready" and each.status == "True" for each in pod.status.conditions)
    return TurnPod(
        pod.metadata.name,
        pod.spec.node_name,
        tuple(dict.fromkeys(host_of(each) for each in addresses if each)),
        named[0] if named else None,
        pod.status.phase == "Running",
        ready and pod.metadata.deletion_timestamp is None,
    )


def servers_in(pods: Iterable[TurnPod], nodes: Mapping[str, TurnNode] | None = None) -> tuple[Server, ...]:
    """Return the TURN servers of running pods; see `preferred`.

    With `nodes`, by name, a server has the addresses of its node there, and a pod on a node that is not among them is
    left out. Without, it has the addresses that its pod shows, which are the internal ones.
    """
    candidates: list[Candidate] = []
    for pod in pods:
        if not pod.running:
            continue
        node = nodes.get(pod.node) if nodes is not None else TurnNode(pod.node, pod.hosts, ready=True, cordoned=False)
        if node is not None and node.hosts:
            server = Server(node.hosts, pod.port)
            candidates.append(Candidate(pod.name, server, pod.ready, node.cordoned))
    return preferred(candidates)
