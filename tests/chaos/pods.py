"""Signalling servers as they run in pods, with streamers that watch who is sent to them, and players who come back."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from benchmarks.matching import processes
from benchmarks.processes import Program
from tests.chaos.conftest import Ground
from tests.integration.peers import Peer, streamer

LIMIT_SECONDS = 60.0
COME_BACK_SECONDS = 0.3


@dataclass(eq=False)
class Streamer:
    """Offers to every player; remembers how many it had at once, at most."""

    name: str
    players: set[str] = field(default_factory=set)
    most: int = 0

    async def serve(self, peer: Peer) -> None:
        """Stream until the server is gone."""
        with suppress(ConnectionClosed):
            async for text in peer.socket:
                message = orjson.loads(text)
                if message["type"] == "playerConnected":
                    self.players.add(message["playerId"])
                    self.most = max(self.most, len(self.players))
                    await peer.send("offer", sdp=self.name, playerId=message["playerId"])
                elif message["type"] == "playerDisconnected":
                    self.players.discard(message["playerId"])


@dataclass(eq=False)
class Pod:
    """A signalling server, a process of its own, and its streamers."""

    name: str
    server: Program
    streamers: list[Streamer]


@asynccontextmanager
async def pods(ground: Ground, *, servers: int, streamers: int) -> AsyncIterator[list[Pod]]:
    """Run signalling servers that report themselves to the store; all of it is known there when this yields."""
    options = ("--redis-url", ground.redis_url, "--session-key", ground.key)
    async with AsyncExitStack() as stack:
        made = []
        for number in range(servers):
            name = f"pod{number}"
            server = await processes.signalserver(*options, "--server-id", name, log=ground.folder / "signalserver.log")
            stack.push_async_callback(server.end)
            made.append(Pod(name, server, [Streamer(f"{name}-cam{which}") for which in range(streamers)]))
        group = await stack.enter_async_context(asyncio.TaskGroup())
        tasks = []
        for pod in made:
            for each in pod.streamers:
                url = f"ws://127.0.0.1:{pod.server.facts['streamers']}"
                peer = await stack.enter_async_context(streamer(url, each.name))
                tasks.append(group.create_task(each.serve(peer)))
        stack.callback(lambda: [task.cancel() for task in tasks])
        await ground.slots_are_free(servers * streamers)
        yield made


@dataclass
class Journey:
    """What became of one player."""

    seats: list[str] = field(default_factory=list)
    """The streamers that it had, one after the other."""
    cuts: list[tuple[str, int | None]] = field(default_factory=list)
    """How it lost them: the streamer, or nothing while it waited, and the close code."""
    stayed: bool = False


async def travel(journey: Journey, urls: Sequence[str], first: int, stay: float) -> None:
    """Be a page: ask for a streamer, stay for some seconds, and come back when the socket is lost before that."""
    async with asyncio.timeout(LIMIT_SECONDS):
        for turn in count(first):
            with suppress(OSError, WebSocketException):
                async with connect(urls[turn % len(urls)], compression=None, proxy=None) as socket:
                    journey.stayed = await _stayed(journey, socket, stay)
            if journey.stayed:
                return
            await asyncio.sleep(COME_BACK_SECONDS)


async def _stayed(journey: Journey, socket: ClientConnection, stay: float) -> bool:
    """Return whether a streamer was had for as long as was wanted."""
    seat = ""
    try:
        seat = await _seat(socket)
        journey.seats.append(seat)
        async with asyncio.timeout(stay):
            await socket.wait_closed()
    except ConnectionClosed:
        pass
    except TimeoutError:
        return True
    journey.cuts.append((seat, socket.close_code))
    return False


async def _seat(socket: ClientConnection) -> str:
    """Subscribe to what was matched, and return the name of the streamer that makes an offer."""
    while True:
        message = orjson.loads(await socket.recv())
        if message["type"] == "config":
            await socket.send(orjson.dumps({"type": "subscribe", "streamerId": "default"}).decode())
        elif message["type"] == "offer":
            return str(message["sdp"])
