"""Pages without video that return to their sessions, and send numbered messages all the time."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import Retry, retry_of
from pixelfleet.service.lifecycle import background
from tests.chaos.checks import Fate, Fates, Order
from tests.integration.peers import SDP, Message

BEAT_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 3.0
"""The page replaces a connection whose heartbeat is not answered for this time, as the player page does."""

DIAL_SECONDS: Final = 6.0
REDIAL_SECONDS: Final = 0.2
LATER_SECONDS: Final = 1.0
"""The pause before a further dial, after a code that asks for a later one."""

MESSAGE_SECONDS: Final = 0.25
UNCOUNTED: Final = ("session", "ping", "pong")
STRAY_SECONDS: Final = 15.0
"""How long after an attempt that was given up the server may still carry it out, as in the player page."""

DROPPED: Final = (1001, 1005, 1006, 1012, 4002, 4003, 4005)
"""Codes with which a connection ends, and not its session: those of the player page."""

UNANSWERED: Final = (close_codes.STREAM_UNAVAILABLE.code, close_codes.SERVICE_UNAVAILABLE.code)


class Page:
    """One tab: waits, plays, and returns with its token whenever its connection is lost."""

    def __init__(
        self, name: str, entry: Callable[[], str], fates: Fates, order: Order, window: float, chance: random.Random
    ) -> None:
        """`entry` returns the URL to dial next, and `window` is the time in seconds that a session is kept."""
        self.name = name
        self._entry = entry
        self._fates = fates
        self._order = order
        self._window = window
        self._chance = chance
        self._socket: ClientConnection | None = None
        self._token = ""
        self._plays = False
        """Whether the token is that of a session, and not that of a place in the queue."""
        self._fresh = False
        self._sent: list[bytes] = []
        self._received = 0
        self._negotiation = 0
        self._lost_at: float | None = None
        self._heard_at = 0.0
        self._settled = False
        """Whether the present connection has brought a message."""
        self._abandoned_at = -STRAY_SECONDS
        """When an attempt was given up, on the loop's clock."""
        self._ready = False
        """Whether the streamer has made its offer in this negotiation."""
        self.numbered = 0
        """Numbered messages of this negotiation that were sent."""
        self.quiet = False
        self.resumed = 0
        self.new = 0
        """How often it joined as a new player."""
        self.closes: Counter[int] = Counter()
        self._over = False

    @property
    def stream(self) -> str:
        """Return the name of its present negotiation, which its messages contain."""
        return f"{self.name}.{self._negotiation}"

    @property
    def plays(self) -> bool:
        """Whether it has a session with an offer."""
        return self._plays and self._ready

    # -- the life of a page ---------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep a connection until the page leaves, is lost or has ended, or until cancelled."""
        self._become(Fate.CONNECTING)
        async with background(self._send_numbers()):
            while not self._over:
                code = await self._connection()
                if not self._over:
                    await self._follow(code)

    async def _connection(self) -> int:
        """Have one connection; return its close code."""
        try:
            async with asyncio.timeout(DIAL_SECONDS):
                socket = await connect(
                    f"{self._entry()}?{self._query()}",
                    compression=None,
                    proxy=None,
                    ping_interval=None,
                    close_timeout=0,
                )
        except TimeoutError:
            self._abandoned_at = self._now
            return close_codes.ABNORMAL
        except (OSError, WebSocketException, EOFError):
            return close_codes.ABNORMAL
        self._heard_at, self._settled = self._now, False
        try:
            async with background(self._beat(socket)):
                await self._read(socket)
        finally:
            socket.transport.abort()
        return socket.close_code or close_codes.ABNORMAL

    def _query(self) -> str:
        if not self._token:
            self.new += 1
            return urlencode({"resume": "1"})
        more = {"fresh": "1"} if self._fresh else {"received": str(self._received)}
        return urlencode({"resume": self._token, **(more if self._plays else {})})

    async def _read(self, socket: ClientConnection) -> None:
        if not self._token:
            self._socket = socket
        with suppress(ConnectionClosed):
            async for data in socket:
                self._heard_at, self._settled = self._now, True
                await self._message(socket, orjson.loads(data))

    async def _follow(self, code: int) -> None:
        """Do what the player page does after a close."""
        self.closes[code] += 1
        self._socket = None
        self._lost_at = self._lost_at or self._now
        self._become(Fate.AWAY if self._plays else Fate.CONNECTING)
        pause = REDIAL_SECONDS
        if code == close_codes.CONTINUED_ELSEWHERE.code and self._now - self._abandoned_at < STRAY_SECONDS:
            pass  # an earlier attempt of this page has arrived after this connection
        elif code == close_codes.MESSAGES_LOST.code:
            self._fresh = True
        elif code in UNANSWERED and self._token and self._now - self._lost_at <= self._window:
            pause = LATER_SECONDS
        elif code not in DROPPED or self._now - self._lost_at > self._window:
            self._forget()
            if retry_of(code) is Retry.NEVER:
                self._over = True
                self._fates.ended(self.name, code, self._now)
            pause = LATER_SECONDS if retry_of(code) is Retry.LATER else REDIAL_SECONDS
        await asyncio.sleep(pause * self._chance.uniform(0.5, 1.0))

    def _forget(self) -> None:
        self._token, self._plays, self._fresh, self._ready = "", False, False, False
        self._lost_at = None

    async def leave(self) -> None:
        """Close the connection for good."""
        self._over = True
        if self._socket is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self._socket.close(1000)
        self._fates.gone(self.name)

    def lose(self) -> None:
        """Lose the connection without a close frame, and never return."""
        self._over = True
        if self._socket is not None:
            self._socket.transport.abort()
        self._fates.gone(self.name)

    def cut(self) -> None:
        """Lose the connection without a close frame."""
        if self._socket is not None:
            self._socket.transport.abort()

    # -- messages -------------------------------------------------------------------------------------

    async def _message(self, socket: ClientConnection, message: Message) -> None:
        match message["type"]:
            case "session" if message.get("resumed"):
                self.resumed += 1
                self._lost_at = None
                for data in self._sent[message["received"] :]:
                    await socket.send(data.decode())
                self._socket = socket
                self._become(Fate.PLAYING if self._ready else Fate.CONNECTING)
            case "session":
                self._token, self._plays = message["token"], "reloadSeconds" in message
                self._socket, self._lost_at = socket, None
                self._sent, self._received, self._fresh, self._ready = [], 0, False, False
                if self._plays:
                    self._negotiation += 1
                    self.numbered = 0
            case "matchmaker":
                if message.get("queued"):
                    self._socket = socket
                    self._become(Fate.WAITING)
            case "ping" | "pong":
                pass
            case kind:
                self._received += self._plays
                await self._negotiate(kind, message)

    async def _negotiate(self, kind: str, message: Message) -> None:
        match kind:
            case "config":
                await self._send("subscribe", streamerId="default")
            case "offer":
                await self._send("answer", sdp=SDP)
                self._ready = True
                self._become(Fate.PLAYING)
            case "iceCandidate":
                self._order.took(self.stream, int(message["candidate"]["candidate"].rpartition(":")[2]))

    async def _send_numbers(self) -> None:
        while True:
            await asyncio.sleep(MESSAGE_SECONDS * self._chance.uniform(0.5, 1.5))
            if self.plays and not self.quiet:
                candidate = {"candidate": f"{self.stream}:{self.numbered}", "sdpMid": "0", "sdpMLineIndex": 0}
                self.numbered += 1
                await self._send("iceCandidate", candidate=candidate)

    async def _send(self, kind: str, **fields: Any) -> None:
        """Send a message now, or with the next connection."""
        data = orjson.dumps({"type": kind, **fields})
        if kind not in UNCOUNTED:
            self._sent.append(data)
        socket = self._socket
        if socket is not None:
            with suppress(ConnectionClosed):
                await socket.send(data.decode())

    async def _beat(self, socket: ClientConnection) -> None:
        """Send heartbeats; give the connection up if nothing is heard."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            if self._now - self._heard_at > ANSWER_SECONDS:
                if not self._settled:
                    self._abandoned_at = self._now
                socket.transport.abort()
                return
            received = {"received": self._received} if self._plays else {}
            with suppress(ConnectionClosed):
                await socket.send(orjson.dumps({"type": "ping", "time": 1, **received}).decode())

    def _become(self, fate: Fate) -> None:
        self._fates.become(self.name, fate, self._now)

    @property
    def _now(self) -> float:
        return asyncio.get_running_loop().time()
