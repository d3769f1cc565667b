"""A fake Kubernetes API server: nodes, pods, their events, watches, tokens, and injected faults."""

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

Thing = dict[str, Any]

NODES = "/api/v1/nodes"


def node(name: str, *, external: str | None = None, ready: bool = True, cordoned: bool = False) -> Thing:
    addresses = [{"type": "InternalIP", "address": "10.0.0.1"}, {"type": "Hostname", "address": name}]
    if external is not None:
        addresses.append({"type": "ExternalIP", "address": external})
    return {
        "metadata": {"name": name},
        "spec": {"unschedulable": True} if cordoned else {},
        "status": {"addresses": addresses, "conditions": [{"type": "Ready", "status": str(ready)}]},
    }


def pod(name: str, on: str, address: str, *, ready: bool = True, phase: str = "Running", ending: bool = False) -> Thing:
    """Return a pod of a DaemonSet on the host network."""
    ended = {"deletionTimestamp": "2026-01-01T00:00:00Z"} if ending else {}
    ports = [{"name": "turn-udp", "containerPort": 3478, "hostPort": 3478, "protocol": "UDP"}]
    return {
        "metadata": {"name": name, "namespace": "pixel", **ended},
        "spec": {"nodeName": on, "hostNetwork": True, "containers": [{"name": "turn", "ports": ports}]},
        "status": {
            "phase": phase,
            "hostIP": address,
            "hostIPs": [{"ip": address}],
            "conditions": [{"type": "Ready", "status": str(ready)}],
        },
    }


def path_of(thing: Thing) -> str:
    """Return the path of the list that contains an object."""
    namespace = thing["metadata"].get("namespace")
    return f"/api/v1/namespaces/{namespace}/pods" if namespace else NODES


class ApiServer:
    """Implements list, watch, patch and delete, and the answers to tokens. Label selectors are recorded only."""

    def __init__(self, folder: Path) -> None:
        self.version = 100
        self.oldest = 0
        """A watch from an earlier version opens with 200 and then ends with an error 410, as in Kubernetes."""
        self.things: dict[str, dict[str, Thing]] = {}
        """By the path of their list, and by name."""
        self.bound: dict[str, str] = {}
        """Tokens that are valid while the pod with this name exists, in any namespace."""
        self.lists: list[dict[str, str]] = []
        self.watches: list[dict[str, str]] = []
        self.tokens: list[str] = []
        self.patches: list[tuple[str, str, Any]] = []
        self.deletions: list[str] = []
        self.fault: Callable[[web.Request], web.StreamResponse] | None = None
        self.refused = ""
        """The service account has no right to this path."""
        self.page = 0
        """Objects in one page of a list; 0 is all."""
        self._open: dict[asyncio.Queue[bytes | None], str] = {}
        self._events: list[tuple[int, str, bytes]] = []
        self.token_file = folder / "token"
        self.token_file.write_text("first\n")
        self.url = URL()

    @property
    def open_watches(self) -> int:
        return len(self._open)

    @property
    def cluster(self) -> Cluster:
        return Cluster(self.url, token_file=self.token_file)

    def put(self, thing: Thing) -> None:
        known = self.things.setdefault(path_of(thing), {})
        kind = "MODIFIED" if thing["metadata"]["name"] in known else "ADDED"
        known[thing["metadata"]["name"]] = thing
        self._record(kind, thing)

    def remove(self, thing: Thing) -> None:
        self._record("DELETED", self.things[path_of(thing)].pop(thing["metadata"]["name"]))

    def bookmark(self) -> None:
        self.version += 50
        self._send(orjson.dumps({"type": "BOOKMARK", "object": self._versioned({"kind": "Node"})}))

    def restart(self, *things: Thing) -> None:
        """Begin anew with these objects, as a restarted server that has forgotten the earlier versions."""
        self.things = {}
        for each in things:
            self.things.setdefault(path_of(each), {})[each["metadata"]["name"]] = each
        self.version += 10
        self.compact()

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

    def _versioned(self, thing: Thing) -> Thing:
        return {**thing, "metadata": {**thing.get("metadata", {}), "resourceVersion": str(self.version)}}

    def _record(self, kind: str, thing: Thing) -> None:
        self.version += 1
        line = orjson.dumps({"type": kind, "object": self._versioned(thing)})
        self._events.append((self.version, path_of(thing), line))
        self._send(line, path_of(thing))

    def _send(self, line: bytes, path: str = "") -> None:
        for queue, watched in self._open.items():
            if path in ("", watched):
                queue.put_nowait(line + b"\n")

    async def handle(self, request: web.Request) -> web.StreamResponse:
        token = request.headers.get("Authorization")
        self.tokens.append(token or "")
        if self.fault is not None:
            return self.fault(request)
        if token is not None and (refused := self._refusal(token.removeprefix("Bearer").strip())):
            return web.json_response({"kind": "Status", "code": refused}, status=refused)
        if request.path == self.refused:
            return web.json_response({"kind": "Status", "code": 403}, status=HTTPStatus.FORBIDDEN)
        if request.method == "PATCH":
            self.patches.append((request.path, request.content_type, await request.json()))
            return web.json_response({"metadata": {"name": "patched"}})
        if request.method == "DELETE":
            self.deletions.append(request.path)
            return web.json_response({"metadata": {"name": "deleted"}})
        query = dict(request.query)
        return await self._watch(request, query) if "watch" in query else self._list(request.path, query)

    def _refusal(self, token: str) -> int:
        """Return the status for a token; 0 if it is accepted."""
        if not token:
            return HTTPStatus.FORBIDDEN  # the request counts as anonymous
        pods = {name for things in self.things.values() for name in things}
        return HTTPStatus.UNAUTHORIZED if token in self.bound and self.bound[token] not in pods else 0

    def _list(self, path: str, query: dict[str, str]) -> web.Response:
        self.lists.append(query)
        things = self.things.get(path, {})
        names = sorted(things)
        first = int(query.get("continue", "0"))
        last = first + self.page if self.page else len(names)
        metadata = {"resourceVersion": str(self.version)}
        if last < len(names):
            metadata["continue"] = str(last)
        return web.json_response({"metadata": metadata, "items": [things[name] for name in names[first:last]]})

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
        for version, path, line in self._events:
            if version > since and path == request.path:
                queue.put_nowait(line + b"\n")
        self._open[queue] = request.path
        try:
            while (event := await queue.get()) is not None:
                # In two segments, as a network may deliver it.
                await response.write(event[: len(event) // 2])
                await response.write(event[len(event) // 2 :])
        finally:
            self._open.pop(queue, None)
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
