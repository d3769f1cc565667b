"""The CPU time of `pixelfleet simulate`: thirty days of a thousand streams, on one core.

    python -m benchmarks.simulate [--days 30] [--streams 1000] [--check]

The mean number of players is that of streams; sessions have 15 minutes. Rates are constant, or those of a day with a
night. `--check` fails when a run needs a minute or more.
"""

import argparse
import resource
import sys
import time
from collections.abc import Sequence
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.command import verdict
from benchmarks.figures import record
from pixelfleet.capacity.arrivals import players, rates
from pixelfleet.capacity.durations import Exponential, Fixed, Uniform
from pixelfleet.capacity.scalers import SHIPPED, shipped
from pixelfleet.capacity.scenario import Nodes, Scenario
from pixelfleet.capacity.simulation import Simulation

DAY_SECONDS: Final = 86_400
MOST_SECONDS: Final = 60.0
SESSION_SECONDS: Final = 900.0
NIGHT: Final = tuple(2 * max(0.1, min(0.9, 0.5 + 0.6 * (1 - abs(hour - 18) / 6))) / 1.033 for hour in range(24))
"""Rates of a day with one evening, whose mean is about 1."""


def measure(name: str, shape: Sequence[float], days: float, streams: int) -> tuple[int, float, float, int]:
    """Return the players, the CPU seconds to draw them and to run, and the most streams of a run."""
    seconds = days * DAY_SECONDS
    mean = sum(shape) / len(shape)
    per_hour = [streams * 3600 / SESSION_SECONDS * rate / mean for rate in shape]
    begun = time.process_time()
    found = players(rates(per_hour), seconds, Exponential(SESSION_SECONDS), Fixed(300), 1)
    drawn = time.process_time()
    scenario = Scenario(
        seconds=seconds,
        autoscaler=shipped(name, 1, 4 * streams),
        warm=streams // 50,
        pod_start=Uniform(20, 40),
        nodes=Nodes(gpus=4),
    )
    outcome = Simulation(scenario, found).run()
    return len(found), drawn - begun, time.process_time() - drawn, outcome.most_streams


def main() -> int:
    """Print a table; return 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=float, default=30)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--check", action="store_true", help="exit with 1 when the goal is missed")
    options = parser.parse_args()
    table = Table("autoscaler", "rates", "players", "drawn, CPU s", "run, CPU s", "most streams", box=SIMPLE_HEAD)
    missed = []
    for name in SHIPPED:
        for kind, shape in (("constant", (1.0,)), ("a day", NIGHT)):
            count, drawn, run, most = measure(name, shape, options.days, options.streams)
            record(f"CPU of {options.days:g} days, {name}, {kind}", drawn + run, "s", goal=MOST_SECONDS)
            table.add_row(name, kind, f"{count:,}", f"{drawn:.1f}", f"{run:.1f}", f"{most:,}")
            if drawn + run >= MOST_SECONDS:
                missed.append(f"{name}, {kind}: {drawn + run:.0f} s")
    console = Console()
    console.print(table)
    console.print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    return verdict(missed, check=options.check)


if __name__ == "__main__":
    sys.exit(main())
