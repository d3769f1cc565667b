"""A streamer and a player that use the protocol over real sockets, for tests that need no video."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.parts import PATIENCE_SECONDS

Message = dict[str, Any]

SDP = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n"


class Peer:
    """One websocket that sends and receives JSON messages."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def send(self, kind: str, **fields: object) -> None:
        await self.socket.send(orjson.dumps({"type": kind, **fields}).decode())

    async def receive(self, kind: str) -> Message:
        """Return the next message of this type; skip others before it."""
        while True:
            message = await self.receive_any()
            if message["type"] == kind:
                return message

    async def receive_any(self) -> Message:
        async with asyncio.timeout(PATIENCE_SECONDS):
            message: Message = orjson.loads(await self.socket.recv())
        return message

    async def closed(self) -> tuple[int, str]:
        """Skip messages until the other side closes; return its code and reason."""
        with suppress(ConnectionClosed):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    await self.socket.recv()
        return self.socket.close_code or 0, self.socket.close_reason or ""


@asynccontextmanager
async def player(url: str) -> AsyncIterator[Peer]:
    """Connect as a page does."""
    async with connect(url, compression=None, proxy=None) as socket:
        yield Peer(socket)


@asynccontextmanager
async def streamer(url: str, name: str, *, version: str | None = "1.3.0") -> AsyncIterator[Peer]:
    """Connect as an Unreal instance does, and announce the endpoint id."""
    async with connect(url, compression=None, proxy=None) as socket:
        peer = Peer(socket)
        await peer.receive("identify")
        await peer.send("endpointId", id=name, **({"protocolVersion": version} if version else {}))
        await peer.receive("endpointIdConfirm")
        yield peer
