"""The arguments of `pixelfleet doctor`. The checks are imported after the arguments are validated."""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pixelfleet_cli.arguments import EXIT_INTERRUPTED, Parser

DEFAULT_URL: Final = "http://localhost:8080/"
"""The page of the demo, of docker-compose and of a router on its default port."""

MAX_IDLE_SECONDS: Final = 86_400.0


def main(arguments: Sequence[str]) -> int:
    """Run the command; return 0 without findings, 1 for a warning, 2 for an error, 130 after Ctrl-C.

    Raises UsageError.
    """
    options = _parser().parse(arguments)
    from pixelfleet.service.lifecycle import run  # noqa: PLC0415 - not needed for invalid arguments
    from pixelfleet_cli.doctor.app import perform  # noqa: PLC0415 - the same

    try:
        return run(perform(options))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _parser() -> Parser:
    parser = Parser(
        prog="pixelfleet doctor",
        description="Check what a player's page would meet at a URL, and name the next step for each finding.",
    )
    parser.add_argument(
        "url",
        nargs="?",
        metavar="URL",
        default="",
        help=f"The page is at this URL. Without it, {DEFAULT_URL} and the services of this machine are checked.",
    )
    parser.add_argument(
        "--join",
        action="store_true",
        help="The command joins as a player up to the offer, even if no list shows a free streamer. It takes a slot "
        "for a moment.",
    )
    parser.add_argument(
        "--idle",
        metavar="SECONDS",
        type=_seconds,
        default=0.0,
        help="The command keeps a websocket silent for this time, and reports when it is cut.",
    )
    parser.add_argument(
        "--turn-url",
        metavar="URL",
        default="",
        help="The TURN servers are those of the TURN API at this URL. Without it, they are those that a player gets.",
    )
    parser.add_argument(
        "--token-file",
        metavar="FILE",
        type=Path,
        help="This file contains the matchmaker's --rest-token, which opens the list of streamers.",
    )
    parser.add_argument(
        "--tls-ca",
        metavar="FILE",
        type=Path,
        help="This CA (PEM) verifies servers, in addition to the authorities of the system.",
    )
    parser.add_argument(
        "--seconds",
        metavar="SECONDS",
        type=_positive,
        default=10.0,
        help="A server that has not answered a request after this time has failed. (default: 10)",
    )
    parser.add_argument("--json", action="store_true", help="The report is printed as JSON.")
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= MAX_IDLE_SECONDS:
        raise argparse.ArgumentTypeError(f"must be a number of seconds, at most {MAX_IDLE_SECONDS:.0f}")
    return seconds


def _positive(text: str) -> float:
    seconds = _seconds(text)
    if not 0 < seconds <= 600:
        raise argparse.ArgumentTypeError("must be a number of seconds above 0, at most 600")
    return seconds
