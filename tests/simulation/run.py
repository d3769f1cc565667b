"""Runs five scenarios in the simulation and on real services, and compares waits and GPU hours: `make simulate-truth`.

    python -m tests.simulation.run [--case TEXT] [--together 5] [--check] [--write]

`--case` selects scenarios by a part of their name, `--together` is the number of real fleets at once, `--check` exits
with 1 if a figure deviates by more than 15 %, and `--write` writes docs/evidence/simulation.md.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import aiohttp
import msgspec
from rich.console import Console

from pixelfleet.capacity.simulation import Simulation
from pixelfleet.service.logs import configure
from tests.chaos.conftest import control_plane
from tests.simulation.fleet import Clock, Fleet
from tests.simulation.players import play
from tests.simulation.report import Comparison, Figures, document, figures_of, table
from tests.simulation.scenarios import Case, cases

WIDTH: Final = 160
SPARE_SECONDS: Final = 120.0
"""A real fleet that takes longer than its scenario and this has failed."""


async def real(case: Case, folder: Path) -> Figures:
    """Run a scenario on real services; return its figures."""
    scenario = case.scenario
    async with asyncio.timeout(scenario.seconds + SPARE_SECONDS), AsyncExitStack() as stack:
        options = ("--warm", f"default={scenario.warm}")
        plane = await stack.enter_async_context(control_plane(folder, *options))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        metrics = [f"http://127.0.0.1:{replica.facts['metrics']}/custom" for replica in plane.replicas]
        clock = Clock()
        fleet = Fleet(scenario, clock, plane.store, plane.key, metrics, http)
        stack.push_async_callback(fleet.end)
        await fleet.start()
        if scenario.replicas:
            await plane.slots_are_free(scenario.replicas)
        clock.start()
        fleet.control()
        fates = await play(case.players, plane.urls, clock, scenario.seconds)
        figures = figures_of(fates.fates, fates.waits, fleet.stream_seconds(), fleet.node_seconds())
    late = max(fleet.late_ticks, default=0.0)
    return msgspec.structs.replace(figures, failures=fates.failures, late_seconds=late)


def simulated(case: Case) -> Figures:
    """Simulate a scenario; return its figures."""
    outcome = Simulation(case.scenario, case.players).run()
    return figures_of(outcome.fates, outcome.waits, outcome.stream_seconds, outcome.node_seconds)


async def compare(chosen: Sequence[Case], together: int, console: Console) -> list[Comparison]:
    """Run all cases, some at once; return the comparisons in their order."""
    free = asyncio.Semaphore(together)

    async def one(case: Case) -> Comparison:
        async with free:
            console.print(f"running {case.name} for {case.scenario.seconds:.0f} s")
            with tempfile.TemporaryDirectory() as folder:
                return Comparison(case, simulated(case), await real(case, Path(folder)))

    return await asyncio.gather(*(one(case) for case in chosen))


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--case", default="")
    parser.add_argument("--together", type=int, default=5)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    configure("warning", "console")
    console = Console(highlight=False, width=WIDTH)
    chosen = [case for case in cases() if args.case in case.name]
    found = asyncio.run(compare(chosen, args.together, console))
    console.print(table(found))
    if args.write:
        document(found)
    return int(args.check and not all(each.agrees for each in found))


if __name__ == "__main__":
    sys.exit(main())
