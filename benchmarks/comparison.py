"""The results of all benchmarks as a file and as a page, and what has become worse since an earlier run."""

import math
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.figures import RATIO, Figure
from benchmarks.processes import ROOT

LATEST: Final = ROOT / "benchmarks" / "results" / "latest.json"
PAGE: Final = ROOT / "docs" / "evidence" / "benchmarks.md"

MOST_GROWTH: Final = {RATIO: 1.2, "KiB": 1.2}
"""The growth of a figure above which it is worse, by its unit: these depend little on the machine."""

OTHER_GROWTH: Final = 1.5
"""The same for times and CPU time, which depend on the machine and on its other work."""


class Outcome(msgspec.Struct, frozen=True):
    """What one benchmark has shown."""

    code: int
    """Its exit code: 1 if a goal is missed, 2 if it could not measure."""
    seconds: int
    figures: tuple[Figure, ...]


class Results(msgspec.Struct, frozen=True):
    """A run of all benchmarks, or of some."""

    full: bool
    """Whether each benchmark ran as long as its own command; otherwise in the quick mode."""
    machine: str
    benchmarks: Mapping[str, Outcome]

    def find(self, benchmark: str, figure: str) -> Figure | None:
        """Return a figure; None if the run has none of this name."""
        outcome = self.benchmarks.get(benchmark)
        return next((each for each in outcome.figures if each.name == figure), None) if outcome is not None else None


def machine() -> str:
    """Return what a reader must know of this machine now: figures of others differ, and those of a busy one."""
    load = f"load average {os.getloadavg()[2]:.1f} before"
    return f"{os.cpu_count()} cores, {load}, {platform.machine()}, Python {platform.python_version()}"


def read(path: Path) -> Results | None:
    """Return the results in a file; None if there is none."""
    return msgspec.json.decode(path.read_bytes(), type=Results) if path.exists() else None


def write(results: Results) -> Results:
    """Write the results to LATEST and return them; benchmarks that did not run keep theirs from a run of this mode."""
    last = read(LATEST)
    if last is not None and last.full == results.full:
        results = msgspec.structs.replace(results, benchmarks={**last.benchmarks, **results.benchmarks})
    LATEST.parent.mkdir(exist_ok=True)
    LATEST.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")
    return results


def worse(results: Results, last: Results | None) -> list[str]:
    """Return a line for each figure that is worse than in the last run, beyond the noise of its unit.

    Runs of different modes are not compared: they have other sizes. A figure that missed its goal in the last run is
    compared with the goal, so that a run on a busy machine allows no more than a quiet one.
    """
    if last is None or last.full != results.full:
        return []
    found = []
    for name, outcome in results.benchmarks.items():
        for figure in outcome.figures:
            before = last.find(name, figure.name)
            if before is None or not before.value > 0:
                continue
            base = min(before.value, math.inf if figure.goal is None else figure.goal)
            if figure.value > base * MOST_GROWTH.get(figure.unit, OTHER_GROWTH):
                found.append(f"worse: {name}, {figure.name}: {figure.value:.3g} {figure.unit}, before {base:.3g}")
    return found


def document(results: Results) -> None:
    """Write the figures of a run to PAGE."""
    lines = []
    for name, outcome in results.benchmarks.items():
        for figure in outcome.figures:
            goal = "" if figure.goal is None else f"{figure.goal:g}"
            value = f"x{figure.value:.2f}" if figure.unit == RATIO else f"{figure.value:.3g} {figure.unit}"
            verdict = "missed" if figure.is_missed else "met" if goal else ""
            lines.append(f"| {name} | {figure.name} | {value} | {goal} | {verdict} |")
        if outcome.code not in (0, 1):
            lines.append(f"| {name} | could not measure (exit code {outcome.code}) | | | |")
    mode = "the full mode" if results.full else "the quick mode, with few rounds and small sizes"
    seconds = sum(outcome.seconds for outcome in results.benchmarks.values())
    PAGE.parent.mkdir(exist_ok=True)
    facts = {"mode": mode, "machine": results.machine, "minutes": f"{seconds / 60:.0f}"}
    PAGE.write_text(TEXT.format(**facts, rows="\n".join(lines)), encoding="utf-8")


TEXT: Final = """\
<!-- Written by `make bench`. -->
# Benchmarks

One run of all benchmarks in {mode}.
Machine: {machine}; {minutes} minutes.

A value with `x` is a ratio to a floor without features that was measured in the same run; others depend on the machine.
Less is better. While other work keeps the machine busy, waits (p99) are many times as long, and other figures vary.
[performance.md](../explanation/performance.md) describes the benchmarks and has longer runs.

| Benchmark | Figure | Value | Goal | |
|---|---|---|---|---|
{rows}
"""
