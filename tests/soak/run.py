"""Honest players on a small fleet, alone and with a hostile client in turn: the soak of `make soak ARGS=--attacks`.

    python -m tests.soak.run [--seconds 600] [--rest SECONDS] [--rounds 5] [--rate 10] [--check] [--json FILE]

Two matchmakers on one redis-server, a router, ten streamers without media behind two signalling servers, and a real
Prometheus with the shipped rules. The hostile client is a process of its own. It repeats its attacks in rounds, so that
memory can be compared between rounds. A part of the time without it is before each round, so that other work on the
machine affects both. `--check` exits with 1 when a goal is missed.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Final

from rich.console import Console

from benchmarks.command import command_line, measured, verdict
from benchmarks.matching.joins import Outcome, joins
from benchmarks.processes import cpu_seconds
from tests.soak.attacks import ATTACKS
from tests.soak.fleet import Fleet, Hostile, hostile_client, running
from tests.soak.report import WITHOUT, Part, Report, mib, p99_ms
from tests.soak.watch import Watch, invented_labels, series

WARM_UP_SECONDS: Final = 5.0
"""Players join before the measurement for this time."""

HONEST_ADDRESSES: Final = 1000
"""No two honest players with one address are connected at once. Services remember 65,536 addresses, which would look
like a leak if each player had a new one."""

HOLD_SECONDS: Final = 0.2
LIMIT_SECONDS: Final = 30.0
"""An honest player that waits for longer is unmatched."""

PROGRESS_SECONDS: Final = 5.0
ROUNDING_SECONDS: Final = 0.01
"""A timer may end this much early."""


def honest_headers(number: int) -> dict[str, str]:
    """Return the header with the address of an honest player."""
    number %= HONEST_ADDRESSES
    return {"X-Forwarded-For": f"10.0.{number >> 8}.{number & 255}"}


class Soak:
    """A run: its parts, one after the other."""

    def __init__(self, fleet: Fleet, hostile: Hostile, args: argparse.Namespace, console: Console) -> None:
        self._fleet = fleet
        self._hostile = hostile
        self._args = args
        self._console = console
        self._outcome = Outcome()
        self._parts: list[Part] = []
        self._watch = Watch()
        self._begun = time.monotonic()

    async def run(self) -> Report:
        """Run all parts; return the figures."""
        args, fleet = self._args, self._fleet
        total = WARM_UP_SECONDS + args.rest + args.seconds
        players = asyncio.create_task(
            joins(
                fleet.urls,
                players=round(args.rate * total),
                rate=args.rate,
                hold=HOLD_SECONDS,
                limit=LIMIT_SECONDS,
                headers=honest_headers,
                outcome=self._outcome,
            )
        )
        await asyncio.sleep(WARM_UP_SECONDS)
        watching = asyncio.create_task(self._watch.run(fleet))
        attacks = args.attack or list(ATTACKS)
        at_rest = 0
        for number in range(1, args.rounds + 1):
            await self._part(WITHOUT, number, args.rest / args.rounds)
            at_rest = at_rest or await series(fleet)
            for name in attacks:
                await self._attack(name, number, args.seconds / (args.rounds * len(attacks)))
        await players
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        return Report(
            parts=self._parts,
            watch=self._watch,
            refused=self._outcome.refused,
            unmatched=self._outcome.unmatched,
            series_at_rest=at_rest,
            series_at_end=await series(fleet),
            invented_labels=await invented_labels(fleet),
            errors=fleet.errors(),
        )

    async def _attack(self, name: str, number: int, seconds: float) -> None:
        outputs = [each.output for each in self._fleet.programs.values() if each.output is not None]
        await self._hostile.change(name)
        for each in outputs if name == "lines" else ():
            each.block()
        part = await self._part(name, number, seconds)
        for each in outputs:
            each.unblock()
        part.outcomes = await self._hostile.change("")

    async def _part(self, name: str, number: int, seconds: float) -> Part:
        """Observe for some seconds; show the progress."""
        until, from_wait, from_sample = time.monotonic() + seconds, len(self._outcome.waits), len(self._watch.memory)
        from_cpu = self._cpu()
        while (left := until - time.monotonic()) > ROUNDING_SECONDS:
            await asyncio.sleep(left if left < 2 * PROGRESS_SECONDS else PROGRESS_SECONDS)
            self._show(name, number, self._outcome.waits[from_wait:])
        part = Part(name, number, seconds, self._outcome.waits[from_wait:])
        part.cpu_seconds = self._cpu() - from_cpu
        part.samples = (from_sample, len(self._watch.memory))
        self._parts.append(part)
        return part

    def _cpu(self) -> float:
        return sum(cpu_seconds(each.pid) for each in self._fleet.programs.values())

    def _show(self, name: str, number: int, waits: Sequence[float]) -> None:
        memory = self._watch.memory[-1] if self._watch.memory else {}
        sizes = " ".join(f"{each} {mib(kib)}" for each, kib in memory.items())
        self._console.print(
            f"{time.monotonic() - self._begun:4.0f} s  {f'round {number}: {name}':<18}"
            f" {len(waits):5} joined, p99 {p99_ms(waits):6.1f} ms  refused {self._outcome.refused},"
            f" unmatched {self._outcome.unmatched}  MiB: {sizes}",
            soft_wrap=True,
            highlight=False,
        )


async def soak(args: argparse.Namespace, console: Console) -> Report:
    """Start the fleet and the hostile client, and run."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        with console.status("the fleet starts"):
            fleet = await stack.enter_async_context(running(folder))
            hostile = await stack.enter_async_context(hostile_client(fleet.targets))
        return await Soak(fleet, hostile, args, console).run()


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print the figures, and return the exit code."""
    parser = command_line("a small fleet with a hostile client", rounds=5, seconds=600.0, seconds_help="of attacks")
    parser.add_argument("--attack", action="append", choices=[*ATTACKS], help="do only this attack; may be repeated")
    parser.add_argument("--rest", type=float, help="seconds without the hostile client (default: as --seconds)")
    parser.add_argument("--rate", type=float, default=10.0, help="honest players that join per second")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to this file")
    args = parser.parse_args(argv)
    if args.rest is None:
        args.rest = args.seconds
    report = measured("soak", soak(args, Console(stderr=True)))
    console = Console(width=200)
    for table in report.tables():
        console.print(table)
    for line in report.summary():
        console.print(line, highlight=False)
    if args.json is not None:
        args.json.write_text(json.dumps(report.as_json(), indent=2), encoding="utf-8")
    return verdict(report.missed(), check=args.check)


if __name__ == "__main__":
    sys.exit(main())
