"""The cost of a message through the router or the matchmaker: CPU time against a proxy without features, in one run.

    python -m benchmarks.proxies [--through router] [--rounds 5] [--seconds 4] [--players 100] [--check]

Players send messages of the size of a candidate to an echo server behind the proxy, each when the previous one has
returned. The proxies are measured in turn, each in a fresh process, and the result is the ratio of the medians. Router
and matchmaker have default settings except for their upstream and the limits of an address: the router has the echo
server as its matchmaker, the matchmaker finds it in a redis-server as a streamer without a limit. `--check` exits with
1 when the goal is missed.
"""

import argparse
import asyncio
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from benchmarks.command import command_line, measured, verdict
from benchmarks.figures import record
from benchmarks.matching.processes import free_port, redis, wait_until_ready
from benchmarks.processes import START_SECONDS, cpu_seconds, resident_kib, start_python
from pixelfleet.fleet.model import ServerReport, StreamerReport
from pixelfleet.fleet.open import open_store

WARM_UP_SECONDS: Final = 1.0
HOST: Final = "127.0.0.1"
FLOOR: Final = "bare picows"
ROUTER: Final = "router"
MATCHMAKER: Final = "matchmaker"
MOST: Final = 1.5
MESSAGE: Final = orjson.dumps({"type": "iceCandidate", "candidate": {"candidate": "x" * 110, "sdpMid": "0"}, "n": 0})


class Player(WSListener):
    """Sends a message whenever the previous one has returned."""

    def __init__(self) -> None:
        self.transport: WSTransport | None = None
        self.round_trips = 0
        self.answered = asyncio.Event()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        transport.send(WSMsgType.TEXT, MESSAGE)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        # A matchmaker also sends messages of its own, which must not be bounced.
        if frame.msg_type is WSMsgType.TEXT and (data := frame.get_payload_as_bytes()) == MESSAGE:
            self.round_trips += 1
            self.answered.set()
            transport.send(WSMsgType.TEXT, data)


@dataclass(frozen=True, slots=True)
class Sample:
    """One proxy in one round."""

    cpu_us: float
    """CPU microseconds of the proxy for a relayed message; a round trip is two."""
    messages_per_second: float
    kib: float
    """Additional memory for each player."""


@asynccontextmanager
async def started(*arguments: str, program: Sequence[str] = (sys.executable, "-m")) -> AsyncIterator[tuple[int, int]]:
    """Run a program, by default a Python module; yield its port and its process id."""
    running = await start_python(*arguments, fact="port", program=program)
    try:
        yield running.facts["port"], running.pid
    finally:
        await running.end()


async def measure(port: int, pid: int, players: int, seconds: float) -> Sample:
    """Load one proxy."""
    before = resident_kib(pid)
    made = [Player() for _ in range(players)]
    for player in made:
        await ws_connect(lambda player=player: player, f"ws://{HOST}:{port}/ws")
    try:
        async with asyncio.timeout(START_SECONDS):
            await asyncio.gather(*(player.answered.wait() for player in made))
        await asyncio.sleep(WARM_UP_SECONDS)
        count, cpu = sum(player.round_trips for player in made), cpu_seconds(pid)
        await asyncio.sleep(seconds)
        messages = 2 * (sum(player.round_trips for player in made) - count)
        used = cpu_seconds(pid) - cpu
        return Sample(used / messages * 1e6, messages / seconds, (resident_kib(pid) - before) / players)
    finally:
        for player in made:
            if player.transport is not None:
                player.transport.disconnect(graceful=False)


class Proxies:
    """The proxies in front of the echo server, each time in a fresh process."""

    def __init__(self, echo: int, folder: Path) -> None:
        self._echo = echo
        self._url = f"ws://{HOST}:{echo}/"
        self._folder = folder

    @asynccontextmanager
    async def running(self, name: str) -> AsyncIterator[tuple[int, int]]:
        """Run one of them; yield its port and its process id."""
        ours = (
            *("pixelfleet_cli.cli", name, "--log-format", "json"),
            *("--host", HOST, "--port", "0", "--metrics-port", "0"),
        )
        async with AsyncExitStack() as stack:
            if name == FLOOR:
                yield await stack.enter_async_context(started("benchmarks.bare_proxy", self._url))
            elif name == ROUTER:
                page = self._folder / "index.html"
                page.write_text("<!doctype html>", encoding="utf-8")
                limits = ("--joins-per-minute", "0", "--connections-per-address", "0")
                upstream = ("--matchmaker", self._url, "--page", str(self._folder))
                yield await stack.enter_async_context(started(*ours, *upstream, *limits))
            else:
                server = await redis(free_port(), self._folder)
                stack.push_async_callback(server.end)
                url = f"redis://{HOST}:{server.facts['port']}"
                options = ("--redis-url", url, "--session-key", secrets.token_hex(32))
                port, pid = await stack.enter_async_context(started(*ours, *options))
                await wait_until_ready(port)
                await self._report(url)
                yield port, pid

    async def _report(self, redis_url: str) -> None:
        """Keep the echo server registered as a streamer until the players are connected."""
        streamer = StreamerReport(server_id="echo", endpoint_id="echo", app="default", url=self._url, capacity=0)
        async with open_store(redis_url) as store:
            sequence = time.time_ns() // 1000
            await store.report(ServerReport(server_id="echo", sequence=sequence, streamers=(streamer,)))


async def rounds(args: argparse.Namespace) -> dict[str, list[Sample]]:
    """Load all proxies in every round, in alternating order."""
    names = [FLOOR, *(args.through or (ROUTER, MATCHMAKER))]
    samples: dict[str, list[Sample]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        async with started("benchmarks.echo") as (echo, _):
            proxies = Proxies(echo, Path(folder))
            for number in range(args.rounds):
                first = number % len(names)
                for name in [*names[first:], *names[:first]]:
                    async with proxies.running(name) as (port, pid):
                        samples[name].append(await measure(port, pid, args.players, args.seconds))
    return samples


def ratio(samples: dict[str, list[Sample]], name: str) -> float:
    """Return the median cost of a message through one of our services as a multiple of the floor's."""
    ours, floor = (statistics.median(sample.cpu_us for sample in samples[each]) for each in (name, FLOOR))
    return ours / floor


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = command_line("the cost of a message through router or matchmaker", rounds=5, seconds=4.0, players=100)
    parser.add_argument("--through", choices=(ROUTER, MATCHMAKER), action="append", help="measure only this one")
    args = parser.parse_args(argv)
    samples = measured("proxies", rounds(args))
    print(f"Medians of {args.rounds} rounds; {args.players} players.")
    for name, each in samples.items():
        cpu, rate, kib = (
            statistics.median(getattr(sample, figure) for sample in each)
            for figure in ("cpu_us", "messages_per_second", "kib")
        )
        print(f"{name:12} {cpu:5.1f} us CPU a message  {rate:8,.0f} messages/s  {kib:5.1f} KiB a player")
    found = {name: ratio(samples, name) for name in samples if name != FLOOR}
    for name, times in found.items():
        record(f"CPU a message through the {name}", times, goal=MOST)
        print(f"CPU a message through the {name}: x{times:.2f}, goal x{MOST} or less")
    missed = [f"the {name}: x{times:.2f}, goal x{MOST} or less" for name, times in found.items() if times > MOST]
    return verdict(missed, check=args.check)


if __name__ == "__main__":
    sys.exit(main())
