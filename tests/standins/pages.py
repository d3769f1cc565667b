"""A stand-in for Epic's pages of 5.2 to 5.7: their messages until they play, and what they do after a close.

It is built from recorded behaviour of the published libraries; tests/interop runs the libraries themselves.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.standins.cirrus import CANDIDATE, SDP

VERSIONS: Final = ("5.2", "5.3", "5.4", "5.5", "5.6", "5.7")
NEWER: Final = frozenset({"5.5", "5.6", "5.7"})
"""Versions that send `layerPreference` and pings, and support `subscribeFailed`."""

STOPS: Final = 1001
"""The only close code after which a page of 5.3 and later does not connect again."""


@dataclass(eq=False)
class Page:
    """A page of one version on its websocket."""

    socket: ClientConnection
    version: str
    offers: bool = False
    """Whether it sends the offer, as for a 4.27 streamer."""
    received: list[dict[str, Any]] = field(default_factory=list)
    negotiated: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it has sent or received the answer."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when its connection is closed."""

    @property
    def close_code(self) -> int:
        """The code with which its connection was closed; 0 while it is open."""
        return self.socket.close_code or 0

    def count(self, kind: str) -> int:
        """Return how many messages of a type it has received."""
        return sum(message["type"] == kind for message in self.received)

    async def send(self, kind: str, **fields: object) -> None:
        """Send a message."""
        await self.socket.send(orjson.dumps({"type": kind, **fields}).decode())

    async def run(self) -> None:
        """Act on messages until the connection is closed."""
        with suppress(ConnectionClosed):
            await self.send("listStreamers")
            async for data in self.socket:
                message = orjson.loads(data)
                self.received.append(message)
                await self._act(message)
        self.ended.set()

    async def _act(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "config" if self.offers:
                await self.send("offer", sdp=SDP)
            case "streamerList" if len(message["ids"]) == 1:
                await self.send("subscribe", streamerId=message["ids"][0])
            case "offer" if not self.offers:
                await self._answer()
            case "answer":
                await self.send("iceCandidate", candidate=CANDIDATE)
                self.negotiated.set()
            case "ping":
                await self.send("pong", time=message["time"] if self.version in NEWER else 1)

    async def _answer(self) -> None:
        if self.version in NEWER:
            await self.send("layerPreference", spatialLayer=0, temporalLayer=0, playerId="")
            await self.send("answer", sdp=SDP, minBitrateBps=100_000, maxBitrateBps=100_000_000)
        else:
            await self.send("answer", sdp=SDP)
        await self.send("iceCandidate", candidate=CANDIDATE)
        self.negotiated.set()


@asynccontextmanager
async def open_page(url: str, version: str, *, offers: bool = False) -> AsyncIterator[Page]:
    """Open a page on a websocket URL; with `offers` the page sends the offer."""
    async with connect(url, compression=None, proxy=None) as socket:
        page = Page(socket, version, offers)
        running = asyncio.create_task(page.run())
        try:
            yield page
        finally:
            await socket.close()
            await running
