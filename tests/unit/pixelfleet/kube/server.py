"""A fake Kubernetes API server: nodes, their events, watches, and injected faults."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from pixelfleet.kube.client import Cluster

Node = dict[str, Any]


def node(name: str, *, external: str | None = None, ready: bool = True, cordoned: bool = False) -> Node:
    addresses = [{"type": "InternalIP", "address": "10.0.0.1"}, {"type": "Hostname", "address": name}]
    if external is not None:
        addresses.append({"type": "ExternalIP", "address": external})
    return {
        "metadata": {"name": name},
        "spec": {"unschedulable": True} if cordoned else {},
        "status": {"addresses": addresses, "conditions": [{"type": "Ready", "status": str(ready)}]},
    }


class ApiServer:
    """Implements list, watch and patch."""

    def __init__(self, folder: Path) -> None:
        self.version = 100
        self.oldest = 0
        """Watches from an earlier version are answered with 410 Gone."""
        self.nodes: dict[str, Node] = {}
        self.lists: list[dict[str, str]] = []
        self.watches: list[dict[str, str]] = []
        self.tokens: list[str] = []
        self.patches: list[tuple[str, str, Any]] = []
        self.fault: Callable[[web.Request], web.StreamResponse] | None = None
        self.page = 0
        """Objects in one page of a list; 0 is all."""
        self._open: set[asyncio.Queue[bytes | None]] = set()
        self._events: list[tuple[int, bytes]] = []
        self.token_file = folder / "token"
        self.token_file.write_text("first\n")
        self.url = URL()

    @property
    def open_watches(self) -> int:
        return len(self._open)

    @property
    def cluster(self) -> Cluster:
        return Cluster(self.url, token_file=self.token_file)

    def put(self, thing: Node) -> None:
        kind = "MODIFIED" if thing["metadata"]["name"] in self.nodes else "ADDED"
        self.nodes[thing["metadata"]["name"]] = thing
        self._record(kind, thing)

    def remove(self, name: str) -> None:
        self._record("DELETED", self.nodes.pop(name))

    def bookmark(self) -> None:
        self.version += 50
        self._send(orjson.dumps({"type": "BOOKMARK", "object": self._versioned({"kind": "Node"})}))

    def send_line(self, line: bytes) -> None:
        """Send this line on every watch."""
        self._send(line)

    def close_watches(self) -> None:
        for queue in self._open:
            queue.put_nowait(None)

    def compact(self) -> None:
        """Drop all events so far, as a compaction of etcd does."""
        self.oldest = self.version
        self._events.clear()

    def _versioned(self, thing: Node) -> Node:
        return {**thing, "metadata": {**thing.get("metadata", {}), "resourceVersion": str(self.version)}}

    def _record(self, kind: str, thing: Node) -> None:
        self.version += 1
        line = orjson.dumps({"type": kind, "object": self._versioned(thing)})
        self._events.append((self.version, line))
        self._send(line)

    def _send(self, line: bytes) -> None:
        for queue in self._open:
            queue.put_nowait(line + b"\n")

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.tokens.append(request.headers.get("Authorization", ""))
        if self.fault is not None:
            return self.fault(request)
        if request.method == "PATCH":
            self.patches.append((request.path, request.content_type, await request.json()))
            return web.json_response({"metadata": {"name": "patched"}})
        query = dict(request.query)
        return await self._watch(request, query) if "watch" in query else self._list(query)

    def _list(self, query: dict[str, str]) -> web.Response:
        self.lists.append(query)
        names = sorted(self.nodes)
        first = int(query.get("continue", "0"))
        last = first + self.page if self.page else len(names)
        metadata = {"resourceVersion": str(self.version)}
        if last < len(names):
            metadata["continue"] = str(last)
        return web.json_response({"metadata": metadata, "items": [self.nodes[name] for name in names[first:last]]})

    async def _watch(self, request: web.Request, query: dict[str, str]) -> web.StreamResponse:
        self.watches.append(query)
        response = web.StreamResponse()
        await response.prepare(request)
        since = int(query["resourceVersion"])
        if since < self.oldest:
            gone = {"kind": "Status", "code": HTTPStatus.GONE, "message": "too old resource version"}
            await response.write(orjson.dumps({"type": "ERROR", "object": gone}) + b"\n")
            return response
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        for version, line in self._events:
            if version > since:
                queue.put_nowait(line + b"\n")
        self._open.add(queue)
        try:
            while (event := await queue.get()) is not None:
                # In two segments, as a network may deliver it.
                await response.write(event[: len(event) // 2])
                await response.write(event[len(event) // 2 :])
        finally:
            self._open.discard(queue)
        return response


@asynccontextmanager
async def running_api(folder: Path) -> AsyncIterator[ApiServer]:
    api = ApiServer(folder)
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", api.handle)
    async with TestServer(app) as server:
        api.url = server.make_url("")
        yield api
        api.close_watches()
