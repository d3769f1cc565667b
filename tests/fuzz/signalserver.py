"""The long fuzz run of the signalling server: `python -m tests.fuzz.signalserver --frames 1000000 [--seed N]`."""

import argparse
import asyncio
import secrets
import sys

import uvloop

from tests.fuzz.run import fuzz


def report(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def main() -> int:
    """Run and print the results; return 1 when there were problems."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.signalserver", description=__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000, help="how many to send at least (default %(default)s)")
    parser.add_argument("--seed", type=int, help="seed of an earlier run, to repeat it")
    parser.add_argument(
        "--minutes", type=float, default=15.0, help="after which the run gives up (default %(default)s)"
    )
    arguments = parser.parse_args()
    seed = secrets.randbelow(2**31) if arguments.seed is None else arguments.seed
    report(f"seed {seed}: {arguments.frames:,} frames")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        outcome = runner.run(fuzz(arguments.frames, seed, max_seconds=arguments.minutes * 60, report=report))
    for line in outcome.lines():
        report(line)
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main())
