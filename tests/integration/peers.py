"""A streamer and a player that speak the protocol over real sockets, for tests that need no video."""

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
    """One websocket that says and hears JSON messages."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def say(self, kind: str, **fields: object) -> None:
        await self.socket.send(orjson.dumps({"type": kind, **fields}).decode())

    async def hear(self, kind: str) -> Message:
        """Return the next message of this type; others before it are passed over."""
        while True:
            message = await self.hear_any()
            if message["type"] == kind:
                return message

    async def hear_any(self) -> Message:
        async with asyncio.timeout(PATIENCE_SECONDS):
            message: Message = orjson.loads(await self.socket.recv())
        return message

    async def closed(self) -> tuple[int, str]:
        """Wait for the other side to close, whatever it says before that; return its code and reason."""
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
    """Connect as an Unreal instance does, and be listed."""
    async with connect(url, compression=None, proxy=None) as socket:
        peer = Peer(socket)
        await peer.hear("identify")
        await peer.say("endpointId", id=name, **({"protocolVersion": version} if version else {}))
        await peer.hear("endpointIdConfirm")
        yield peer
