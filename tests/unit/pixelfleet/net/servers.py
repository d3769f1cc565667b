"""A server for HTTP and websockets, and a handler that records."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from pixelfleet.net.bounds import Bounds
from pixelfleet.net.handshake import Accepted, Admit
from pixelfleet.net.http import add_health, errors_as_json
from pixelfleet.net.request_head import RequestHead
from pixelfleet.net.server import Server
from pixelfleet.net.websocket import MessageHandler, WebSocket
from tests.parts import PATIENCE_SECONDS

BOUNDS: Final = Bounds()


class Recorder(MessageHandler):
    """A handler that records messages and the close."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.ends: list[tuple[int, str]] = []
        self.on_message: Callable[[bytes], object] | None = None
        self._changed = asyncio.Event()

    def message(self, data: bytes) -> None:
        assert not self.ends, "a message after the end"
        self.messages.append(data)
        self._changed.set()
        if self.on_message is not None:
            self.on_message(data)

    def closed(self, code: int, reason: str) -> None:
        self.ends.append((code, reason))
        self._changed.set()

    async def count(self, number: int) -> list[bytes]:
        """Wait until `number` messages have arrived."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.messages) < number:
                self._changed.clear()
                await self._changed.wait()
        return self.messages

    async def end(self) -> tuple[int, str]:
        """Wait for the close, which is reported once."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self.ends:
                self._changed.clear()
                await self._changed.wait()
        assert len(self.ends) == 1
        return self.ends[0]


class OpenPort:
    """A running server and its websockets."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.server: Server
        self.requests: list[RequestHead] = []
        self._accepted: asyncio.Queue[tuple[WebSocket, Recorder]] = asyncio.Queue()

    @property
    def port(self) -> int:
        return self.server.port

    async def admit(self, head: RequestHead) -> Accepted:
        self.requests.append(head)
        return Accepted(WebSocket(self.bounds, self.opened))

    def opened(self, socket: WebSocket) -> MessageHandler:
        received = Recorder()
        self._accepted.put_nowait((socket, received))
        return received

    async def next(self) -> tuple[WebSocket, Recorder]:
        """Return the next websocket and its handler."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._accepted.get()

    def unready(self) -> str | None:
        return None


def accepting(bounds: Bounds, opened: Callable[[WebSocket], MessageHandler | None]) -> Admit:
    """Return an admission that accepts every websocket and takes its handler from `opened`."""

    async def admit(_: RequestHead) -> Accepted:
        return Accepted(WebSocket(bounds, opened))

    return admit


async def _echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


async def _broken(_: web.Request) -> web.Response:
    raise RuntimeError("an internal detail")


@asynccontextmanager
async def open_port(
    bounds: Bounds = BOUNDS,
    *,
    admit: Admit | None = None,
    tls: ssl.SSLContext | None = None,
    websocket_paths: Collection[str] | None = None,
) -> AsyncIterator[OpenPort]:
    """Serve `/livez`, POST `/echo` and a `/broken` page; without `admit` every websocket is accepted."""
    opened = OpenPort(bounds)
    app = web.Application(middlewares=[errors_as_json])
    add_health(app, opened)
    app.router.add_post("/echo", _echo)
    app.router.add_get("/broken", _broken)
    opened.server = Server(
        app,
        admit or opened.admit,
        host="127.0.0.1",
        port=0,
        option="--port",
        bounds=bounds,
        tls=tls,
        websocket_paths=websocket_paths,
    )
    async with opened.server:
        yield opened
