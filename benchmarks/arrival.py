"""The CPU time of a player's arrival in the whole chain: router, matchmaker, redis-server and signalling server.

    python -m benchmarks.arrival [--against CHECKOUT] [--rounds 5] [--seconds 6] [--rate 150] [--check]

Players join through the router at a steady rate, get the `config` of a signalling server, stay for a moment and leave.
With `--against` the services of another checkout of this project get the same load in every round, in alternating
order. The streamers and players are in this process. `--check` exits with 1 when the goal is missed.
"""

import argparse
import asyncio
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.chain import PIXELFLEET, services
from benchmarks.command import command_line, measured, verdict
from benchmarks.figures import record
from benchmarks.load import connected
from benchmarks.matching.joins import joins
from benchmarks.processes import Server, cpu_seconds

MOST: Final = 0.75
"""The goal with `--against`, for a checkout from before the handover of matched players."""
PARTS: Final = ("router", "matchmaker", "redis", "signalserver")
STREAMERS: Final = 10
HOLD_SECONDS: Final = 0.2
SETTLE_SECONDS: Final = 2.0
LIMIT_SECONDS: Final = 20.0


class Arrivals(msgspec.Struct):
    """The figures of one round."""

    cpu_us: tuple[float, ...]
    """CPU microseconds for a player, of each of PARTS."""
    unmatched: int

    @property
    def sum_us(self) -> float:
        """CPU microseconds for a player."""
        return sum(self.cpu_us)


async def measure(args: argparse.Namespace, program: Sequence[str]) -> Arrivals:
    """Let players arrive at the services of one checkout."""
    capacity = max(2, round(4 * args.rate * HOLD_SECONDS / STREAMERS))
    async with services(capacity, program) as chain:
        url = f"ws://127.0.0.1:{chain.router.facts['port']}/ws"
        server = Server(url, f"ws://127.0.0.1:{chain.signals.facts['streamers']}/", None)
        async with connected(server, 0, STREAMERS):
            await asyncio.sleep(SETTLE_SECONDS)
            parts = [each.pid for each in (chain.router, chain.matchmaker, chain.store, chain.signals)]
            before = [cpu_seconds(pid) for pid in parts]
            players = round(args.rate * args.seconds)
            outcome = await joins([url], players=players, rate=args.rate, hold=HOLD_SECONDS, limit=LIMIT_SECONDS)
            spent = [cpu_seconds(pid) - start for pid, start in zip(parts, before, strict=True)]
    return Arrivals(
        tuple(seconds / max(1, len(outcome.waits)) * 1e6 for seconds in spent), outcome.unmatched + outcome.refused
    )


async def rounds(args: argparse.Namespace) -> dict[str, list[Arrivals]]:
    """Measure each checkout in every round."""
    programs: dict[str, Sequence[str]] = {"pixelfleet": PIXELFLEET}
    if args.against is not None:
        programs["other"] = (str(args.against.resolve() / ".venv" / "bin" / "pixelfleet"),)
    found: dict[str, list[Arrivals]] = {name: [] for name in programs}
    for number in range(args.rounds):
        for name in list(programs) if number % 2 else list(reversed(programs)):
            found[name].append(await measure(args, programs[name]))
            print(".", end="", flush=True, file=sys.stderr)
    print(file=sys.stderr)
    return found


def report(found: dict[str, list[Arrivals]]) -> list[str]:
    """Print the figures; return the goals that they miss."""
    missed = []
    for name, results in found.items():
        each = [statistics.median(costs) for costs in zip(*(result.cpu_us for result in results), strict=True)]
        for part, cost in zip(PARTS, each, strict=True) if name == "pixelfleet" else ():
            record(f"CPU of an arrival, {part}", cost, "us")
        parts = ", ".join(f"{part} {cost:.0f}" for part, cost in zip(PARTS, each, strict=True))
        print(f"{name:11} {statistics.median(result.sum_us for result in results):6.0f} us CPU a player ({parts})")
        if unmatched := sum(result.unmatched for result in results):
            missed.append(f"{name}: {unmatched} players unmatched")
    if "other" in found:
        pairs = zip(found["pixelfleet"], found["other"], strict=True)
        ratios = sorted(ours.sum_us / other.sum_us for ours, other in pairs)
        ratio = statistics.median(ratios)
        print(f"CPU a player: x{ratio:.2f} (rounds x{ratios[0]:.2f} to x{ratios[-1]:.2f}), goal x{MOST} or less")
        if ratio > MOST:
            missed.append(f"CPU a player: x{ratio:.2f}, the goal is x{MOST} or less")
    return missed


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = command_line("the CPU time of a player's arrival in the whole chain", rounds=5, seconds=6.0)
    parser.add_argument("--rate", type=float, default=150.0, help="joins per second")
    parser.add_argument("--against", type=Path, help="another checkout of this project, with a .venv of its own")
    args = parser.parse_args(argv)
    return verdict(report(measured("arrival", rounds(args))), check=args.check)


if __name__ == "__main__":
    sys.exit(main())
