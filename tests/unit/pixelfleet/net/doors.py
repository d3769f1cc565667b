"""A port with HTTP and websockets behind it, and what is heard on the websockets."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from picows import WSUpgradeRequest
from picows.api import WSServerListenerFactory

from pixelfleet.net.bounds import Bounds
from pixelfleet.net.http import add_health, errors_as_json
from pixelfleet.net.server import Admit, Front
from pixelfleet.net.websocket import MessageHandler, WebSocket
from tests.parts import PATIENCE_SECONDS

BOUNDS: Final = Bounds()


class Heard(MessageHandler):
    """A handler that remembers."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.ends: list[tuple[int, str]] = []
        self.on_message: Callable[[bytes], object] | None = None
        self._news = asyncio.Event()

    def message(self, data: bytes) -> None:
        assert not self.ends, "a message after the end"
        self.messages.append(data)
        self._news.set()
        if self.on_message is not None:
            self.on_message(data)

    def closed(self, code: int, reason: str) -> None:
        self.ends.append((code, reason))
        self._news.set()

    async def count(self, number: int) -> list[bytes]:
        """Wait for so many messages in all."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.messages) < number:
                self._news.clear()
                await self._news.wait()
        return self.messages

    async def end(self) -> tuple[int, str]:
        """Wait for the end, which comes once."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self.ends:
                self._news.clear()
                await self._news.wait()
        assert len(self.ends) == 1
        return self.ends[0]


class AccessPolicy:
    """A running port and its websockets."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.front: Front
        self.requests: list[WSUpgradeRequest] = []
        self._accepted: asyncio.Queue[tuple[WebSocket, Heard]] = asyncio.Queue()

    @property
    def port(self) -> int:
        return self.front.port

    def upgrade(self, request: WSUpgradeRequest) -> WebSocket:
        self.requests.append(request)
        return WebSocket(self.bounds, self.opened)

    def opened(self, socket: WebSocket) -> MessageHandler:
        heard = Heard()
        self._accepted.put_nowait((socket, heard))
        return heard

    async def next(self) -> tuple[WebSocket, Heard]:
        """Return the next websocket and what is heard on it."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._accepted.get()

    def unready(self) -> str | None:
        return None


async def _echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


async def _broken(_: web.Request) -> web.Response:
    raise RuntimeError("an inside that nobody should see")


@asynccontextmanager
async def door(
    bounds: Bounds = BOUNDS,
    *,
    upgrade: WSServerListenerFactory | None = None,
    tls: ssl.SSLContext | None = None,
    admit: Admit | None = None,
) -> AsyncIterator[AccessPolicy]:
    """Open a port that takes every websocket and has `/livez`, POST `/echo` and a `/broken` page."""
    opened = AccessPolicy(bounds)
    app = web.Application(middlewares=[errors_as_json])
    add_health(app, opened)
    app.router.add_post("/echo", _echo)
    app.router.add_get("/broken", _broken)
    take = upgrade or opened.upgrade
    opened.front = Front(app, take, host="127.0.0.1", port=0, option="--port", bounds=bounds, tls=tls, admit=admit)
    async with opened.front:
        yield opened
