"""The cost and duration of a match, and whether players were double-booked, disconnected or unmatched.

    python -m benchmarks.match [--rate 200 --rate 400] [--seconds 8] [--rounds 1] [--servers 300] [--kind legacy|native]
    python -m benchmarks.match --rate 800 --limit 60
    python -m benchmarks.match --rate 400 --disturb flush|restart

Two matchmakers on one redis-server, with this load on the same machine. Legacy servers report over the TCP link;
native ones are clients of the fleet store and report their sessions. The floor is a proxy that accepts the same joins,
dials one server for each and does nothing else. The CPU time of a match includes both matchmakers and redis-server,
from /proc. `--check` exits with 1 when a goal is missed.
"""

import argparse
import asyncio
import secrets
import statistics
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.command import command_line, measured, verdict
from benchmarks.figures import record
from benchmarks.matching.joins import Outcome, joins
from benchmarks.matching.processes import Matchmakers, lose_store, matchmakers, proxy
from benchmarks.matching.servers import Fleet, address
from benchmarks.processes import Program, cpu_seconds
from pixelfleet.fleet.open import open_store

MAX_CPU_RATIO: Final = 1.8
MAX_P99_RATIO: Final = 3.0


@dataclass(frozen=True, slots=True)
class Result:
    """The figures of one run."""

    label: str
    outcome: Outcome
    cpu_us: float
    """CPU microseconds of the servers for a matched player."""
    double_booked: int = 0
    links_lost: int = 0

    @property
    def faults(self) -> int:
        """The sum of the three counts that must be zero."""
        return self.double_booked + self.links_lost + self.outcome.unmatched + self.outcome.refused


async def floor(args: argparse.Namespace, rate: float) -> Result:
    """Send the joins through the bare proxy, all to one server."""
    async with Fleet(1).listening() as fleet:
        program = await proxy(f"ws://{address(0)}:{fleet.port}/")
        try:
            return await _measured("bare proxy", [f"ws://127.0.0.1:{program.facts['port']}/"], [program], args, rate)
        finally:
            await program.end()


async def matched(args: argparse.Namespace, rate: float, kind: str) -> Result:
    """Send the joins through two matchmakers on one redis-server."""
    key = secrets.token_hex(32)
    options = ["--session-key", key, *(["--legacy-port", "0"] if kind == "legacy" else [])]
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(matchmakers(2, *options))
        fleet = await stack.enter_async_context(Fleet(args.servers, key=key if kind == "native" else None).listening())
        if kind == "legacy":
            links = [("127.0.0.1", replica.facts["stock_servers"]) for replica in running.replicas]
            await stack.enter_async_context(fleet.linked(links))
        else:
            client = await stack.enter_async_context(open_store(running.redis_url))
            await stack.enter_async_context(fleet.reporting(client))
        await asyncio.sleep(args.settle)
        disturber = asyncio.create_task(_disturb(args.disturb, running, args.seconds / 2))
        result = await _measured(kind, running.player_urls, running.programs, args, rate, fleet)
        await disturber
        return result


async def _disturb(how: str | None, running: Matchmakers, after: float) -> None:
    """Delete the store's data in the middle of the run."""
    if how is not None:
        await asyncio.sleep(after)
        await lose_store(how, running.store, running.folder)


async def _measured(
    label: str,
    urls: Sequence[str],
    programs: Sequence[Program],
    args: argparse.Namespace,
    rate: float,
    fleet: Fleet | None = None,
) -> Result:
    before = sum(cpu_seconds(program.pid) for program in programs)
    players = round(rate * args.seconds)
    outcome = await joins(urls, players=players, rate=rate, hold=args.hold, limit=args.limit)
    spent = sum(cpu_seconds(program.pid) for program in programs) - before
    cpu_us = spent / max(1, len(outcome.waits)) * 1e6
    if fleet is None:
        return Result(label, outcome, cpu_us)
    return Result(label, outcome, cpu_us, fleet.double_booked, fleet.links_lost)


def median(results: Sequence[Result], share: float | None) -> float:
    """Return the median CPU of a match in microseconds, or of a percentile of the waits in milliseconds."""
    return statistics.median(each.cpu_us if share is None else each.outcome.wait_ms(share) for each in results)


def table(results: dict[str, list[Result]], rate: float) -> Table:
    """Return the figures as a table, with ratios to the floor."""
    shown = Table(box=SIMPLE_HEAD, title=f"{rate:g} joins/s", title_justify="left")
    for name in ("", "matched", "p50 ms", "p99 ms", "CPU us a match", "double-booked", "links lost", "unmatched"):
        shown.add_column(name, justify="right" if name else "left")
    base = results.get("bare proxy")
    for name, runs in results.items():
        if base and name != "bare proxy":
            record(f"CPU of a match, {name}, {rate:g}/s", median(runs, None) / median(base, None), goal=MAX_CPU_RATIO)
            record(f"p99 wait, {name}, {rate:g}/s", median(runs, 0.99) / median(base, 0.99), goal=MAX_P99_RATIO)
        waits, cpu = median(runs, 0.99), median(runs, None)
        measured = ((waits, 0.99), (cpu, None))
        ratio = [f" x{value / median(base, share):.2f}" if base else "" for value, share in measured]
        shown.add_row(
            name,
            str(sum(len(run.outcome.waits) for run in runs)),
            f"{median(runs, 0.5):.1f}",
            f"{waits:.1f}{ratio[0]}",
            f"{cpu:,.0f}{ratio[1]}",
            str(sum(run.double_booked for run in runs)),
            str(sum(run.links_lost for run in runs)),
            str(sum(run.outcome.unmatched + run.outcome.refused for run in runs)),
        )
    return shown


def missed(results: dict[str, list[Result]], args: argparse.Namespace) -> list[str]:
    """Return the goals that these runs miss."""
    found = []
    for name, runs in results.items():
        faults = sum(run.faults for run in runs)
        if args.disturb and name == "legacy":
            faults -= sum(run.links_lost for run in runs)
        if name != "bare proxy" and faults:
            found.append(f"{name}: {faults} double-booked, lost or unmatched")
    base = results.get("bare proxy")
    if base is not None and not args.disturb:
        for name in results.keys() - {"bare proxy"}:
            for label, share, most in (("CPU", None, MAX_CPU_RATIO), ("p99", 0.99, MAX_P99_RATIO)):
                ratio = median(results[name], share) / median(base, share)
                if ratio > most:
                    found.append(f"{name}: {label} x{ratio:.2f} of the bare proxy, the goal is x{most} or less")
    return found


async def run(args: argparse.Namespace, console: Console) -> list[str]:
    """Measure every rate, print the tables, and return the missed goals."""
    found = []
    for rate in args.rate or [200.0, 400.0]:
        results: dict[str, list[Result]] = {}
        for number in range(args.rounds):
            for name in [] if args.no_floor else ["bare proxy"]:
                with console.status(f"{rate:g} joins/s, round {number + 1}: {name}"):
                    results.setdefault(name, []).append(await floor(args, rate))
            for name in args.kind or ["legacy", "native"]:
                with console.status(f"{rate:g} joins/s, round {number + 1}: {name}"):
                    results.setdefault(name, []).append(await matched(args, rate, name))
        Console().print(table(results, rate))
        found += missed(results, args)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = command_line(
        "the cost of a match, and whether players are double-booked or lost",
        rounds=1,
        seconds=8.0,
        seconds_help="of joins, in each run",
    )
    parser.add_argument("--rate", type=float, action="append", help="joins per second; may be given several times")
    parser.add_argument("--servers", type=int, default=300)
    parser.add_argument("--hold", type=float, default=0.2, help="seconds that a player stays connected")
    parser.add_argument("--limit", type=float, default=20.0, help="seconds after which a player counts as unmatched")
    parser.add_argument("--settle", type=float, default=1.0)
    parser.add_argument("--kind", choices=["legacy", "native"], action="append")
    parser.add_argument("--disturb", choices=["flush", "restart"], help="in the middle of the run")
    parser.add_argument("--no-floor", action="store_true")
    args = parser.parse_args(argv)
    return verdict(measured("match", run(args, Console(stderr=True))), check=args.check)


if __name__ == "__main__":
    sys.exit(main())
