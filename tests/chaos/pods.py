"""Signalling servers as processes, with streamers that count their players, and players that reconnect."""

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
from tests.chaos.conftest import ControlPlane
from tests.integration.peers import Peer, streamer

LIMIT_SECONDS = 60.0
RECONNECT_SECONDS = 0.3


@dataclass(eq=False)
class Streamer:
    """A streamer that makes an offer to every player, and records its highest number of concurrent players."""

    name: str
    players: set[str] = field(default_factory=set)
    max_players: int = 0

    async def serve(self, peer: Peer) -> None:
        """Serve players until the server is gone."""
        with suppress(ConnectionClosed):
            async for text in peer.socket:
                message = orjson.loads(text)
                if message["type"] == "playerConnected":
                    self.players.add(message["playerId"])
                    self.max_players = max(self.max_players, len(self.players))
                    await peer.send("offer", sdp=self.name, playerId=message["playerId"])
                elif message["type"] == "playerDisconnected":
                    self.players.discard(message["playerId"])


@dataclass(eq=False)
class Pod:
    """A signalling server's process and its streamers."""

    name: str
    server: Program
    streamers: list[Streamer]


@asynccontextmanager
async def pods(control_plane: ControlPlane, *further: str, servers: int, streamers: int) -> AsyncIterator[list[Pod]]:
    """Run signalling servers, with `further` options, that report to the store; yield once it has all streamers."""
    options = ("--redis-url", control_plane.redis_url, "--session-key", control_plane.key, *further)
    async with AsyncExitStack() as stack:
        made = []
        for number in range(servers):
            name = f"pod{number}"
            server = await processes.signalserver(
                *options, "--server-id", name, log=control_plane.folder / "signalserver.log"
            )
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
        await control_plane.slots_are_free(servers * streamers)
        yield made


@dataclass
class Journey:
    """The history of one player."""

    streamers: list[str] = field(default_factory=list)
    """The streamers that it had, in order."""
    losses: list[tuple[str, int | None]] = field(default_factory=list)
    """Its lost connections: the streamer, or empty while it waited, and the close code."""
    stayed: bool = False


async def travel(journey: Journey, urls: Sequence[str], first: int, stay: float) -> None:
    """Act as a page: join, stay for some seconds with a streamer, and reconnect if the socket is lost before that."""
    async with asyncio.timeout(LIMIT_SECONDS):
        for turn in count(first):
            with suppress(OSError, WebSocketException):
                async with connect(urls[turn % len(urls)], compression=None, proxy=None) as socket:
                    journey.stayed = await _stayed(journey, socket, stay)
            if journey.stayed:
                return
            await asyncio.sleep(RECONNECT_SECONDS)


async def _stayed(journey: Journey, socket: ClientConnection, stay: float) -> bool:
    """Return whether the player kept a streamer for the wanted time."""
    name = ""
    try:
        name = await _matched_streamer(socket)
        journey.streamers.append(name)
        async with asyncio.timeout(stay):
            await socket.wait_closed()
    except ConnectionClosed:
        pass
    except TimeoutError:
        return True
    journey.losses.append((name, socket.close_code))
    return False


async def _matched_streamer(socket: ClientConnection) -> str:
    """Subscribe to the matched streamer, and return its name from its offer."""
    while True:
        message = orjson.loads(await socket.recv())
        if message["type"] == "config":
            await socket.send(orjson.dumps({"type": "subscribe", "streamerId": "default"}).decode())
        elif message["type"] == "offer":
            return str(message["sdp"])
