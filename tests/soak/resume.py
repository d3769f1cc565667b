"""A thousand players on a small fleet, of which a fifth loses its connection each second: `make soak-resume`.

    python -m tests.soak.resume [--players 1000] [--seconds 60] [--streamers 4] [--share 0.2] [--check]

Two routers and two matchmakers on one redis-server, and signalling servers with a streamer each, without media. Every
player exchanges numbered messages with its streamer all the time. In the end a tenth of the players is lost for good,
and the others leave. `--check` exits with 1 if a session did not resume, if a message was lost or came twice, or if the
fleet holds anything after the last window.
"""

import argparse
import asyncio
import random
import statistics
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

import orjson
from redis.asyncio import Redis
from rich.console import Console
from websockets.exceptions import ConnectionClosed

from benchmarks.command import command_line, measured, verdict
from benchmarks.matching.processes import matchmakers, redis_folder, signalserver, wait_until_ready
from benchmarks.processes import Program, cpu_seconds, resident_kib, start_python
from pixelfleet.service.lifecycle import background
from tests.integration.peers import SDP, Message, Peer, streamer
from tests.integration.resuming_page import ResumingPage
from tests.parts import eventually

KEY: Final = "k" * 32
WINDOW_SECONDS: Final = 10
PAUSE_SECONDS: Final = 1.0
"""The mean pause between two messages of one player."""

ARRIVALS_AT_ONCE: Final = 50
LATE_SECONDS: Final = 60.0
"""The longest wait for what the players still owe each other after the last cut."""


@dataclass(eq=False)
class Streamer:
    """A streamer that offers to each player, and answers each of its messages with the same."""

    connected: int = 0
    disconnected: int = 0

    async def serve(self, peer: Peer) -> None:
        """Serve players until the server is gone."""
        with suppress(ConnectionClosed):
            while True:
                message: Message = orjson.loads(await peer.socket.recv())
                if message["type"] == "playerConnected":
                    self.connected += 1
                    await peer.send("offer", sdp=SDP, playerId=message["playerId"])
                elif message["type"] == "playerDisconnected":
                    self.disconnected += 1
                elif message["type"] == "iceCandidate":
                    await peer.send("iceCandidate", candidate=message["candidate"], playerId=message["playerId"])


@dataclass(eq=False)
class Player:
    """A page that counts what comes back."""

    page: ResumingPage
    sent: int = 0
    returned: int = 0
    wrong: int = 0
    """Answers that are missing, double, or out of order."""
    plays: asyncio.Event = field(default_factory=asyncio.Event)
    silent: bool = False

    async def run(self) -> None:
        """Negotiate, then send numbered messages."""
        await self.page.receive("config")
        await self.page.send("listStreamers")
        names = (await self.page.receive("streamerList"))["ids"]
        await self.page.send("subscribe", streamerId=names[0])
        await self.page.receive("offer")
        await self.page.send("answer", sdp=SDP)
        self.plays.set()
        async with background(self._listen()):
            while True:
                await asyncio.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))
                if not self.silent:
                    await self._send()

    async def _send(self) -> None:
        candidate = {"candidate": f"candidate:{self.sent}", "sdpMid": "0", "sdpMLineIndex": 0}
        self.sent += 1
        await self.page.send("iceCandidate", candidate=candidate)
        if self.sent % 5 == 0:
            await self.page.beat()

    async def _listen(self) -> None:
        while True:
            message = await self.page.next()
            expected = f"candidate:{self.returned}"
            self.wrong += message.get("candidate", {}).get("candidate") != expected
            self.returned += 1


@dataclass
class Fleet:
    """The running fleet."""

    programs: dict[str, Program]
    entries: list[str]
    streamers: list[Streamer]
    redis_url: str

    async def keys(self) -> set[str]:
        """Return the names of the store's keys, without the times to live and the names of sessions."""
        async with Redis.from_url(self.redis_url) as client:
            found = await client.keys("*")
        return {key.decode() for key in found if isinstance(key, bytes)}

    def memory(self) -> dict[str, int]:
        """Return the resident memory of each process in KiB."""
        return {name: resident_kib(each.pid) for name, each in self.programs.items()}

    def cpu(self) -> dict[str, float]:
        """Return the processor time of each process in seconds."""
        return {name: cpu_seconds(each.pid) for name, each in self.programs.items()}


@asynccontextmanager
async def running(servers: int, capacity: int) -> AsyncIterator[Fleet]:
    """Run the fleet while the body runs."""
    async with AsyncExitStack() as stack:
        folder = await stack.enter_async_context(redis_folder())
        control = await stack.enter_async_context(matchmakers(2, "--session-key", KEY))
        programs: dict[str, Program] = {f"matchmaker {at}": each for at, each in enumerate(control.replicas, 1)}
        streamers = []
        for number in range(servers):
            options = ("--redis-url", control.redis_url, "--session-key", KEY, "--resume-seconds", str(WINDOW_SECONDS))
            server = await signalserver(*options, "--capacity", str(capacity), "--server-id", f"pod{number}")
            stack.push_async_callback(server.end)
            programs[f"signalserver {number + 1}"] = server
            peer = await stack.enter_async_context(
                streamer(f"ws://127.0.0.1:{server.facts['streamers']}", f"pod{number}-cam")
            )
            streamers.append(Streamer())
            await stack.enter_async_context(background(streamers[-1].serve(peer)))
        routers = [await _router(folder, number, control.player_urls) for number in (1, 2)]
        for number, each in enumerate(routers, 1):
            stack.push_async_callback(each.end)
            programs[f"router {number}"] = each
        entries = [f"ws://127.0.0.1:{each.facts['port']}/ws" for each in routers]
        yield Fleet({**programs, "redis": control.store}, entries, streamers, control.redis_url)


async def _router(folder: Path, number: int, urls: Sequence[str]) -> Program:
    page = folder / f"page{number}"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html><title>page</title>", encoding="utf-8")
    router = await start_python(
        *("pixelfleet_cli.cli", "router", "--log-format", "json", "--host", "127.0.0.1", "--port", "0"),
        *("--metrics-port", "0", "--page", str(page), "--session-key", KEY),
        *("--joins-per-minute", "0", "--connections-per-address", "0"),
        *(word for url in urls for word in ("--matchmaker", url.removesuffix("/"))),
        fact="port",
    )
    await wait_until_ready(router.facts["port"])
    return router


class Soak:
    """One run."""

    def __init__(self, fleet: Fleet, args: argparse.Namespace) -> None:
        self._fleet = fleet
        self._args = args
        turn = count()
        self.players = [
            Player(ResumingPage(lambda: fleet.entries[next(turn) % len(fleet.entries)])) for _ in range(args.players)
        ]
        self.cuts = 0
        self._random = random.Random(16)

    async def run(self) -> list[str]:
        """Run the phases, print the figures, and return the missed goals."""
        fleet = self._fleet
        empty, empty_memory = await fleet.keys(), fleet.memory()
        async with AsyncExitStack() as stack:
            for at in range(0, len(self.players), ARRIVALS_AT_ONCE):
                group = self.players[at : at + ARRIVALS_AT_ONCE]
                for each in group:
                    await stack.enter_async_context(background(each.page.run(), each.run()))
                await asyncio.gather(*(each.plays.wait() for each in group))
            before, cpu = fleet.memory(), fleet.cpu()
            await self._cut_connections()
            spent = {name: seconds - cpu[name] for name, seconds in fleet.cpu().items()}
            await self._come_to_rest()
            after, disconnected = fleet.memory(), sum(each.disconnected for each in fleet.streamers)
            missed = self._judge(disconnected)
            lost = self.players[: len(self.players) // 10]
            for each in self.players[len(lost) :]:
                await each.page.leave()
            for each in lost:
                each.page.lose()
        await eventually(lambda: self._all_ended, "all sessions have ended", within=LATE_SECONDS + WINDOW_SECONDS)
        await asyncio.sleep(WINDOW_SECONDS + 1)  # the places of waiting players, if there are any, expire too
        kept = {key for key in await fleet.keys() - empty if not key.endswith(("ends:default",))}
        if kept:
            missed.append(f"the store holds {len(kept)} keys more than before, such as {sorted(kept)[:3]}")
        self._print(spent, empty_memory, before, after, fleet.memory())
        return missed

    @property
    def _all_ended(self) -> bool:
        return sum(each.disconnected for each in self._fleet.streamers) >= len(self.players)

    async def _cut_connections(self) -> None:
        number = round(self._args.share * len(self.players))
        now = asyncio.get_running_loop().time
        start = now()
        for second in range(int(self._args.seconds)):
            for each in self._random.sample(self.players, number):
                self.cuts += each.page.cut()
                await asyncio.sleep(0)
            await asyncio.sleep(max(0.0, start + second + 1 - now()))

    async def _come_to_rest(self) -> None:
        """Wait until all players are back and all messages have returned."""
        for each in self.players:
            each.silent = True
        await eventually(
            lambda: all(each.sent == each.returned for each in self.players),
            "all messages have returned",
            within=LATE_SECONDS,
        )

    def _judge(self, disconnected: int) -> list[str]:
        missed = []
        if disconnected:
            missed.append(f"{disconnected} playerDisconnected while all players were there")
        if again := sum(each.page.arrivals != 1 for each in self.players):
            missed.append(f"{again} players began a new session")
        if wrong := sum(each.wrong for each in self.players):
            missed.append(f"{wrong} messages were lost, came twice or out of order")
        return missed

    def _print(self, spent: dict[str, float], *memory: dict[str, int]) -> None:
        pages = [each.page for each in self.players]
        show = Console(highlight=False, soft_wrap=True).print
        absences = sorted(1000 * each for page in pages for each in page.absences)
        codes = sorted({code for page in pages for code in page.closes})
        show(f"cuts {self.cuts}, resumed {sum(page.resumed for page in pages)}, close codes {codes}")
        show(f"messages there and back {sum(each.returned for each in self.players)}")
        show(
            f"ms from the cut to the session: median {statistics.median(absences):.1f}, "
            f"p99 {absences[int(0.99 * len(absences))]:.1f}, most {absences[-1]:.1f}"
        )
        show("process: CPU s during the cuts; MiB empty, with players, after the cuts, after the last window")
        for name in memory[0]:
            sizes = ", ".join(f"{each[name] / 1024:.1f}" for each in memory)
            show(f"  {name:15} {spent[name]:6.1f}; {sizes}")


async def _run(args: argparse.Namespace) -> list[str]:
    async with running(args.streamers, -(-args.players // args.streamers)) as fleet:
        return await Soak(fleet, args).run()


def main() -> int:
    """Run the soak; return the exit code."""
    parser = command_line(__doc__ or "", players=1000, streamers=4, seconds=60.0)
    parser.add_argument("--share", type=float, default=0.2, help="the share of connections that are cut each second")
    args = parser.parse_args()
    return verdict(measured("resume", _run(args)), check=args.check)


if __name__ == "__main__":
    sys.exit(main())
