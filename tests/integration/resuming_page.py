"""A page that resumes, without video: it counts messages, and returns with its token whenever its websocket ends."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlencode

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from pixelfleet.service.lifecycle import background
from tests.integration.peers import SDP, Message, Peer
from tests.parts import PATIENCE_SECONDS, eventually

UNCOUNTED: Final = ("session", "ping", "pong")
REDIAL_SECONDS: Final = 0.02


class ResumingPage:
    """One tab. Its `negotiate`, `send` and `receive` are those of a library that hears nothing of its connections."""

    def __init__(self, entry: Callable[[], str], **query: str) -> None:
        """`entry` returns the URL to dial next; `query` is that of the first dial only, such as a link."""
        self._entry = entry
        self._query = query
        self._socket: ClientConnection | None = None
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self.sent: list[bytes] = []
        self.acknowledged = 0
        self.received = 0
        self.token = ""
        self.plays = False
        """Whether the token is that of a session, and not of a place in the queue."""
        self.closes: list[int] = []
        self.dials = 0
        self.arrivals = 0
        """Dials as a new player."""
        self.resumed = 0
        self.absences: list[float] = []
        """The seconds from each cut of the connection until the page was back in its session."""
        self._cut_at: float | None = None
        self._over = False

    async def run(self) -> None:
        """Keep a connection until the page leaves or is lost, or until cancelled."""
        while not self._over:
            self.dials += 1
            try:
                async with connect(f"{self._entry()}?{self._next_query()}", compression=None, proxy=None) as socket:
                    await self._read(socket)
            except (OSError, InvalidHandshake, TimeoutError, EOFError):
                pass
            self._socket = None
            await asyncio.sleep(REDIAL_SECONDS)

    def _next_query(self) -> str:
        if not self.token:
            self.arrivals += 1
            return urlencode({**self._query, "resume": "1"})
        return urlencode({"resume": self.token, **({"received": self.received} if self.plays else {})})

    async def _read(self, socket: ClientConnection) -> None:
        if self.token and not self.plays:
            await self._repeat(socket, 0)  # to the next matchmaker
        elif not self.token:
            self._socket = socket
        try:
            async for data in socket:
                await self._message(socket, orjson.loads(data))
        except ConnectionClosed:
            pass
        code = socket.close_code or 1006
        self.closes.append(code)
        if code == 4007:
            self.token = ""

    async def _message(self, socket: ClientConnection, message: Message) -> None:
        match message["type"]:
            case "session" if message.get("resumed"):
                self.resumed += 1
                if self._cut_at is not None:
                    self.absences.append(asyncio.get_running_loop().time() - self._cut_at)
                    self._cut_at = None
                await self._repeat(socket, message["received"])
            case "session":
                self.token, self.plays = message["token"], "reloadSeconds" in message
                self.received = 0
                self._socket = socket
            case "pong":
                self.acknowledged = message.get("received", self.acknowledged)
            case "ping":
                pass
            case kind:
                if self.plays:
                    self.received += 1
                if kind != "matchmaker":
                    self._inbox.put_nowait(message)

    async def _repeat(self, socket: ClientConnection, first: int) -> None:
        """Send the messages from number `first` on that the server lacks."""
        for data in self.sent[first:]:
            await socket.send(data.decode())
        self._socket = socket

    async def send(self, kind: str, **fields: object) -> None:
        """Send a message now, or with the next connection."""
        data = orjson.dumps({"type": kind, **fields})
        if kind not in UNCOUNTED:
            self.sent.append(data)
        if self._socket is not None:
            try:
                await self._socket.send(data.decode())
            except ConnectionClosed:
                self._socket = None

    async def beat(self) -> None:
        """Send the heartbeat, which acknowledges messages."""
        await self.send("ping", time=1, received=self.received)

    async def next(self) -> Message:
        """Return the next message of any type."""
        return await self._inbox.get()

    async def receive(self, kind: str) -> Message:
        """Return the next message; it must be of this type."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            message = await self.next()
        assert message["type"] == kind, message
        return message

    async def waits(self) -> None:
        """Wait until the page has the token of its place in the queue."""
        await eventually(lambda: self.token, "the page waits")

    async def negotiate(self, source: Peer, name: str) -> str:
        """Exchange offer and answer with the only streamer; return the player's id."""
        await self.receive("config")
        await self.send("listStreamers")
        await self.receive("streamerList")
        await self.send("subscribe", streamerId=name)
        player_id: str = (await source.receive("playerConnected"))["playerId"]
        await source.send("offer", sdp=SDP, playerId=player_id)
        await self.receive("offer")
        await self.send("answer", sdp=SDP)
        assert (await source.receive("answer"))["playerId"] == player_id
        return player_id

    def cut(self) -> bool:
        """Lose the connection without a close frame; return False if there is none."""
        if self._socket is None:
            return False
        self._cut_at = asyncio.get_running_loop().time()
        self._socket.transport.abort()
        self._socket = None
        return True

    def lose(self) -> None:
        """Lose the connection, and never return."""
        self._over = True
        self.cut()

    async def leave(self) -> None:
        """Close the connection for good."""
        self._over = True
        if self._socket is not None:
            await self._socket.close(1000)


@asynccontextmanager
async def resuming_page(entry: Callable[[], str], **query: str) -> AsyncIterator[ResumingPage]:
    """Run a page; on leaving, its connection is dropped."""
    page = ResumingPage(entry, **query)
    async with background(page.run()):
        yield page
