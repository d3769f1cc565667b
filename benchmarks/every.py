"""Runs all benchmarks, with their floors, and compares the figures with the last committed run: `make bench`.

    python -m benchmarks.every [--full] [--only NAME]... [--check] [--write] [--against FILE]

The quick mode, which is the default, takes less than 25 minutes: few rounds and smaller sizes. `--full` runs each
benchmark as its own command does. `--write` writes benchmarks/results/latest.json and docs/evidence/benchmarks.md.
`--check` exits with 1 when a goal is missed or a figure has become worse. Each benchmark is a process of its own.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.comparison import LATEST, Outcome, Results, document, machine, read, worse, write
from benchmarks.figures import VARIABLE, Figure, recorded
from benchmarks.processes import ROOT

QUICK: Final[Mapping[str, Sequence[str]]] = {
    "relay": ("--rounds", "2", "--seconds", "3"),
    "proxies": ("--rounds", "2", "--seconds", "3"),
    "chain": ("--rounds", "2", "--seconds", "3"),
    "arrival": ("--rounds", "2", "--seconds", "5"),
    "accept": ("--rounds", "2"),
    "idle": ("--seconds", "15", "--players", "2000"),
    "queue": ("--seconds", "10", "--players", "3000"),
    "match": ("--seconds", "5", "--rate", "100"),
    "store": ("--rounds", "2", "--matches", "80"),
    "dial": ("--rounds", "2"),
    "startup": ("--rounds", "5"),
    "simulate": ("--days", "3"),
    "loss": ("--rounds", "1"),
    "first_frame": ("--runs", "5"),
    "rolling": ("--runs", "1", "--rounds", "1"),
    "scale": ("--size", "1", "--size", "300", "--size", "1000"),
}
"""All benchmarks in their order, with the options of the quick mode."""

NO_GOALS: Final = frozenset({"dial"})
"""The benchmarks without the option `--check`."""

LIMIT_SECONDS: Final = 1800.0
WIDTH: Final = 140


def run(name: str, options: Sequence[str], folder: Path, console: Console) -> Outcome:
    """Run one benchmark; its output is shown as it is."""
    file = folder / name
    checked = () if name in NO_GOALS else ("--check",)
    console.rule(name)
    sys.stdout.flush()
    begun = time.monotonic()
    try:
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}", *checked, *options],
            cwd=ROOT,
            env={**os.environ, VARIABLE: str(file)},
            check=False,
            timeout=LIMIT_SECONDS,
        )
        code = done.returncode
    except subprocess.TimeoutExpired:
        code = -1
    return Outcome(code=code, seconds=round(time.monotonic() - begun), figures=tuple(recorded(file)))


def _table(results: Results, last: Results | None) -> Table:
    shown = Table(box=SIMPLE_HEAD)
    for title in ("benchmark", "figure", "value", "goal", "last run", "change"):
        shown.add_column(title, justify="left" if title in ("benchmark", "figure") else "right")
    for name, outcome in results.benchmarks.items():
        for figure in outcome.figures:
            before = last.find(name, figure.name) if last is not None else None
            shown.add_row(name, figure.name, *_cells(figure, before))
    return shown


def _cells(figure: Figure, before: Figure | None) -> tuple[str, ...]:
    goal = "" if figure.goal is None else f"{figure.goal:g}{' missed' if figure.is_missed else ''}"
    if before is None:
        return (f"{figure.value:.3g} {figure.unit}", goal, "", "")
    change = f"{100 * (figure.value / before.value - 1):+.0f} %" if before.value else ""
    return (f"{figure.value:.3g} {figure.unit}", goal, f"{before.value:.3g}", change)


def main(argv: Sequence[str] | None = None) -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(description="all benchmarks, compared with the last committed run")
    parser.add_argument("--full", action="store_true", help="as long as each benchmark's own command: some hours")
    parser.add_argument("--only", choices=QUICK, action="append", help="only this benchmark; may be repeated")
    parser.add_argument("--against", type=Path, default=LATEST, help="the results to compare with")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a goal is missed or a figure is worse")
    parser.add_argument("--write", action="store_true", help="write the results and their page")
    args = parser.parse_args(argv)
    console = Console(width=WIDTH)
    last, here = read(args.against), machine()
    with tempfile.TemporaryDirectory() as folder:
        outcomes = {
            name: run(name, () if args.full else QUICK[name], Path(folder), console) for name in args.only or QUICK
        }
    results = Results(full=args.full, machine=here, benchmarks=outcomes)
    console.rule("all")
    console.print(_table(results, last))
    missed = [f"{name}: exit code {each.code}" for name, each in outcomes.items() if each.code]
    grown = worse(results, last)
    for text in (*missed, *grown):
        console.print(text, highlight=False)
    if args.write:
        document(write(results))
    return int(args.check and bool(missed or grown))


if __name__ == "__main__":
    sys.exit(main())
