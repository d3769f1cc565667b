"""A signalling server, reduced to one player's view, that resumes sessions: counts messages and checks the counts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

OFFER: Final = "v=0\r\n"


@dataclass
class Session:
    """The messages of one negotiation."""

    sent: int = 0
    received: int = 0


@dataclass
class Resuming:
    """A running server."""

    refuse: int = 0
    """The close code for a player that returns with a token; 0 resumes."""
    port: int = 0
    sessions: dict[str, Session] = field(default_factory=dict)
    miscounts: list[str] = field(default_factory=list)
    """Each count of a player that differs from the server's."""

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def handle(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        query = dict(each.split("=") for each in socket.request.path.partition("?")[2].split("&"))
        token = query["resume"]
        session = self.sessions.get(token)
        if session is not None and "fresh" not in query:
            if self.refuse:
                await socket.close(self.refuse, "refused by the test")
                return
            await self._resume(socket, session, int(query["received"]))
        else:
            token, session = f"t{len(self.sessions)}", Session()
            self.sessions[token] = session
            await self._send(socket, type="session", token=token, resumeSeconds=30.0, reloadSeconds=5.0)
            await self._send(socket, session, type="config", peerConnectionOptions={})
        try:
            async for data in socket:
                await self._take(socket, session, orjson.loads(data))
        except ConnectionClosed:
            pass

    async def _resume(self, socket: ServerConnection, session: Session, received: int) -> None:
        if received > session.sent:
            self.miscounts.append(f"the player has received {received} of {session.sent}")
        session.sent = received  # what was lost on the way is not sent again by this stand-in
        await self._send(
            socket, type="session", resumed=True, received=session.received, resumeSeconds=30.0, reloadSeconds=5.0
        )

    async def _take(self, socket: ServerConnection, session: Session, message: dict[str, Any]) -> None:
        if message["type"] == "ping":
            if message["received"] > session.sent:
                self.miscounts.append(f"the player acknowledges {message['received']} of {session.sent}")
            await self._send(socket, type="pong", time=message["time"], received=session.received)
            return
        session.received += 1
        if message["type"] == "listStreamers":
            await self._send(socket, session, type="streamerList", ids=["cam"])
        elif message["type"] == "subscribe":
            await self._send(socket, session, type="offer", sdp=OFFER)

    @staticmethod
    async def _send(socket: ServerConnection, session: Session | None = None, **message: Any) -> None:
        if session is not None:
            session.sent += 1
        await socket.send(orjson.dumps(message).decode())


@asynccontextmanager
async def running_resuming(refuse: int = 0) -> AsyncIterator[Resuming]:
    """Run a server on a free port."""
    resuming = Resuming(refuse)
    async with serve(resuming.handle, "127.0.0.1", 0, compression=None) as server:
        resuming.port = next(iter(server.sockets)).getsockname()[1]
        yield resuming
        server.close(close_connections=True)
        await asyncio.sleep(0)
