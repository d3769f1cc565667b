"""Runs the scenarios of faults on a whole fleet, with checks from outside all the time: `make chaos`.

    python -m tests.chaos.run [--scenario TEXT] [--seed N] [--runs 3] [--together 2] [--mutants] [--check] [--write]

A violation prints the seed of its run; `--seed N --scenario NAME` runs once and makes the same choices again.
`--mutants` also runs builds with a bug, each of which must be found. `--check` exits with 1 after a violation or a
mutant that was not found, and `--write` writes docs/evidence/chaos.md.
"""

import argparse
import multiprocessing
import secrets
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

import uvloop
from rich.console import Console

from pixelfleet.service.logs import configure
from tests.chaos.report import MUTANT_SCENARIOS, Outcome, document, show
from tests.chaos.scenarios import SCENARIOS
from tests.chaos.trial import Trial


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(description="faults on a whole fleet, with checks from outside")
    parser.add_argument("--scenario", default="", help="a part of the names of the scenarios to run")
    parser.add_argument("--seed", type=int, help="the seed of an earlier run")
    parser.add_argument("--runs", type=int, default=3, help="how often each scenario is run, with different seeds")
    parser.add_argument("--together", type=int, default=2, help="fleets that run at once")
    parser.add_argument("--mutants", action="store_true", help="also run builds with a bug, which must be found")
    parser.add_argument("--check", action="store_true", help="exit with 1 after a violation")
    parser.add_argument("--write", action="store_true", help="write docs/evidence/chaos.md")
    args = parser.parse_args()
    runs = 1 if args.seed is not None else args.runs
    seed = secrets.randbelow(1_000_000) if args.seed is None else args.seed
    chosen = [each.name for each in SCENARIOS if args.scenario in each.name]
    console, outcomes = Console(highlight=False, soft_wrap=True), []
    jobs = [(name, seed, mutant) for mutant, name in MUTANT_SCENARIOS.items()] if args.mutants else []
    mutants = dict(zip(MUTANT_SCENARIOS, _all(jobs, args.together, console), strict=bool(jobs)))
    for number in range(runs):
        outcomes += _all([(name, seed + number, "") for name in chosen], args.together, console)
        if args.write:
            document(outcomes, mutants, number + 1)
    missed = [each for each in outcomes if each.violations] + [each for each in mutants.values() if not each.violations]
    return int(args.check and bool(missed))


def _all(jobs: Sequence[tuple[str, int, str]], together: int, console: Console) -> list[Outcome]:
    """Run all jobs, some at once; show each outcome in their order."""
    found = []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(together, mp_context=context, max_tasks_per_child=1) as pool:
        for job, future in [(job, pool.submit(run_one, *job)) for job in jobs]:
            found.append(future.result())
            show(console, found[-1], *job[1:])
            sys.stdout.flush()
    return found


def run_one(name: str, seed: int, mutant: str) -> Outcome:
    """Run a scenario once, in this process."""
    configure("error", "console")
    scenario = next(each for each in SCENARIOS if each.name == name)
    return uvloop.run(Trial(scenario, seed, mutant=mutant).run())


if __name__ == "__main__":
    sys.exit(main())
