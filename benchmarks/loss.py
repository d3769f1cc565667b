"""The time from the loss of the store to the next match, and whether players were double-booked or unmatched.

    python -m benchmarks.loss [--against CHECKOUT] [--rounds 3] [--kind native] [--how flush] [--check]

Two matchmakers on one redis-server, with steady joins. Native servers report their sessions and refuse a second player;
legacy ones do neither; `both` is half of each. Redis is flushed, restarted empty (`restart`), or restarted with data
that are half a second old (`failover`). The time is from the loss to the end of the longest time without a match.

With `--against` the services and the store's client are also those of another checkout of this project, in turn.
`--check` exits with 1 when a goal is missed.
"""

import argparse
import asyncio
import math
import os
import secrets
import statistics
import subprocess
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.command import command_line, measured, verdict
from benchmarks.figures import record
from benchmarks.matching.joins import joins
from benchmarks.matching.processes import lose_store, matchmakers
from benchmarks.matching.servers import Fleet
from benchmarks.processes import ROOT
from pixelfleet.fleet.open import open_store

KINDS: Final = ("native", "legacy", "both")
LOSSES: Final = ("flush", "restart", "failover")
LIMIT_SECONDS: Final = 30.0
"""The longest wait of a player."""

MOST_SECONDS: Final = 3.5
"""The goal for a fleet with native servers."""


class Result(msgspec.Struct):
    """The figures of one loss."""

    seconds: float
    """From the loss to the next match."""
    matched: int
    double_booked: int
    unmatched: int


async def measure(kind: str, how: str, args: argparse.Namespace) -> Result:
    """Lose the store once, while players join."""
    key = secrets.token_hex(32)
    shares = {"native": 1.0, "legacy": 0.0, "both": 0.5}
    native = round(args.servers * shares[kind])
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(matchmakers(2, "--session-key", key, "--legacy-port", "0"))
        fleets = []
        if native:
            fleet = await stack.enter_async_context(Fleet(native, key=key).listening())
            client = await stack.enter_async_context(open_store(running.redis_url))
            await stack.enter_async_context(fleet.reporting(client))
            fleets.append(fleet)
        if native < args.servers:
            fleet = await stack.enter_async_context(Fleet(args.servers - native).listening())
            links = [("127.0.0.1", replica.facts["stock_servers"]) for replica in running.replicas]
            await stack.enter_async_context(fleet.linked(links))
            fleets.append(fleet)
        await asyncio.sleep(args.settle)
        players = round(args.rate * args.seconds)
        load = asyncio.create_task(
            joins(running.player_urls, players=players, rate=args.rate, hold=args.hold, limit=LIMIT_SECONDS)
        )
        await asyncio.sleep(args.seconds / 2)
        lost = await lose_store(how, running.store, running.folder)
        outcome = await load
        return Result(
            seconds=outcome.resumed_after(lost),
            matched=len(outcome.waits),
            double_booked=sum(fleet.double_booked for fleet in fleets),
            unmatched=outcome.unmatched + outcome.refused,
        )


def measure_build(build: Path, arguments: Sequence[str]) -> Result:
    """Measure one loss with the services of a checkout, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.loss", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(build / "services")},
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.returncode)
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Result)  # after the log


def missed(label: str, results: Sequence[Result], kind: str) -> list[str]:
    """Return the goals that the losses of one kind miss."""
    found = []
    faults = sum(result.double_booked + result.unmatched for result in results)
    if faults:
        found.append(f"{label}: {faults} double-booked or unmatched")
    longest = max(math.inf if math.isnan(result.seconds) else result.seconds for result in results)
    if kind != "legacy" and longest > MOST_SECONDS:
        found.append(f"{label}: {longest:.1f} s to the next match, the goal is {MOST_SECONDS} s or less")
    return found


def compare(args: argparse.Namespace, options: Sequence[str]) -> list[str]:
    """Measure all losses with each build in turn, print a table, and return the goals that this build misses."""
    builds = {"this": ROOT, **({"other": args.against.resolve()} if args.against else {})}
    shown = Table(box=SIMPLE_HEAD, title=f"{args.rate:g} joins/s, {args.servers} servers", title_justify="left")
    for name in ("servers", "loss", "build"):
        shown.add_column(name)
    for name in ("median s", "longest s", "matched", "double-booked", "unmatched"):
        shown.add_column(name, justify="right")
    found = []
    for kind in args.kind or KINDS:
        for how in args.how or LOSSES:
            results: dict[str, list[Result]] = {name: [] for name in builds}
            for _ in range(args.rounds):
                for name, build in builds.items():
                    results[name].append(measure_build(build, ("--one", f"{kind}:{how}", *options)))
            for name, runs in results.items():
                times = [run.seconds for run in runs]
                if name == "this":
                    goal = None if kind == "legacy" else MOST_SECONDS
                    record(f"longest time without a match, {kind}, {how}", max(times), "s", goal=goal)
                sums = [sum(getattr(run, field) for run in runs) for field in Result.__struct_fields__[1:]]
                shown.add_row(
                    kind, how, name, *(f"{each(times):.2f}" for each in (statistics.median, max)), *map(str, sums)
                )
            found += missed(f"{kind}, {how}", results["this"], kind)
    Console().print(shown)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = command_line("the time from the loss of the store to the next match", rounds=3)
    parser.add_argument("--against", type=Path, help="another checkout of this project")
    parser.add_argument("--kind", choices=KINDS, action="append", help="of servers; all by default")
    parser.add_argument("--how", choices=LOSSES, action="append", help="of the loss; all by default")
    parser.add_argument("--rate", type=float, default=40.0, help="joins per second")
    parser.add_argument("--seconds", type=float, default=10.0, help="of joins; the store is lost in the middle")
    parser.add_argument("--servers", type=int, default=40)
    parser.add_argument("--hold", type=float, default=0.3, help="seconds that a player stays connected")
    parser.add_argument("--settle", type=float, default=1.0)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.one:
        kind, _, how = args.one.partition(":")
        result = measured("loss", measure(kind, how, args))
        sys.stdout.buffer.write(msgspec.json.encode(result))
        return 0
    options = [f"--{name}={getattr(args, name)}" for name in ("rate", "seconds", "servers", "hold", "settle")]
    return verdict(compare(args, options), check=args.check)


if __name__ == "__main__":
    sys.exit(main())
