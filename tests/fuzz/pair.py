"""A well-behaved streamer and player beside the attackers: they must lose nothing and receive nothing foreign."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.fuzz.wire import ServerError
from tests.parts import PATIENCE_SECONDS

PACE_SECONDS: Final = 0.005
WINDOW: Final = 32
"""Messages in flight: a lost one stops the exchange, and a swapped one violates the order."""
SERVER_SAYS: Final = frozenset({"config", "streamerList", "pong"})

Message = dict[str, Any]


@dataclass(slots=True)
class Pair:
    """Exchanges numbered messages until it is stopped. Each has the text `secret`, which no other peer has."""

    player_port: int
    streamer_port: int
    name: str
    secret: str
    max_message_bytes: int
    exchanged: int = 0
    slowest: float = 0.0
    """Seconds of the slowest round trip."""
    player_id: str = ""
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    _sent_at: dict[int, float] = field(default_factory=dict)
    _window: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(WINDOW))
    _known: set[str] = field(default_factory=set)
    """The players that were announced to the streamer."""

    async def run(self) -> None:
        """Exchange messages; raise ServerError when one is lost, late, changed, or for another receiver."""
        urls = (f"ws://127.0.0.1:{self.streamer_port}", f"ws://127.0.0.1:{self.player_port}")
        options: dict[str, Any] = {"compression": None, "proxy": None, "max_size": self.max_message_bytes + 1_000}
        async with connect(urls[0], **options) as streamer, connect(urls[1], **options) as player:
            await self._meet(streamer, player)
            async with asyncio.TaskGroup() as group:
                listening = (
                    group.create_task(self._streamer_receives(streamer)),
                    group.create_task(self._player_receives(player)),
                )
                await self._player_sends(player)
                for task in listening:
                    task.cancel()

    async def _meet(self, streamer: ClientConnection, player: ClientConnection) -> None:
        await _send(streamer, "endpointId", id=self.name, protocolVersion="1.3.0")
        await _receive(streamer, "endpointIdConfirm")
        await _send(player, "subscribe", streamerId=self.name)
        self.player_id = (await _receive(streamer, "playerConnected"))["playerId"]
        self._known.add(self.player_id)
        self.ready.set()

    async def _player_sends(self, player: ClientConnection) -> None:
        number = 0
        while not self.stop.is_set():
            await self._turn()
            number += 1
            self._sent_at[number] = time.perf_counter()
            await _send(player, "iceCandidate", candidate={"candidate": f"{self.secret} {number}"})
            await asyncio.sleep(PACE_SECONDS)
        for _ in range(WINDOW):
            await self._turn()

    async def _turn(self) -> None:
        """Wait until there is room in the window."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._window.acquire()
        except TimeoutError:
            lost = next(iter(self._sent_at))
            raise ServerError(f"the well-behaved pair waited {PATIENCE_SECONDS:g} s for message {lost}") from None

    async def _streamer_receives(self, streamer: ClientConnection) -> None:
        expected = 1
        while True:
            message = await _any(streamer)
            kind, player_id = message["type"], str(message.get("playerId"))
            if kind == "playerConnected":
                if player_id in self._known:
                    raise ServerError(f"player {player_id} connected twice")
                self._known.add(player_id)
            elif kind == "playerDisconnected":
                if player_id not in self._known or player_id == self.player_id:
                    raise ServerError(f"player {player_id} disconnected, which was not connected or should not have")
                self._known.remove(player_id)
            elif kind in SERVER_SAYS:
                continue
            elif player_id not in self._known:
                raise ServerError(f"{kind} came from player {player_id}, which is not subscribed")
            elif player_id == self.player_id:
                if message.get("candidate") != {"candidate": f"{self.secret} {expected}"}:
                    raise ServerError(f"the streamer received {str(message)[:200]} instead of number {expected}")
                await _send(streamer, "iceCandidate", playerId=player_id, candidate=message["candidate"])
                expected += 1

    async def _player_receives(self, player: ClientConnection) -> None:
        while True:
            message = await _any(player)
            if message["type"] in SERVER_SAYS:
                continue
            number = self.exchanged + 1
            if message.get("candidate") != {"candidate": f"{self.secret} {number}"}:
                raise ServerError(f"the player received {str(message)[:200]} instead of number {number}")
            self.exchanged = number
            self.slowest = max(self.slowest, time.perf_counter() - self._sent_at.pop(number))
            self._window.release()


async def _send(socket: ClientConnection, kind: str, **fields: object) -> None:
    try:
        await socket.send(orjson.dumps({"type": kind, **fields}), text=True)
    except ConnectionClosed as error:
        raise ServerError(f"the well-behaved pair was disconnected: {error}") from None


async def _any(socket: ClientConnection) -> Message:
    try:
        message: Message = orjson.loads(await socket.recv(decode=False))
    except ConnectionClosed as error:
        raise ServerError(f"the well-behaved pair was disconnected: {error}") from None
    return message


async def _receive(socket: ClientConnection, kind: str) -> Message:
    while (message := await _any(socket))["type"] != kind:
        pass
    return message
