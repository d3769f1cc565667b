"""A router in front of backends, a matchmaker and a streamer, that record every request."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

import router.app
import router.settings
from pixelfleet.fleet.memory import MemoryFleetStore
from pixelfleet.fleet.model import ServerReport, StreamerReport
from pixelfleet.net.http import plain_port
from tests.parts import PATIENCE_SECONDS

KEY = "pod-1/cam"


@dataclass
class Backend:
    """An HTTP server that answers any request and records it."""

    port: int = 0
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    """Method, raw target, headers, body."""
    begun: int = 0
    """Requests whose head was received, also when the body was not."""
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    """The headers of each websocket upgrade."""
    targets: list[str] = field(default_factory=list)
    ready: int = 200
    refuse: int = 0
    """A status to answer instead of a websocket."""
    wait: asyncio.Event | None = None
    """Answers wait for this event."""
    answers: int = 200
    ended: int = 0
    """Endless answers whose client disconnected."""

    @property
    def reached(self) -> int:
        return self.begun + len(self.sockets)

    def app(self) -> web.Application:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_route("*", "/{any:.*}", self._any)
        return app

    async def _readyz(self, _: web.Request) -> web.Response:
        return web.Response(status=self.ready)

    async def _any(self, request: web.Request) -> web.StreamResponse:
        if "Sec-WebSocket-Key" in request.headers:
            return await self._websocket(request)
        if request.path == "/api/v1/apps" and "X-Request-ID" not in request.headers:
            return web.json_response({"now": 1.0, "young": True, "apps": []})  # the router's own request
        self.begun += 1
        body = await request.read()
        self.requests.append((request.method, request.raw_path, dict(request.headers), body))
        if self.wait is not None:
            await self.wait.wait()
        if request.path.endswith("/cut"):
            response = web.StreamResponse(headers={"Content-Length": "1000"})
            await response.prepare(request)
            await response.write(b"x" * 10)
            assert request.transport is not None
            request.transport.abort()
            return response
        if request.path.endswith("/away"):
            raise web.HTTPFound("http://evil.test/")
        if request.path.endswith("/stream"):
            response = web.StreamResponse()
            await response.prepare(request)
            for number in range(3):
                await response.write(b"%d" % number)
            return response
        if "/flood/" in request.path:
            return await self._flood(request)
        headers = {"Set-Cookie": "a=b", "X-Answer": "1", "Access-Control-Allow-Origin": "https://evil.test"}
        return web.json_response({"method": request.method, "body": len(body)}, status=self.answers, headers=headers)

    async def _flood(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65536)
        except ConnectionError:
            self.ended += 1
            raise

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        if self.refuse:
            return web.Response(status=self.refuse)
        socket = web.WebSocketResponse(protocols=["chat"])
        await socket.prepare(request)
        self.sockets.append(socket)
        self.headers.append(dict(request.headers))
        self.targets.append(request.raw_path)
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                await socket.send_bytes(message.data)
            else:
                await socket.send_str(message.data)
        return socket


@dataclass
class RouterStack:
    """A router and its backends."""

    router: router.app.Router
    matchmaker: Backend
    streamer: Backend
    store: MemoryFleetStore

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.router.port}"

    @property
    def reached(self) -> int:
        return self.matchmaker.reached + self.streamer.reached


@asynccontextmanager
async def backend() -> AsyncIterator[Backend]:
    made = Backend()
    async with plain_port(made.app(), host="127.0.0.1", port=0, option="--port") as made.port:
        yield made


@asynccontextmanager
async def running_stack(page: Path, *, scheme: str = "ws", **settings: Any) -> AsyncIterator[RouterStack]:
    """Run a router with default settings, except for the given ones and an open proxy."""
    async with backend() as matchmaker, backend() as streamer:
        store = MemoryFleetStore()
        report = StreamerReport(
            server_id="pod-1",
            endpoint_id="cam",
            app="demo",
            url="ws://10.0.0.7:80",
            rest_url=f"http://127.0.0.1:{streamer.port}/remote",
        )
        bare = StreamerReport(server_id="pod-2", endpoint_id="bare", app="demo", url="ws://10.0.0.8:80")
        await store.report(ServerReport(server_id="pod-1", sequence=1, streamers=(report,)))
        await store.report(ServerReport(server_id="pod-2", sequence=1, streamers=(bare,)))
        chosen = {"matchmaker": [f"{scheme}://127.0.0.1:{matchmaker.port}"], "proxy_auth": "open", **settings}
        made = router.settings.Settings(host="127.0.0.1", port=0, metrics_port=0, page=page, **chosen)
        async with router.app.running(made, store) as running:
            await running.matchmakers.found.wait()
            yield RouterStack(running, matchmaker, streamer, store)


@asynccontextmanager
async def half_reachable_stack(page: Path, scheme: str) -> AsyncIterator[tuple[RouterStack, Backend]]:
    """Run a router with two matchmakers, of which the second is reachable; yield it and that matchmaker."""
    async with backend() as unreachable:
        port = unreachable.port
    async with backend() as reachable:
        urls = [f"{scheme}://127.0.0.1:{each}" for each in (port, reachable.port)]
        async with running_stack(page, matchmaker=urls) as stack:
            yield stack, reachable


async def assert_not_found(stack: RouterStack, target: str) -> None:
    """Request a target that the router must refuse without a request to another service."""
    status, answer = await send_raw(stack, request(target))
    assert status in (400, 404), answer
    assert stack.reached == 0


async def send_raw(stack: RouterStack, data: bytes, *, more: bytes = b"", after: float = 0.0) -> tuple[int, bytes]:
    """Send raw bytes on a new connection; return the status of the answer (0 for none) and the whole answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", stack.router.port)
    try:
        writer.write(data)
        if more:
            await asyncio.sleep(after)
            writer.write(more)
        async with asyncio.timeout(PATIENCE_SECONDS):
            answer = await reader.read(65536)
    except ConnectionError:
        answer = b""
    finally:
        writer.close()
    return (int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.") else 0), answer


def request(target: str, *headers: str, method: str = "GET", body: bytes = b"") -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: router.test", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode("utf-8") + body
