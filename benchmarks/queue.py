"""The cost of waiting players for one matchmaker, and the time in which a freed streamer is matched.

    python -m benchmarks.queue [--players 10000] [--seconds 20] [--check]

One matchmaker on a redis-server, without a streamer until the end. The CPU time to accept a player includes matchmaker
and redis-server, from /proc.
"""

import argparse
import asyncio
import secrets
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

from benchmarks.command import command_line, measured, verdict
from benchmarks.figures import record
from benchmarks.idle import OTHER_FILES, allow_files
from benchmarks.matching.processes import matchmakers
from benchmarks.matching.servers import Fleet
from benchmarks.processes import Program, cpu_seconds, resident_kib
from pixelfleet.fleet.open import open_store

MAX_KIB: Final = 18.0
MAX_CPU_SHARE: Final = 0.10
MAX_ACCEPT_RATIO: Final = 1.3
MAX_MATCH_MS: Final = 50.0
FEW: Final = 10
SAMPLE: Final = 500
"""Players whose acceptance is measured, with few and with many waiting."""

SETTLE_SECONDS: Final = 5.0


class Waiting(WSListener):
    """A player in the queue."""

    transport: WSTransport

    def __init__(self, queue: "Queue") -> None:
        self._queue = queue
        self.updates = 0
        self.dropped = False

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.TEXT:
            self.updates += 1
            if b'"config"' in frame.get_payload_as_bytes():
                self._queue.matched.set()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.dropped = True


class Queue:
    """The players that wait, in this process."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.players: list[Waiting] = []
        self.matched = asyncio.Event()

    async def grow(self, count: int) -> None:
        """Add this many waiting players."""
        for _ in range(count):
            player = Waiting(self)
            await ws_connect(lambda player=player: player, self._url, enable_auto_pong=False)
            self.players.append(player)

    def end(self) -> None:
        """Abort all connections."""
        for player in self.players:
            if not player.dropped:
                player.transport.disconnect(graceful=False)


@dataclass(frozen=True, slots=True)
class Figures:
    """The measured figures."""

    players: int
    accept_few_us: float
    accept_many_us: float
    kib_each: float
    cpu_share: float
    """Share of one core, of matchmaker and redis-server, while nothing happened."""
    match_ms: tuple[float, ...]
    """Milliseconds from a streamer's first report to the `config` of its player."""
    dropped: int

    def missed(self) -> list[str]:
        """Return the goals that this run misses."""
        found = []
        if self.accept_many_us > MAX_ACCEPT_RATIO * self.accept_few_us:
            found.append(f"accepting one costs x{self.accept_many_us / self.accept_few_us:.2f} with many waiting")
        if self.kib_each > MAX_KIB:
            found.append(f"{self.kib_each:.1f} KiB a player, the goal is {MAX_KIB:g} or less")
        if self.cpu_share >= MAX_CPU_SHARE:
            found.append(f"{self.cpu_share:.1%} of a core, the goal is less than {MAX_CPU_SHARE:.0%}")
        if sorted(self.match_ms)[len(self.match_ms) // 2] >= MAX_MATCH_MS:
            found.append(f"a freed streamer took {self.match_ms} ms, the goal is less than {MAX_MATCH_MS:g}")
        if self.dropped:
            found.append(f"{self.dropped} players dropped")
        return found


async def measure(args: argparse.Namespace, console: Console) -> Figures:
    """Fill the queue, let it idle, and free some streamers."""
    key = secrets.token_hex(32)
    limit = str(args.players + 2 * SAMPLE)
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(matchmakers(1, "--session-key", key, "--max-queue", limit))
        programs, (replica,) = running.programs, running.replicas
        queue = Queue(running.player_urls[0])
        stack.callback(queue.end)
        memory = resident_kib(replica.pid)
        await queue.grow(FEW)
        few = await _cost_of(queue, SAMPLE, programs)
        with console.status(f"{args.players:,} players join"):
            await queue.grow(args.players - FEW - SAMPLE)
        many = await _cost_of(queue, SAMPLE, programs)
        await asyncio.sleep(SETTLE_SECONDS)
        occupied = resident_kib(replica.pid) - memory
        begun, before = time.perf_counter(), _cpu(programs)
        with console.status(f"{len(queue.players):,} players wait for {args.seconds:g} s"):
            await asyncio.sleep(args.seconds)
        share = (_cpu(programs) - before) / (time.perf_counter() - begun)
        waits = []
        fleet = await stack.enter_async_context(Fleet(5, key=key).listening())
        client = await stack.enter_async_context(open_store(running.redis_url))
        await client.renew("the benchmark", "")
        for server in fleet.servers:
            await asyncio.sleep(0.2)
            queue.matched.clear()
            begun = time.perf_counter()
            await fleet.report_once(server, client)
            async with asyncio.timeout(10):
                await queue.matched.wait()
            waits.append((time.perf_counter() - begun) * 1000)
        return Figures(
            players=len(queue.players),
            accept_few_us=few,
            accept_many_us=many,
            kib_each=occupied / len(queue.players),
            cpu_share=share,
            match_ms=tuple(round(wait, 1) for wait in waits),
            dropped=sum(player.dropped for player in queue.players),
        )


def _cpu(programs: Sequence[Program]) -> float:
    return sum(cpu_seconds(program.pid) for program in programs)


async def _cost_of(queue: Queue, count: int, programs: Sequence[Program]) -> float:
    before = _cpu(programs)
    await queue.grow(count)
    return (_cpu(programs) - before) / count * 1e6


def table(figures: Figures) -> Table:
    """Return the figures as a table."""
    shown = Table(f"{figures.players:,} waiting players", Column("", justify="right"), box=SIMPLE_HEAD)
    shown.add_row(f"CPU to accept one, {FEW} waiting, us", f"{figures.accept_few_us:,.0f}")
    ratio = figures.accept_many_us / figures.accept_few_us
    shown.add_row("CPU to accept one, all waiting, us", f"{figures.accept_many_us:,.0f} x{ratio:.2f}")
    shown.add_row("KiB a player", f"{figures.kib_each:.1f}")
    shown.add_row("CPU, share of a core", f"{figures.cpu_share:.1%}")
    shown.add_row("a freed streamer is matched, ms", ", ".join(f"{wait:g}" for wait in figures.match_ms))
    shown.add_row("dropped", str(figures.dropped))
    return shown


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = command_line("the cost of waiting players for a matchmaker", seconds=20.0, players=10_000)
    args = parser.parse_args(argv)
    if args.players < FEW + 2 * SAMPLE:
        parser.error(f"--players must be at least {FEW + 2 * SAMPLE}")
    allow_files(args.players + SAMPLE + OTHER_FILES)
    figures = measured("queue", measure(args, Console(stderr=True)))
    record(
        "CPU to accept, behind all to behind few", figures.accept_many_us / figures.accept_few_us, goal=MAX_ACCEPT_RATIO
    )
    record("memory of a waiting player", figures.kib_each, "KiB", goal=MAX_KIB)
    record("CPU without events", 100 * figures.cpu_share, "% of a core", goal=100 * MAX_CPU_SHARE)
    Console().print(table(figures))
    return verdict(figures.missed(), check=args.check)


if __name__ == "__main__":
    sys.exit(main())
