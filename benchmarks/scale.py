"""CPU and memory of each service as streamers and players grow, and what 100,000 players need.

    python -m benchmarks.scale [--size 1 --size 300 --size 1000 --size 3000] [--seconds 10] [--check]

At each size N, N players join through a router and a matchmaker and stay with one signalling server; each page sends
its heartbeat every 2 s. Beside them N signalling servers with one streamer each report to Redis every 2 s, from this
process. The costs of a player are the slopes over the sizes. Those of 100,000 players are extrapolated: nothing of this
size is measured here.
"""

import argparse
import asyncio
import math
import statistics
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

from benchmarks.chain import APP, services
from benchmarks.command import command_line, measured, verdict
from benchmarks.figures import record
from benchmarks.idle import OTHER_FILES, allow_files
from benchmarks.load import RESUMABLE, connected
from benchmarks.processes import Server, cpu_seconds, resident_kib
from pixelfleet.fleet.bounds import HEARTBEAT_SECONDS
from pixelfleet.fleet.model import ServerReport, StreamerReport
from pixelfleet.fleet.open import open_store
from pixelfleet.fleet.store import FleetStore
from pixelfleet.service.lifecycle import background
from pixelfleet.service.logs import configure

SIZES: Final = (1, 300, 1000, 3000)
"""The default sizes, for a machine of two cores whose other work includes the load."""

TARGET: Final = 100_000
SESSION_SECONDS: Final = 900.0
"""The mean length of a session at the target: each player arrives once in this time."""

SHARE: Final = 0.6
"""The share of a core that a replica should use at most; each service is one process with one thread."""

PARTS: Final = ("router", "matchmaker", "signalserver", "redis")
REPLICAS: Final = {"signalserver": "a stream's", "redis": "1"}
"""The parts whose number does not follow from the load: each stream has a signalling server, and Redis is one."""

BEAT_SECONDS: Final = 2.0
STREAMERS: Final = 20
"""The streamers of the signalling server with players."""

SETTLE_SECONDS: Final = 3.0
JOIN_SECONDS: Final = 240.0
REPORTED: Final = "reported"
"""The application of the streamers that only report."""


class Cost(msgspec.Struct, frozen=True):
    """What a service uses at one size."""

    share: float
    """Of a core, while nothing happens but heartbeats and reports."""
    kib: float
    """Memory above that without players, in KiB."""
    arrival_us: float
    """CPU microseconds for the arrival of a player."""


Costs = dict[int, dict[str, Cost]]


async def _report(store: FleetStore, count: int, seconds: float) -> None:
    """Report as `count` servers with one streamer each, evenly spread over each interval, until cancelled."""
    loop = asyncio.get_running_loop()
    for sequence in range(1, sys.maxsize):
        begun = loop.time()
        for number in range(count):
            name = f"reported{number}"
            report = StreamerReport(server_id=name, endpoint_id="cam", app=REPORTED, url=f"ws://127.0.0.1:1/{number}")
            await store.report(ServerReport(server_id=name, sequence=sequence, streamers=(report,)))
            if (ahead := begun + number * seconds / count - loop.time()) > 0:
                await asyncio.sleep(ahead)
        await asyncio.sleep(max(0.0, begun + seconds - loop.time()))


@asynccontextmanager
async def _reported(port: int, count: int) -> AsyncIterator[None]:
    async with open_store(f"redis://127.0.0.1:{port}") as store, background(_report(store, count, HEARTBEAT_SECONDS)):
        yield


async def measure(size: int, seconds: float) -> dict[str, Cost]:
    """Return the costs of each service with `size` players and as many streamers."""
    streamers = min(size, STREAMERS)
    async with services(-(-size // streamers)) as chain:
        programs = dict(zip(PARTS, (chain.router, chain.matchmaker, chain.signals, chain.store), strict=True))
        pids = {name: each.pid for name, each in programs.items()}
        server = Server(
            f"ws://127.0.0.1:{chain.router.facts['port']}/ws{RESUMABLE}",
            f"ws://127.0.0.1:{chain.signals.facts['streamers']}/",
            None,
        )
        await asyncio.sleep(SETTLE_SECONDS)
        memory, idle = {name: resident_kib(pid) for name, pid in pids.items()}, _cpu(pids)
        async with connected(server, size, streamers, APP, seconds=JOIN_SECONDS) as load:
            joined = _cpu(pids)
            async with _reported(chain.store.facts["port"], size):
                await load.beats(SETTLE_SECONDS, BEAT_SECONDS)
                before = _cpu(pids)
                await load.beats(seconds, BEAT_SECONDS)
                after = _cpu(pids)
            if load.closed:
                raise OSError(f"{load.closed} connections were closed with {size} players")
            return {
                name: Cost(
                    share=(after[name] - before[name]) / seconds,
                    kib=resident_kib(pid) - memory[name],
                    arrival_us=(joined[name] - idle[name]) / size * 1e6,
                )
                for name, pid in pids.items()
            }


def _cpu(pids: dict[str, int]) -> dict[str, float]:
    return {name: cpu_seconds(pid) for name, pid in pids.items()}


class Need(msgspec.Struct, frozen=True):
    """What one service needs at the target, by its slopes."""

    cores: float
    kib_each: float
    """Memory for a player."""
    us_each: float
    """CPU microseconds for a player and second, without its arrival."""
    arrival_us: float

    @property
    def replicas(self) -> int:
        """The number of replicas, of which each uses SHARE of a core at most."""
        return max(1, math.ceil(self.cores / SHARE))

    @property
    def players_of_one(self) -> int:
        """The number of players at which one process uses SHARE of a core."""
        return round(SHARE / self.cores * TARGET) if self.cores > 0 else sys.maxsize


def need(costs: Costs, name: str) -> Need:
    """Return what a service needs, from the slopes of its costs over the sizes."""
    sizes = sorted(costs)
    share, kib = (
        max(0.0, statistics.linear_regression(sizes, [getattr(costs[size][name], field) for size in sizes]).slope)
        for field in ("share", "kib")
    )
    arrival = costs[sizes[-1]][name].arrival_us
    cores = share * TARGET + arrival * 1e-6 * TARGET / SESSION_SECONDS
    return Need(cores=cores, kib_each=kib, us_each=share * 1e6, arrival_us=arrival)


def first_limit(needs: dict[str, Need]) -> str:
    """Return which part limits the fleet first: Redis is the only one without further replicas."""
    redis = needs["redis"]
    if redis.cores <= SHARE:
        return f"no part limits {TARGET:,} players: Redis, which has no replicas, uses {redis.cores:.0%} of a core"
    return (
        f"Redis limits the fleet first: it uses {SHARE:.0%} of a core at {redis.players_of_one:,} players and streamers"
    )


def show(costs: Costs, needs: dict[str, Need], console: Console) -> None:
    """Print the measured costs, and the extrapolation."""
    shown = Table(Column("players and streamers", justify="right"), box=SIMPLE_HEAD)
    for name in PARTS:
        shown.add_column(f"{name}: CPU, MiB", justify="right")
    for size, found in costs.items():
        shown.add_row(f"{size:,}", *(f"{found[name].share:.1%}, {found[name].kib / 1024:.1f}" for name in PARTS))
    console.print(shown)
    shown = Table(box=SIMPLE_HEAD, title=f"{TARGET:,} players in sessions of {SESSION_SECONDS:g} s, extrapolated")
    for name in ("", "us/s each", "us an arrival", "KiB each", "cores", "replicas", "players of one"):
        shown.add_column(name, justify="right" if name else "left")
    for name, each in needs.items():
        replicas = REPLICAS.get(name, str(each.replicas))
        figures = (f"{each.us_each:.1f}", f"{each.arrival_us:.0f}", f"{each.kib_each:.1f}", f"{each.cores:.2f}")
        shown.add_row(name, *figures, replicas, f"{each.players_of_one:,}")
    console.print(shown)
    console.print(first_limit(needs))


async def run(args: argparse.Namespace) -> Costs:
    """Measure all sizes."""
    costs = {}
    for size in args.size or SIZES:
        costs[size] = await measure(size, args.seconds)
        print(".", end="", flush=True, file=sys.stderr)
    print(file=sys.stderr)
    return costs


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = command_line("CPU and memory of each service as streamers and players grow", seconds=10.0)
    parser.add_argument("--size", type=int, action="append", help="players and streamers; given at least twice")
    args = parser.parse_args(argv)
    if args.size is not None and (len(set(args.size)) < 2 or min(args.size) < 1):
        parser.error("--size: give at least two sizes")
    allow_files(2 * max(args.size or SIZES) + OTHER_FILES)
    configure("error", "console")
    costs = measured("scale", run(args))
    needs = {name: need(costs, name) for name in PARTS}
    show(costs, needs, Console())
    for name, each in needs.items():
        record(f"CPU of a player and second, {name}", each.us_each, "us")
        record(f"memory of a player, {name}", each.kib_each, "KiB")
        record(f"cores for {TARGET:,} players, {name}", each.cores, "cores")
    return verdict([], check=args.check)


if __name__ == "__main__":
    sys.exit(main())
