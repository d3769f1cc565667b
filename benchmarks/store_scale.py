"""Measures the store at scale against another build, in turn: rows of `make bench-store`.

The goals: reports and renewals of 10,000 servers with one streamer each, and 10,000 waiting players, cost at most half
the CPU of the other build; a match there costs at most 1.1 of one with ten servers and players. Each build and size has
a redis-server and a client process of its own (`benchmarks/store_fleet.py`). Reports and renewals are the median of
the rounds' ratios; a match is the lowest value of the rounds.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.redis_process import redis_server

ROOT: Final = Path(__file__).parents[1]
FLEET: Final = Path(__file__).with_name("store_fleet.py")
FEW: Final = 10
MANY: Final = 10_000
MINUTE_LIMIT: Final = 0.5
MATCH_LIMIT: Final = 1.1


class StoreFleet:
    """A client process with its redis-server."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, line: str) -> float:
        """Return the answer to `minute` (CPU seconds) or `match` (microseconds of CPU)."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return float(self.read())

    def read(self) -> str:
        """Return the next line of the process; exit if it has ended."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            sys.exit("benchmarks.store: the process with the fleet has ended")
        return line.strip()


@contextmanager
def store_fleet(build: Path, servers: int) -> Iterator[StoreFleet]:
    """Start the client of a build, whose packages its own environment has."""
    with redis_server() as url:
        command = [str(build / ".venv" / "bin" / "python"), "-P", str(FLEET), url, str(servers)]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, cwd=build, stdin=pipe, stdout=pipe, text=True) as process:
            try:
                fleet = StoreFleet(process)
                fleet.read()
                yield fleet
            finally:
                process.kill()


def measure_scale(against: Path, rounds: int) -> bool:
    """Print the rows of this build against another one; return whether the goals are met."""
    with ExitStack() as stack:
        few = stack.enter_context(store_fleet(ROOT, FEW))
        many = stack.enter_context(store_fleet(ROOT, MANY))
        other = stack.enter_context(store_fleet(against, MANY))
        minutes, matches = [], []
        for number in range(rounds):
            costs = {build: build.ask("minute") for build in ((many, other) if number % 2 else (other, many))}
            minutes.append((costs[many], costs[other]))
            matches.append((few.ask("match"), many.ask("match")))
    return all([print_minutes(minutes), print_matches(matches)])


def print_minutes(pairs: Sequence[tuple[float, float]]) -> bool:
    """Print the CPU seconds of this and the other build in each round; return whether the goal is met."""
    ratios = [ours / theirs for ours, theirs in pairs]
    is_met = median(ratios) <= MINUTE_LIMIT
    ours, theirs = median(each for each, _ in pairs), median(each for _, each in pairs)
    print(f"{MANY:,} servers and waiting players: seconds of CPU for the reports and renewals of a minute")
    print(
        f"  this build {ours:.2f}, the other {theirs:.2f}, ratios {', '.join(f'{each:.2f}' for each in ratios)}: "
        f"median x{median(ratios):.2f}{'' if is_met else '  above the goal'}"
    )
    return is_met


def print_matches(pairs: Sequence[tuple[float, float]]) -> bool:
    """Print the CPU microseconds of a match in the small and the large fleet; return whether the goal is met."""
    few, many = min(each for each, _ in pairs), min(each for _, each in pairs)
    is_met = many <= MATCH_LIMIT * few
    print(
        f"  a match there {many:.0f} us, with {FEW} of each {few:.0f} us: x{many / few:.2f}"
        f"{'' if is_met else '  above the goal'}",
        flush=True,
    )
    return is_met
