"""A stand-in for Epic's stock signalling servers of 4.27 to 5.4 (cirrus), built from their recorded behaviour.

The stock servers cannot be shipped with the tests. Each generation has a table of the messages that it accepts of a
player, and its own way to end a connection. The stand-in has streamers of its own, which offer and answer; with
`cirrus_streamers` it has real ones. It reports to a matchmaker over TCP, as a stock server does.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final, Protocol
from urllib.parse import parse_qs, urlsplit

import orjson
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

Message = dict[str, Any]

SDP: Final = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n"
CANDIDATE: Final = {"candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0}
UNSUPPORTED: Final = (1008, "Unsupported message type")
BROKEN: Final = (1001, "Broken")
NO_STREAMER: Final = (1013, "Streamer is not connected")
FULL: Final = (1013, "max players reached")


@dataclass(frozen=True)
class Generation:
    """What the stock servers of some versions have in common."""

    name: str
    accepts: frozenset[str]
    """The types of messages that a player may send."""
    closes: bool
    """Whether it closes a player for another type (1008) or none (1001); otherwise it ignores the message."""
    lists: bool
    """Whether players list streamers and subscribe. Otherwise it closes players while it has no streamer."""
    announces: bool
    """Whether a player's arrival is announced to the streamer at once; otherwise on its subscription, or never."""
    pings: bool
    """Whether it sends players `ping`, every 10 s."""


_4_27: Final = frozenset({"offer", "answer", "iceCandidate", "stats", "ping"})
_5_0: Final = _4_27 | {"dataChannelRequest", "peerDataChannelsReady"}
_5_2: Final = (_5_0 - {"ping"}) | {"subscribe", "unsubscribe", "listStreamers"}

UE_4_27: Final = Generation("4.27", _4_27, closes=False, lists=False, announces=False, pings=False)
UE_5_0: Final = Generation("5.0", _5_0, closes=False, lists=False, announces=True, pings=False)
"""5.0 and 5.1."""
UE_5_2: Final = Generation("5.2", _5_2, closes=True, lists=True, announces=False, pings=False)
"""5.2 and 5.3."""
UE_5_4: Final = Generation("5.4", _5_2 | {"pong"}, closes=True, lists=True, announces=False, pings=True)
GENERATIONS: Final = (UE_4_27, UE_5_0, UE_5_2, UE_5_4)


class RealStreamers(Protocol):
    """Streamers on sockets; `StreamerPort` implements it."""

    async def send(self, name: str, **message: Any) -> None:
        """Send a message to a streamer."""


@dataclass(eq=False)
class StockPlayer:
    """A player of a stand-in."""

    player_id: str
    socket: ServerConnection
    offers: bool
    """Whether its URL asks the streamer to wait for the player's offer."""
    streamer: str = ""
    """The streamer to which the player was announced."""
    negotiated: bool = False
    """Whether the streamer has the player's answer, or has sent its own."""

    async def send(self, kind: str, **fields: object) -> None:
        await self.socket.send(orjson.dumps({"type": kind, **fields}).decode())


@dataclass
class Cirrus:
    """A stock server of one generation, with its link to a matchmaker."""

    generation: Generation = UE_5_2
    streamers: tuple[str, ...] = ("DefaultStreamer",)
    full: bool = False
    """Whether it has as many players as it may have."""
    secure: bool = False
    port: int = 0
    received: list[Message] = field(default_factory=list)
    """The messages of its players that it accepts."""
    unknown: list[str] = field(default_factory=list)
    """The types of the other messages of its players; an empty text for none."""
    dialled: int = 0
    """How many players have connected, those that it closed at once included."""
    connected: dict[str, StockPlayer] = field(default_factory=dict)
    link: asyncio.StreamWriter | None = None
    streamer_port: RealStreamers | None = None
    """The streamers, if they are real."""
    _ids: "count[int]" = field(default_factory=lambda: count(101))

    @property
    def players(self) -> int:
        """The number of connected players."""
        return len(self.connected)

    async def serve(self, socket: ServerConnection) -> None:
        """Serve one player."""
        self.dialled += 1
        if not (self.streamers or self.generation.lists):
            await socket.close(*NO_STREAMER)
            return
        if self.full:
            await socket.close(*FULL)
            return
        assert socket.request is not None
        query = parse_qs(urlsplit(socket.request.path).query)
        player_id = str(next(self._ids))
        player = self.connected[player_id] = StockPlayer(player_id, socket, query.get("OfferToReceive") == ["true"])
        self.send("clientConnected")
        try:
            await player.send("config", peerConnectionOptions={})
            await self._count()
            if self.generation.announces:
                await self._announce(player, self.streamers[0])
            async for data in socket:
                await self._take(player, orjson.loads(data))
        except ConnectionClosed:
            pass
        finally:
            del self.connected[player_id]
            if self.streamer_port is not None:
                await self.streamer_port.send(player.streamer, type="playerDisconnected", playerId=player_id)
            self.send("clientDisconnected")

    async def ping_players(self) -> None:
        """Send each player the `ping` that 5.4 sends every 10 s."""
        assert self.generation.pings
        for player in self.connected.values():
            await player.send("ping", time=1_700_000_000)

    async def _count(self) -> None:
        for player in list(self.connected.values()):
            await player.send("playerCount", count=len(self.connected))

    async def _take(self, player: StockPlayer, message: Message) -> None:
        kind = message.get("type", "")
        if kind not in self.generation.accepts:
            self.unknown.append(kind)
            if self.generation.closes:
                await player.socket.close(*(UNSUPPORTED if kind else BROKEN))
            return
        self.received.append(message)
        if kind == "listStreamers":
            await player.send("streamerList", ids=list(self.streamers))
        elif kind == "subscribe" and message["streamerId"] in self.streamers:
            await self._announce(player, message["streamerId"])
        elif kind == "unsubscribe":
            player.streamer = ""
        elif kind in ("offer", "answer", "iceCandidate"):
            await self._to_streamer(player, message)

    # -- the streamers ------------------------------------------------------------------------------

    async def _announce(self, player: StockPlayer, streamer: str) -> None:
        """Announce a player to a streamer, which offers unless the player does."""
        player.streamer = streamer
        if self.streamer_port is not None:
            connected: Message = {"type": "playerConnected", "playerId": player.player_id, "dataChannel": True}
            if self.generation.lists:
                connected |= {"sfu": False, "sendOffer": not player.offers}
            await self.streamer_port.send(streamer, **connected)
        elif not player.offers:
            await player.send("offer", sdp=SDP)
            await player.send("iceCandidate", candidate=CANDIDATE)

    async def _to_streamer(self, player: StockPlayer, message: Message) -> None:
        """Pass a message on; a player without a streamer gets the first one."""
        player.streamer = player.streamer or self.streamers[0]
        if self.streamer_port is not None:
            await self.streamer_port.send(player.streamer, **{**message, "playerId": player.player_id})
            player.negotiated = player.negotiated or message["type"] == "answer"
            return
        if message["type"] == "offer":
            await player.send("answer", sdp=SDP)
        player.negotiated = player.negotiated or message["type"] in ("offer", "answer")

    # -- the link to the matchmaker -----------------------------------------------------------------

    def send(self, kind: str, **fields: object) -> None:
        """Send a message to the matchmaker."""
        if self.link is not None:
            self.link.write(orjson.dumps({"type": kind, **fields}))

    async def connect(self, port: int, **fields: object) -> None:
        """Open the link and send `connect`."""
        _, self.link = await asyncio.open_connection("127.0.0.1", port)
        own = {"address": "127.0.0.1", "port": self.port, "ready": True, "playerConnected": self.players > 0}
        self.send("connect", **{**own, "https": self.secure, **fields})

    def cut(self) -> None:
        """Abort the link."""
        if self.link is not None:
            self.link.transport.abort()
            self.link = None


@asynccontextmanager
async def running_cirrus(
    generation: Generation = UE_5_2, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Cirrus]:
    """Run a stand-in on a free port."""
    cirrus = Cirrus(generation, secure=tls is not None)
    async with serve(cirrus.serve, "127.0.0.1", 0, ssl=tls, compression=None) as server:
        cirrus.port = next(iter(server.sockets)).getsockname()[1]
        try:
            yield cirrus
        finally:
            cirrus.cut()
