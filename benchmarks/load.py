"""The load: streamers, and players that bounce ICE candidates off them.

A round trip is player -> server -> streamer -> server -> player, that is two relayed messages. Each candidate has the
time of its sending in a field that is unknown to the server.

There are two kinds of load. In a closed loop every player sends its next candidate when the previous one has
returned. This measures the cost of a message and the throughput, but its round trips are not comparable: a faster
server gets more load, and they then measure the length of the queue. In an open loop candidates are sent at a fixed
rate, independently of the server. At the same rate, well below the capacity of all servers, round trips are
comparable. They are measured from the actual sending. When the server stops for a moment, the candidates of that
time have been sent on time and count in full.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import orjson
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from benchmarks.processes import Server, cpu_seconds

JOIN_SECONDS: Final = 30.0
"""Default time limit for all peers to get their streamers."""

RETURN_SECONDS: Final = 5.0
"""Time limit for outstanding candidates to return after the sending has stopped."""

POLL_SECONDS: Final = 0.01

ACKNOWLEDGED_AT_ONCE: Final = 200
"""A resumable player acknowledges its messages after each of this number; a page does so every few seconds."""

RESUMABLE: Final = "?resume=1"
"""The query of a player whose messages the server counts and keeps."""

CANDIDATE: Final = {
    "candidate": "candidate:1467250027 1 udp 2122260223 192.168.0.196 46243 typ host generation 0 ufrag EsAw",
    "sdpMid": "0",
    "sdpMLineIndex": 0,
    "usernameFragment": "EsAw",
}
SDP: Final = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\n" + "a=candidate:x\r\n" * 150


class _Peer(WSListener):
    transport: WSTransport

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.gone = False

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.gone = True

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.TEXT:
            self.message(orjson.loads(frame.get_payload_as_memoryview()))
        elif frame.msg_type is WSMsgType.CLOSE:
            transport.send_close()
            transport.disconnect()

    def send(self, message: dict[str, Any]) -> None:
        self.transport.send(WSMsgType.TEXT, orjson.dumps(message))

    def message(self, message: dict[str, Any]) -> None:
        raise NotImplementedError


class _Streamer(_Peer):
    """Sends an offer to each player and every candidate back."""

    def __init__(self, endpoint_id: str) -> None:
        super().__init__()
        self.endpoint_id = endpoint_id

    def message(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "iceCandidate":
            self.send({"type": kind, "candidate": message["candidate"], "playerId": message["playerId"]})
        elif kind == "identify":
            self.send({"type": "endpointId", "id": self.endpoint_id, "protocolVersion": "1.3.0"})
        elif kind == "endpointIdConfirm":
            self.endpoint_id = message["committedId"]
            self.ready.set()
        elif kind == "playerConnected":
            self.send({"type": "offer", "sdp": SDP, "playerId": message["playerId"]})


class _Player(_Peer):
    """Subscribes, answers, and sends candidates."""

    def __init__(self, streamer: _Streamer, shown_as: str, *, resumable: bool) -> None:
        super().__init__()
        self.resumable = resumable
        self.received = 0
        self.streamer = streamer
        self.shown_as = shown_as
        self.goes_on = False
        self.sent = 0
        self.returned = 0
        self.times: list[float] = []

    def message(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if self.resumable and kind not in ("session", "pong"):
            self._count()
        if kind == "iceCandidate":
            self.times.append(time.perf_counter() - message["candidate"]["sent"])
            self.returned += 1
            if self.goes_on:
                self.fire()
        elif kind == "config":
            self.send({"type": "subscribe", "streamerId": self.shown_as or self.streamer.endpoint_id})
        elif kind == "offer":
            self.send({"type": "answer", "sdp": SDP})
            self.ready.set()

    def _count(self) -> None:
        self.received += 1
        if self.received % ACKNOWLEDGED_AT_ONCE == 0:
            self.send({"type": "ping", "time": 0, "received": self.received})

    def fire(self) -> None:
        self.sent += 1
        self.send({"type": "iceCandidate", "candidate": {**CANDIDATE, "sent": time.perf_counter()}})


@dataclass(frozen=True, slots=True)
class Phase:
    """The figures of one phase of load."""

    messages_per_second: float
    """Relayed messages: two for each round trip."""
    cpu_us: float | None
    """CPU microseconds of the server for a relayed message; None for a remote server."""
    p50_ms: float
    p99_ms: float
    lost: int
    """Candidates that did not return."""
    cpu_us_each: tuple[float, ...] = ()
    """CPU microseconds for each of the server's processes."""


class Load:
    """Connected peers that can generate load."""

    def __init__(self, server: Server, streamers: list[_Streamer], players: list[_Player]) -> None:
        self._server = server
        self._streamers = streamers
        self._players = players

    @property
    def closed(self) -> int:
        """The number of connections closed by the server."""
        return sum(peer.gone for peer in (*self._streamers, *self._players))

    async def beats(self, seconds: float, interval: float) -> None:
        """Send the heartbeat of each player at an interval, evenly spread, and nothing else."""
        step, begun, sent = interval / len(self._players), time.perf_counter(), 0
        while (elapsed := time.perf_counter() - begun) < seconds:
            while sent < int(elapsed / step):
                player = self._players[sent % len(self._players)]
                player.send({"type": "ping", "time": 0, "received": player.received})
                sent += 1
            await asyncio.sleep(0.01)

    async def closed_loop(self, seconds: float) -> Phase:
        """Keep one candidate of each player in flight."""
        phase = _Measure(self._server, self._players)
        for player in self._players:
            player.goes_on = True
            player.fire()
        await asyncio.sleep(seconds)
        return await phase.end()

    async def open_loop(self, seconds: float, rate: float) -> Phase:
        """Send `rate` candidates per second, from the players in turn."""
        phase = _Measure(self._server, self._players)
        fired = 0
        while (elapsed := time.perf_counter() - phase.begun) < seconds:
            while fired < int(elapsed * rate):
                self._players[fired % len(self._players)].fire()
                fired += 1
            await asyncio.sleep(0.001)
        return await phase.end()


class _Measure:
    """One phase, from its beginning to its end."""

    def __init__(self, server: Server, players: list[_Player]) -> None:
        self._players = players
        self._pids = server.pids
        for player in players:
            player.sent = player.returned = 0
            player.times.clear()
        self._cpu = [cpu_seconds(pid) for pid in self._pids]
        self.begun = time.perf_counter()

    async def end(self) -> Phase:
        """Stop sending, wait for outstanding candidates and return the figures."""
        seconds = time.perf_counter() - self.begun
        relayed = 2 * self._returned()
        cpu = [cpu_seconds(pid) - before for pid, before in zip(self._pids, self._cpu, strict=True)]
        for player in self._players:
            player.goes_on = False
        sent = sum(player.sent for player in self._players)
        for _ in range(int(RETURN_SECONDS / POLL_SECONDS)):
            if self._returned() == sent:
                break
            await asyncio.sleep(POLL_SECONDS)
        times = sorted(each for player in self._players for each in player.times)
        return Phase(
            messages_per_second=relayed / seconds,
            cpu_us=sum(cpu) / max(relayed, 1) * 1e6 if cpu else None,
            p50_ms=quantile(times, 0.50) * 1e3,
            p99_ms=quantile(times, 0.99) * 1e3,
            lost=sent - self._returned(),
            cpu_us_each=tuple(each / max(relayed, 1) * 1e6 for each in cpu),
        )

    def _returned(self) -> int:
        return sum(player.returned for player in self._players)


def quantile(ordered: list[float], share: float) -> float:
    """Return the value below which this share of the ordered values lies; NaN without values."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


@asynccontextmanager
async def connected(
    server: Server, players: int, streamers: int, shown_as: str = "", *, seconds: float = JOIN_SECONDS
) -> AsyncIterator[Load]:
    """Connect the peers and subscribe each player to its streamer; raise TimeoutError when that takes longer.

    `shown_as` is the name of the streamer that a matchmaker has chosen; without it each player subscribes to its own.
    """
    transports: list[WSTransport] = []

    async def connect(peer: _Peer, url: str) -> None:
        transport, _ = await ws_connect(lambda: peer, url)
        transports.append(transport)

    try:
        async with asyncio.timeout(seconds):
            sources = [_Streamer(f"bench{number}") for number in range(streamers)]
            for source in sources:
                await connect(source, server.streamer_url)
                await source.ready.wait()
            resumable = server.player_url.endswith(RESUMABLE)
            audience = [
                _Player(sources[number % streamers], shown_as, resumable=resumable) for number in range(players)
            ]
            for player in audience:
                await connect(player, server.player_url)
            for player in audience:
                await player.ready.wait()
        yield Load(server, sources, audience)
    finally:
        for transport in transports:
            transport.disconnect(graceful=False)
