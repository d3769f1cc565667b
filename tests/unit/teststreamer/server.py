"""A signalling server for one streamer, for tests: sends given messages, and records the received ones."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.parts import PATIENCE_SECONDS

Message = dict[str, Any]

"""The timeout for a message; it is long, so that a busy machine causes no failure."""


class SignallingServer:
    """The server's end of the conversation; one streamer at a time."""

    def __init__(self) -> None:
        self.port = 0
        self.connections = 0
        self.candidates: defaultdict[str, asyncio.Queue[Message]] = defaultdict(asyncio.Queue)
        """The streamer's candidates by player; all other messages are queued in order."""
        self._received: asyncio.Queue[Message] = asyncio.Queue()
        self._socket: asyncio.Future[ServerConnection] = asyncio.get_running_loop().create_future()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def attend(self, socket: ServerConnection) -> None:
        self.connections += 1
        self._socket.set_result(socket)
        try:
            async for text in socket:
                assert isinstance(text, str), "the protocol uses text frames"
                message = orjson.loads(text)
                if message["type"] == "iceCandidate":
                    self.candidates[message["playerId"]].put_nowait(message)
                else:
                    self._received.put_nowait(message)
        except ConnectionClosed:
            pass
        finally:
            self._socket = asyncio.get_running_loop().create_future()

    async def send(self, **message: object) -> None:
        await self.send_raw(orjson.dumps(message).decode())

    async def send_raw(self, text: str | bytes) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await (await asyncio.shield(self._socket)).send(text)

    async def receive(self, kind: str) -> Message:
        """Return the next message, which must have this type."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            message = await self._received.get()
        assert message["type"] == kind, message
        return message

    async def received_nothing(self) -> bool:
        """Return whether no message is queued after the streamer has answered a ping."""
        await self.send(type="ping", time=1)
        return await self.receive("pong") == {"type": "pong", "time": 1} and self._received.empty()

    async def register(self, committed_id: str | None = None, **config: object) -> str:
        """Send the first messages of a server to a streamer; return the requested id."""
        await self.send(type="config", peerConnectionOptions=config, protocolVersion="1.3.0")
        await self.send(type="identify")
        requested: str = (await self.receive("endpointId"))["id"]
        await self.send(type="endpointIdConfirm", committedId=committed_id or requested)
        return requested

    async def drop(self, code: int = 1012) -> None:
        """Close the streamer's connection."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await (await asyncio.shield(self._socket)).close(code)


@asynccontextmanager
async def listening() -> AsyncIterator[SignallingServer]:
    """Run a signalling server on a free port."""
    server = SignallingServer()
    listener: Server
    async with serve(server.attend, "127.0.0.1", 0, compression=None, close_timeout=1) as listener:
        server.port = next(iter(listener.sockets)).getsockname()[1]
        yield server
