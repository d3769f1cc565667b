"""Peers that repeatedly violate the protocol."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Final

import orjson

from pixelfleet.protocol import close_codes
from tests.fuzz.frames import Burst, Frames, Then
from tests.fuzz.heads import Heads
from tests.fuzz.messages import Messages, World
from tests.fuzz.wire import DROPPED, NO_STATUS, ServerError, Wire, connect
from tests.parts import PATIENCE_SECONDS

CALM: Final = {"player": 0.1, "streamer": 0.6, "sfu": 0.4}
"""The share of connections that follow the protocol: without lasting sources, players would not stay subscribed."""
BATCH_BYTES: Final = 32 * 1024
BATCH_FRAMES: Final = 64
FRAMES_A_CONNECTION: Final = 1_000
"""On average, unless the server closes the connection earlier."""
LEAST_HEADS: Final = 5
"""Connections of each Knocker, also if the attackers have already sent enough."""

KNOWN_CODES: Final = frozenset({code.code for code in close_codes.catalogue()} | {1007, NO_STATUS, DROPPED})
"""The catalogue, RFC 6455's code for invalid text, and the two values for "no code was sent"."""


@dataclass(slots=True)
class Tally:
    """What the attackers sent, and what they observed."""

    wanted: int
    secret: bytes
    """A text that only the well-behaved pair may receive."""
    frames: int = 0
    octets: int = 0
    connections: int = 0
    heads: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    """Bursts by kind."""
    closes: Counter[int] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    """Rules that the server violated, with counts."""

    @property
    def over(self) -> bool:
        """Whether enough was sent."""
        return self.frames >= self.wanted


class Attacker:
    """The successive connections of one hostile peer."""

    def __init__(self, role: str, port: int, random: Random, world: World, tally: Tally, message_bytes: int) -> None:
        self._role = role
        self._port = port
        self._random = random
        self._world = world
        self._tally = tally
        self._messages = Messages(random, role, world)
        self._frames = Frames(random, self._messages, message_bytes)
        self._next = self._frames.burst

    async def run(self) -> None:
        """Attack until enough frames have been sent."""
        while not self._tally.over:
            await self._connection()

    async def _connection(self) -> None:
        self._messages.subscribers.clear()
        self._frames.codes.clear()
        self._next = self._frames.calm if self._random.random() < CALM[self._role] else self._frames.burst
        deaf = self._random.random() < 0.02
        wire = await connect(self._port, self._on_message, answers=self._random.random() < 0.9)
        self._tally.connections += 1
        last = "upgrade"
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await wire.upgrade()
            if deaf:
                wire.stop_reading()
            burst = await self._attack(wire, deaf=deaf)
            last = burst.kind
            if not deaf:
                await self._await_end(wire, burst.then)
        except TimeoutError:
            self._tally.wrong[f"{self._role}: not closed, or no answer, after: {last}"] += 1
        except ConnectionError:
            self._tally.wrong[f"{self._role}: cut before the answer to a good upgrade"] += 1
        finally:
            ours = wire.is_open and not wire.is_closing
            wire.hang_up(reset=self._random.random() < 0.5)
            code = await wire.ended
        if wire.wrong is not None:
            self._tally.wrong[f"{self._role}: {wire.wrong}"] += 1
        if not ours:
            self._judge(wire, code)

    async def _attack(self, wire: Wire, *, deaf: bool) -> Burst:
        """Send frames until the connection ends; return the last burst."""
        await wire.write(self._preamble())
        left = int(self._random.expovariate(1 / FRAMES_A_CONNECTION)) + 1
        while True:
            burst, data, frames = self._batch()
            await wire.write(data)
            self._tally.frames += frames
            self._tally.octets += len(data)
            left -= frames
            if burst.then is not Then.GO_ON or left < 0 or not wire.is_open or wire.is_closing or self._tally.over:
                return burst
            if self._random.random() < 0.5 and not deaf:
                # After the pong, the attacker's next messages follow the answers to its earlier ones.
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await wire.round_trip(self._random.randbytes(8))
            else:
                await asyncio.sleep(0)  # a write that does not block gives no other task a turn

    def _batch(self) -> tuple[Burst, bytes, int]:
        """Return the last of some bursts, the bytes of all of them, and their number of frames."""
        parts: list[bytes] = []
        frames = size = 0
        most = self._random.randrange(1, BATCH_FRAMES)
        while True:
            burst = self._next()
            parts.append(burst.data)
            frames += burst.frames
            size += len(burst.data)
            self._tally.kinds[burst.kind] += 1
            if burst.then is not Then.GO_ON or frames >= most or size >= BATCH_BYTES:
                return burst, b"".join(parts), frames

    def _preamble(self) -> bytes:
        """Return the first messages of a well-behaved peer, so that later ones get further; sometimes nothing."""
        if self._random.random() < 0.15:
            return b""
        kinds = {
            "player": ("subscribe",),
            "streamer": ("endpointId",),
            "sfu": ("endpointId", "subscribe", "startStreaming"),
        }
        parts = [self._frames.whole(orjson.dumps(self._messages.right(kind))) for kind in kinds[self._role]]
        return b"".join(parts)

    async def _await_end(self, wire: Wire, then: Then) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            if then is Then.MUST_CLOSE or wire.is_closing:
                await asyncio.shield(wire.ended)
            elif then is Then.GO_ON:
                await wire.round_trip(self._random.randbytes(8))

    def _on_message(self, data: bytes) -> None:
        if self._tally.secret in data:
            raise ServerError("received a message for another player")
        if data.startswith(
            (b'{"type":"playerConnected"', b'{"type":"playerDisconnected"', b'{"type":"endpointIdConfirm"')
        ):
            self._learn(orjson.loads(data))

    def _learn(self, message: dict[str, str]) -> None:
        """Track the subscribed players: the server may announce each player once, and its end once."""
        subscribers = self._messages.subscribers
        if message["type"] == "endpointIdConfirm":
            self._world.committed_ids.append(message["committedId"])
        elif message["type"] == "playerConnected":
            if message["playerId"] in subscribers:
                raise ServerError("a player was announced twice")
            subscribers.append(message["playerId"])
            self._world.player_ids.append(message["playerId"])
        elif message["playerId"] not in subscribers:
            raise ServerError("the end of an unknown player was announced")
        else:
            subscribers.remove(message["playerId"])

    def _judge(self, wire: Wire, code: int) -> None:
        """Check the way in which the server ended a connection."""
        self._tally.closes[code] += 1
        if code in self._frames.codes:
            return  # the echo of the attacker's own close
        if code not in KNOWN_CODES:
            self._tally.wrong[f"{self._role}: closed with {code}, which is not in the catalogue"] += 1
        if code == close_codes.DISCONNECTED_BY_STREAMER.code and not wire.reason:
            self._tally.wrong[f"{self._role}: closed with 1011 and no reason: an internal error"] += 1


class Knocker:
    """Successive connections that never become a websocket."""

    def __init__(self, ports: tuple[int, ...], random: Random, tally: Tally, handshake_seconds: float) -> None:
        self._ports = ports
        self._random = random
        self._tally = tally
        self._heads = Heads(random)
        self._patience = handshake_seconds + PATIENCE_SECONDS

    async def send_heads(self) -> None:
        """Send malformed heads until the attackers have sent enough; some in any case."""
        sent = 0
        while not self._tally.over or sent < LEAST_HEADS:
            await self._knock(self._heads.head(), or_answered=True)
            sent += 1

    async def send_halves(self) -> None:
        """Send heads that never end until the attackers have sent enough."""
        while not self._tally.over:
            await self._knock(self._heads.half(), or_answered=False)

    async def _knock(self, data: bytes, *, or_answered: bool) -> None:
        port = self._random.choice(self._ports)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        self._tally.heads += 1
        try:
            writer.write(data)
            async with asyncio.timeout(self._patience):
                while await reader.read(65_536) and not or_answered:
                    pass
        except ConnectionError:
            pass  # reset, as it should be
        except TimeoutError:
            self._tally.wrong[f"a connection was left open after {data[:60]!r} ({len(data)} bytes)"] += 1
        finally:
            writer.transport.abort()
