"""The response time of the command line: help, the version, and a mistake in the options of each command.

    python -m benchmarks.startup [--against PATH] [--rounds 15] [--check]

PATH is a checkout of another build with its own `.venv`; both builds are measured in turn. The minimum of all rounds
counts, and the ratio is that of CPU times, which depend little on other programs. `--check` fails when help or the
version needs more than 0.35 of the other build's time, or when a mistake needs a second or more.
"""

import argparse
import math
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.figures import record
from pixelfleet_cli.cli import COMMANDS

ROOT: Final = Path(__file__).parents[1]
MOST: Final = 0.35
"""Maximum share of the other build's time, for help and the version."""
MISTAKE_SECONDS: Final = 1.0

QUICK: Final = (("--help",), ("--version",))
MISTAKES: Final = (("no-such-command",), *((name, "--no-such-option") for name in COMMANDS))


@dataclass
class Answer:
    """The response time of a build, in its fastest and its cheapest round."""

    seconds: float = math.inf
    cpu_seconds: float = math.inf


def measure(builds: Sequence[Path], arguments: Sequence[str], rounds: int) -> list[Answer]:
    """Return the response time of each build; the builds are measured in turn."""
    answers = [Answer() for _ in builds]
    for _ in range(rounds):
        for build, answer in zip(builds, answers, strict=True):
            begun = time.perf_counter()
            with subprocess.Popen(
                [build / ".venv/bin/pixelfleet", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            ) as process:
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
            answer.seconds = min(answer.seconds, time.perf_counter() - begun)
            answer.cpu_seconds = min(answer.cpu_seconds, usage.ru_utime + usage.ru_stime)
    return answers


def main() -> int:
    """Print a table; return 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, help="checkout of another build")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--check", action="store_true", help="exit with 1 when a goal is missed")
    options = parser.parse_args()
    builds = [ROOT, *([options.against] if options.against else [])]
    table = Table("pixelfleet ...", "ms", "CPU ms", box=SIMPLE_HEAD)
    if options.against:
        for title in ("ms, other", "CPU ms, other", "ratio"):
            table.add_column(title)
    missed = []
    for arguments in (*QUICK, *MISTAKES):
        ours, *others = measure(builds, arguments, options.rounds)
        record(f"CPU of pixelfleet {' '.join(arguments)}", 1000 * ours.cpu_seconds, "ms")
        ratios = [ours.cpu_seconds / other.cpu_seconds for other in others]
        times = [f"{1000 * each:.0f}" for answer in (ours, *others) for each in (answer.seconds, answer.cpu_seconds)]
        table.add_row(" ".join(arguments), *times, *(f"{ratio:.2f}" for ratio in ratios))
        if (arguments in QUICK and any(ratio > MOST for ratio in ratios)) or ours.cpu_seconds >= MISTAKE_SECONDS:
            missed.append(" ".join(arguments))
    console = Console()
    console.print(table)
    if missed:
        console.print(f"missed: {', '.join(missed)}")
    return 1 if missed and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
