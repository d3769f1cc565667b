"""How long the command line takes to answer: help, the version, and a mistake in the options of each command.

    python -m benchmarks.startup [--against PATH] [--rounds 15] [--check]

PATH is a checkout of another build with its own `.venv`; both builds run in turn. The fastest round of each counts: it
was disturbed least by other programs. `--check` fails when help or the version takes more than 0.35 of the other
build's time, or when a mistake takes a second or more.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pixelfleet_cli.cli import COMMANDS

ROOT: Final = Path(__file__).parents[1]
MOST: Final = 0.35
"""Of the other build's time, for help and the version."""
MISTAKE_SECONDS: Final = 1.0

QUICK: Final = (("--help",), ("--version",))
MISTAKES: Final = (("no-such-command",), *((name, "--no-such-option") for name in COMMANDS))


def measure(builds: Sequence[Path], arguments: Sequence[str], rounds: int) -> list[float]:
    """Return the seconds of the fastest answer of each build; the builds run in turn."""
    seconds: list[list[float]] = [[] for _ in builds]
    for _ in range(rounds):
        for build, measured in zip(builds, seconds, strict=True):
            begun = time.perf_counter()
            subprocess.run([build / ".venv/bin/pixelfleet", *arguments], check=False, capture_output=True)
            measured.append(time.perf_counter() - begun)
    return [min(each) for each in seconds]


def main() -> int:
    """Print a table; return 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, help="checkout of another build")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--check", action="store_true", help="fail when a target is missed")
    options = parser.parse_args()
    builds = [ROOT, *([options.against] if options.against else [])]
    table = Table("pixelfleet ...", "ms", *(["ms, other", "ratio"] if options.against else []), box=SIMPLE_HEAD)
    missed = []
    for arguments in (*QUICK, *MISTAKES):
        ours, *others = measure(builds, arguments, options.rounds)
        ratios = [ours / other for other in others]
        table.add_row(
            " ".join(arguments),
            f"{1000 * ours:.0f}",
            *(f"{1000 * s:.0f}" for s in others),
            *(f"{r:.2f}" for r in ratios),
        )
        if (arguments in QUICK and any(ratio > MOST for ratio in ratios)) or ours >= MISTAKE_SECONDS:
            missed.append(" ".join(arguments))
    console = Console()
    console.print(table)
    if missed:
        console.print(f"missed: {', '.join(missed)}")
    return 1 if missed and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
