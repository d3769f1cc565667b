"""The long fuzz run of the signalling server: `python -m tests.fuzz.signalserver --frames 1000000 [--seed N]`."""

import argparse
import asyncio
import secrets
import sys

import uvloop

from tests.fuzz.run import fuzz


def tell(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def main() -> int:
    """Run, print what came of it; return 1 when anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.signalserver", description=__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000, help="how many to send at least (default %(default)s)")
    parser.add_argument("--seed", type=int, help="of an earlier run, to send what it sent")
    parser.add_argument(
        "--minutes", type=float, default=15.0, help="after which the run gives up (default %(default)s)"
    )
    arguments = parser.parse_args()
    seed = secrets.randbelow(2**31) if arguments.seed is None else arguments.seed
    tell(f"seed {seed}: {arguments.frames:,} frames")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        outcome = runner.run(fuzz(arguments.frames, seed, most_seconds=arguments.minutes * 60, tell=tell))
    for line in outcome.lines():
        tell(line)
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main())
