"""Where the TURN servers are known from: the settings, a file, or the nodes of a Kubernetes cluster."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import structlog

from pixelfleet.kube.client import KubeClient
from pixelfleet.kube.mirror import Mirror
from pixelfleet.service.errors import UsageError
from turnapi.ice import AddressKind, Server, parse_servers
from turnapi.nodes import TurnNode, read_node, servers_on

MAX_FILE_BYTES: Final = 1024 * 1024
NODES_PATH: Final = "api/v1/nodes"

log = structlog.get_logger(__name__)


class Source(Protocol):
    """Knows the TURN servers."""

    @property
    def servers(self) -> tuple[Server, ...]:
        """The servers as last known."""

    @property
    def failures(self) -> int:
        """How often they could not be learnt anew."""

    @property
    def last_success(self) -> float | None:
        """The unix time when they last could, None for never."""

    def missing(self) -> str:
        """Return why there is no server, when there is none."""

    async def run(self) -> None:
        """Keep the servers current until cancelled."""


class Named:
    """The servers that the settings name."""

    def __init__(self, servers: tuple[Server, ...]) -> None:
        self.servers = servers
        self.failures = 0
        self.last_success: float | None = time.time()

    def missing(self) -> str:
        """Return nothing: there always is one."""
        return ""

    async def run(self) -> None:
        """Return: nothing changes."""


class FileOfServers:
    """A JSON file with a list of servers, read again whenever its content is another.

    The content is compared and not the file's time: a mounted ConfigMap is replaced by a link to a new folder.
    """

    def __init__(self, path: Path, reread_seconds: float, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._reread_seconds = reread_seconds
        self._clock = clock
        self._seen = b""
        self._complaint = ""
        self.servers: tuple[Server, ...] = ()
        self.failures = 0
        self.last_success: float | None = None

    def missing(self) -> str:
        """Return what is wrong with the file."""
        return self._complaint or "the file names no TURN server"

    async def first(self) -> None:
        """Read the file for the first time; raise UsageError when it is of no use."""
        await self.look()
        if self._complaint:
            raise UsageError(f"--servers-file {self._path}: {self._complaint}")

    async def run(self) -> None:
        """Look at the file until cancelled."""
        while True:
            await asyncio.sleep(self._reread_seconds)
            await self.look()

    async def look(self) -> None:
        """Take the file's servers if it is in order, else say once what is wrong and keep the last."""
        try:
            text = await asyncio.to_thread(_read, self._path)
            if text != self._seen or self._complaint:
                self._take(parse_servers(_list_in(text)), text)
        except (OSError, ValueError) as error:
            self._complain(str(getattr(error, "strerror", None) or error))
        else:
            self.last_success = self._clock()

    def _take(self, servers: tuple[Server, ...], text: bytes) -> None:
        if self._seen or self._complaint:
            log.info("TURN servers read", file=str(self._path), servers=len(servers))
        self.servers, self._seen, self._complaint = servers, text, ""

    def _complain(self, why: str) -> None:
        self.failures += 1
        if why != self._complaint and self.last_success is not None:
            log.warning("the file is of no use; the last servers stay", file=str(self._path), why=why)
        self._complaint = why


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        text = file.read(MAX_FILE_BYTES + 1)
    if len(text) > MAX_FILE_BYTES:
        raise ValueError(f"larger than {MAX_FILE_BYTES} bytes")
    return text


def _list_in(text: bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("is not JSON") from None


class Nodes:
    """The nodes of a Kubernetes cluster that have a label."""

    def __init__(self, client: KubeClient, selector: str, kind: AddressKind) -> None:
        self._selector, self._kind = selector, kind
        self.servers: tuple[Server, ...] = ()
        self.mirror: Mirror[TurnNode] = Mirror(
            client, NODES_PATH, selector, read=lambda thing: read_node(thing, kind), changed=self._changed
        )

    @property
    def failures(self) -> int:
        """How often the API server could not be asked."""
        return self.mirror.failures

    @property
    def last_success(self) -> float | None:
        """The unix time of its last word."""
        return self.mirror.last_success

    def missing(self) -> str:
        """Return what keeps us from naming a node."""
        if not self.mirror.complete:
            return f"the nodes are not known yet: {self.mirror.trouble or 'the Kubernetes API is being asked'}"
        nodes = list(self.mirror.objects.values())
        if not nodes:
            return f"no node has the label {self._selector}"
        if not any(node.ready for node in nodes):
            return f"none of the {len(nodes)} nodes with the label {self._selector} is ready"
        return f"no ready node with the label {self._selector} has an {self._kind} address"

    async def run(self) -> None:
        """Watch the nodes until cancelled."""
        await self.mirror.run()

    def _changed(self) -> None:
        servers = servers_on(self.mirror.objects.values())
        if servers != self.servers:
            log.info("TURN nodes", nodes=len(self.mirror.objects), handed_out=len(servers))
            if not servers:
                log.warning("no TURN node", why=self.missing())
        self.servers = servers
