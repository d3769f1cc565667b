"""The cost of a relayed message: our server against two relays without features, with the same load in one run.

    python -m benchmarks.relay [--rounds 5] [--seconds 4] [--players 100] [--streamers 10] [--rate 2000] [--check]
    python -m benchmarks.relay --against ws://host:80 --against-streamer ws://host:8888 [--against-pid PID]

Machines differ and are noisy, so the servers are measured in turn in every round, each in a fresh process. The result
is the ratio of our medians to those of the bare aiohttp relay. The cost of a message is the server's CPU time from
/proc in the closed loop, which does not depend on the speed of this load. Round trips are compared in the open loop, in
which every server has the same load (`benchmarks/load.py` explains why).

`--against` puts the same load on another server of the 5.0 or 5.5 dialect, started by hand; with its process id on
this machine, its CPU and memory are measured, too. `--check` exits with 1 when a goal is missed.
"""

import argparse
import math
import statistics
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.command import command_line, measured, verdict
from benchmarks.figures import record
from benchmarks.load import RESUMABLE, Phase, connected
from benchmarks.processes import COMMANDS, Server, resident_kib, started

FLOOR: Final = "bare aiohttp"
OURS: Final = "pixelfleet"
OURS_RESUMABLE: Final = "resumable"
"""Our server with players that can return: it counts and keeps their messages."""
MAX_CPU_RATIO: Final = 1.4
MAX_P99_RATIO: Final = 1.5
WARM_UP_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One server in one round."""

    closed_loop: Phase
    open_loop: Phase
    kib: float | None
    """Additional memory for each connection at the end of the load."""
    closed: int


Samples = dict[str, list[Sample]]
"""The rounds of each server."""

Figure = Callable[[Sample], float | None]


@dataclass(frozen=True, slots=True)
class Goal:
    """The maximum ratio of our median to the floor's."""

    name: str
    figure: Figure
    most: float

    def ratio(self, samples: Samples) -> float:
        """Return our median as a multiple of the floor's."""
        ours, floor = median(samples[OURS], self.figure), median(samples[FLOOR], self.figure)
        assert ours is not None
        assert floor is not None
        return ours / floor

    def spread(self, samples: Samples) -> tuple[float, float]:
        """Return the smallest and the largest ratio of a round, which shows the noise of the machine."""
        ours, floor = ([self.figure(sample) or math.nan for sample in samples[name]] for name in (OURS, FLOOR))
        ratios = [each / base for each, base in zip(ours, floor, strict=True)]
        return min(ratios), max(ratios)


FIGURES: Final[Sequence[tuple[str, Sequence[tuple[str, str, Figure]]]]] = (
    (
        "closed loop",
        (
            ("messages/s", ",.0f", lambda sample: sample.closed_loop.messages_per_second),
            ("CPU us each", ".1f", lambda sample: sample.closed_loop.cpu_us),
            ("p50 ms", ".2f", lambda sample: sample.closed_loop.p50_ms),
            ("p99 ms", ".2f", lambda sample: sample.closed_loop.p99_ms),
        ),
    ),
    (
        "open loop",
        (
            ("CPU us each", ".1f", lambda sample: sample.open_loop.cpu_us),
            ("p50 ms", ".2f", lambda sample: sample.open_loop.p50_ms),
            ("p99 ms", ".2f", lambda sample: sample.open_loop.p99_ms),
        ),
    ),
    ("memory", (("KiB each", ".1f", lambda sample: sample.kib),)),
)

GOALS: Final = (
    Goal("CPU a message, closed loop", lambda sample: sample.closed_loop.cpu_us, MAX_CPU_RATIO),
    Goal("round trip p99, open loop", lambda sample: sample.open_loop.p99_ms, MAX_P99_RATIO),
)


def median(samples: Sequence[Sample], figure: Figure) -> float | None:
    """Return the median of a figure over a server's rounds; None when it is unknown."""
    values = [value for sample in samples if (value := figure(sample)) is not None]
    return statistics.median(values) if values else None


def failures(samples: Samples) -> list[str]:
    """Return the missed goals and other failures; empty when all goals are met."""
    found = [
        f"{goal.name}: x{goal.ratio(samples):.2f} of the {FLOOR} relay, the goal is x{goal.most} or less"
        for goal in GOALS
        if goal.ratio(samples) > goal.most
    ]
    lost = sum(sample.closed_loop.lost + sample.open_loop.lost for sample in samples[OURS])
    closed = sum(sample.closed for sample in samples[OURS])
    if lost or closed:
        found.append(f"{lost} messages lost, {closed} connections closed")
    return found


def table(samples: Samples) -> Table:
    """Return the medians, each with its ratio to the floor's."""
    shown = Table(box=SIMPLE_HEAD)
    shown.add_column("")
    for name in samples:
        shown.add_column(name, justify="right")
    for heading, rows in FIGURES:
        shown.add_section()
        shown.add_row(f"[bold]{heading}[/bold]")
        for label, form, figure in rows:
            floor = median(samples[FLOOR], figure)
            shown.add_row(f"  {label}", *(_cell(median(each, figure), floor, form) for each in samples.values()))
    shown.add_section()
    for label, count in (
        ("lost", lambda sample: sample.closed_loop.lost + sample.open_loop.lost),
        ("closed", lambda sample: sample.closed),
    ):
        shown.add_row(label, *(str(sum(map(count, each))) for each in samples.values()))
    return shown


def _cell(value: float | None, floor: float | None, form: str) -> str:
    if value is None:
        return "-"
    return f"{value:{form}}" + (f" x{value / floor:.2f}" if floor else "")


async def measure(server: Server, args: argparse.Namespace) -> Sample:
    """Load one server for one round."""
    before = 0 if server.pid is None else resident_kib(server.pid)
    async with connected(server, args.players, args.streamers) as load:
        await load.closed_loop(WARM_UP_SECONDS)
        closed_loop = await load.closed_loop(args.seconds)
        open_loop = await load.open_loop(args.seconds, args.rate)
        after = 0 if server.pid is None else resident_kib(server.pid)
        kib = None if server.pid is None else (after - before) / (args.players + args.streamers)
        return Sample(closed_loop, open_loop, kib, load.closed)


@asynccontextmanager
async def started_for_resumable() -> AsyncIterator[Server]:
    """Run our server, with the URL of players that can return."""
    async with started(OURS) as server:
        yield replace(server, player_url=server.player_url + RESUMABLE)


async def rounds(args: argparse.Namespace, console: Console) -> Samples:
    """Load every server in every round, in alternating order."""
    servers: dict[str, Callable[[], AbstractAsyncContextManager[Server]]] = {
        name: partial(started, name) for name in COMMANDS
    }
    servers[OURS_RESUMABLE] = started_for_resumable
    if args.against:
        elsewhere = Server(args.against, args.against_streamer, args.against_pid)
        servers["against"] = lambda: nullcontext(elsewhere)
    samples: Samples = {name: [] for name in servers}
    names = list(servers)
    for number in range(args.rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            with console.status(f"round {number + 1} of {args.rounds}: {name}"):
                async with servers[name]() as server:
                    samples[name].append(await measure(server, args))
    return samples


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    args = _arguments(argv)
    samples = measured("relay", rounds(args, Console(stderr=True)))
    print(f"Medians of {args.rounds} rounds; {args.players} players on {args.streamers} streamers; x: to {FLOOR}.")
    print(f"Open loop: {args.rate:,.0f} round trips/s. CPU: of the server, a relayed message. KiB: a connection.")
    Console().print(table(samples))
    for goal in GOALS:
        least, most = goal.spread(samples)
        record(goal.name, goal.ratio(samples), goal=goal.most)
        print(
            f"{goal.name}: x{goal.ratio(samples):.2f} (rounds x{least:.2f} to x{most:.2f}), goal x{goal.most} or less"
        )
    return verdict(failures(samples), check=args.check)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = command_line(
        "the cost of a relayed message, against relays without features",
        rounds=5,
        seconds=4.0,
        players=100,
        streamers=10,
        seconds_help="of each loop, in each round",
    )
    parser.add_argument("--rate", type=float, default=2000.0, help="round trips per second in the open loop")
    parser.add_argument("--against", help="URL for players of another server to measure as well")
    parser.add_argument("--against-streamer", help="its URL for streamers")
    parser.add_argument("--against-pid", type=int, help="its process id, if it runs on this machine")
    args = parser.parse_args(argv)
    if bool(args.against) is not bool(args.against_streamer):
        parser.error("--against and --against-streamer must be given together")
    for name in ("rounds", "seconds", "players", "streamers", "rate"):
        if getattr(args, name) <= 0:
            parser.error(f"--{name}: must be greater than 0")
    return args


if __name__ == "__main__":
    sys.exit(main())
