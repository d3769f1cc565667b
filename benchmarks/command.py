"""The common part of the benchmarks' command lines."""

import argparse
import sys
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import aiohttp
import uvloop
from picows import WSError

from benchmarks.processes import StartError

T = TypeVar("T")

CANNOT_MEASURE = (StartError, OSError, WSError, TimeoutError, aiohttp.ClientError)


def command_line(
    description: str,
    *,
    rounds: int | None = None,
    seconds: float | None = None,
    players: int | None = None,
    streamers: int | None = None,
    seconds_help: str | None = None,
) -> argparse.ArgumentParser:
    """Return a parser with `--check` and the usual options for which a default is given."""
    parser = argparse.ArgumentParser(description=description)
    for name, default, text in (
        ("rounds", rounds, None),
        ("seconds", seconds, seconds_help),
        ("players", players, None),
        ("streamers", streamers, None),
    ):
        if default is not None:
            parser.add_argument(f"--{name}", type=type(default), default=default, help=text)
    parser.add_argument("--check", action="store_true", help="exit with 1 when a goal is missed")
    return parser


def measured(name: str, work: Coroutine[Any, Any, T]) -> T:
    """Return the result of a benchmark; on an error print it and exit with 2."""
    try:
        return uvloop.run(work)
    except CANNOT_MEASURE as error:
        print(f"benchmarks.{name}: {error or 'a program did not start or answer in time'}", file=sys.stderr)
        raise SystemExit(2) from None


def verdict(missed: Sequence[str], *, check: bool) -> int:
    """Print the missed goals; return the exit code."""
    for each in missed:
        print(f"missed: {each}")
    return 1 if missed and check else 0
