"""Sources of TURN servers in a Kubernetes cluster: labelled nodes, or the pods that run the servers."""

import asyncio
import math
from collections.abc import Callable
from typing import Any, Final

import structlog

from pixelfleet.kube.client import KubeClient
from pixelfleet.kube.mirror import Mirror
from turnapi.ice import AddressKind, Server
from turnapi.nodes import TurnNode, read_node, servers_on
from turnapi.pods import TurnPod, read_pod, servers_in
from turnapi.sources import Source

NODES_PATH: Final = "api/v1/nodes"

log = structlog.get_logger(__name__)


class Nodes:
    """The nodes of a Kubernetes cluster with a label, of which each runs a TURN server."""

    def __init__(self, client: KubeClient, selector: str, kind: AddressKind) -> None:
        self._selector, self._kind = selector, kind
        self.servers: tuple[Server, ...] = ()
        self._nodes = _nodes(client, selector, kind, self._changed)

    @property
    def failures(self) -> int:
        """The number of failed requests to the API server."""
        return self._nodes.failures

    @property
    def last_success(self) -> float | None:
        """Unix time of the last answer of the API server; None before the first."""
        return self._nodes.last_success

    def missing(self) -> str:
        """Return why no node is usable."""
        return _no_node(self._nodes, self._selector, self._kind)

    async def run(self) -> None:
        """Watch the nodes until cancelled."""
        await self._nodes.run()

    def _changed(self) -> None:
        before, self.servers = self.servers, servers_on(self._nodes.objects.values())
        _log_change(before, self)


class Pods:
    """The pods with a label in one namespace, on the host network, of which each runs a TURN server.

    Their addresses are those of their nodes: the internal ones, which a pod shows, or with a `node_label` those of the
    given kind of the nodes with that label.
    """

    def __init__(
        self, client: KubeClient, namespace: str, selector: str, *, node_label: str, kind: AddressKind
    ) -> None:
        self._which = f"with the label {selector} in the namespace {namespace}"
        self._node_label, self._kind = node_label, kind
        self.servers: tuple[Server, ...] = ()
        path = f"api/v1/namespaces/{namespace}/pods"
        self._pods: Mirror[TurnPod] = Mirror(client, path, selector, read=read_pod, changed=self._changed)
        self._nodes = _nodes(client, node_label, kind, self._changed) if node_label else None

    @property
    def failures(self) -> int:
        """The number of failed requests to the API server."""
        return self._pods.failures + (self._nodes.failures if self._nodes else 0)

    @property
    def last_success(self) -> float | None:
        """Unix time of the last answer about what is older, pods or nodes; None before both are known."""
        pods, nodes = self._pods.last_success, self._nodes.last_success if self._nodes else math.inf
        return None if pods is None or nodes is None else min(pods, nodes)

    def missing(self) -> str:
        """Return why no pod is usable."""
        pods = list(self._pods.objects.values())
        if not self._pods.complete:
            return _not_loaded("pods", self._pods)
        if not pods:
            return f"there is no pod {self._which}"
        if not any(pod.running for pod in pods):
            return f"none of the {len(pods)} pods {self._which} is running"
        if self._nodes is None:
            return f"no running pod {self._which} has an address"
        return f"no running pod has a usable node: {_no_node(self._nodes, self._node_label, self._kind)}"

    async def run(self) -> None:
        """Watch the pods, and the nodes if their addresses are needed, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pods.run())
            if self._nodes is not None:
                group.create_task(self._nodes.run())

    def _changed(self) -> None:
        nodes = {node.name: node for node in self._nodes.objects.values()} if self._nodes else None
        before, self.servers = self.servers, servers_in(self._pods.objects.values(), nodes)
        _log_change(before, self)


def _nodes(client: KubeClient, selector: str, kind: AddressKind, changed: Callable[[], None]) -> Mirror[TurnNode]:
    return Mirror(client, NODES_PATH, selector, read=lambda resource: read_node(resource, kind), changed=changed)


def _no_node(nodes: Mirror[TurnNode], selector: str, kind: AddressKind) -> str:
    if not nodes.complete:
        return _not_loaded("nodes", nodes)
    if not nodes.objects:
        return f"no node has the label {selector}"
    return f"no node with the label {selector} has an {kind} address"


def _not_loaded(what: str, mirror: Mirror[Any]) -> str:
    return f"the {what} are not loaded yet: {mirror.trouble or 'waiting for the Kubernetes API'}"


def _log_change(before: tuple[Server, ...], source: Source) -> None:
    """Log the number of servers if they have changed, and why there is none."""
    if source.servers == before:
        return
    log.info("turn servers changed", servers=len(source.servers))
    if not source.servers:
        log.warning("no turn server available", why=source.missing())
