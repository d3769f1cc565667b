"""`pixelfleet link`: signs a link that lets its holder in."""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

from pixelfleet.auth.claims import MAX_PRIORITY
from pixelfleet.auth.credentials import LINK
from pixelfleet.auth.links import LONGEST_SECONDS, Link, sign
from pixelfleet.fleet.keys import MIN_KEY_BYTES
from pixelfleet.service.errors import UsageError

KEY_VARIABLE: Final = "PIXELFLEET_LINK_KEY"
UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{' '.join(message.split())}; see `{self.prog} --help`")


def main(arguments: Sequence[str]) -> int:
    """Print a link; return 0. Raises UsageError."""
    options = _parser().parse_args(arguments)
    key = os.environ.get(KEY_VARIABLE, "")
    if len(key.encode()) < MIN_KEY_BYTES:
        raise UsageError(f"${KEY_VARIABLE} must hold the key of links, with at least {MIN_KEY_BYTES} bytes")
    link = Link(
        subject=options.subject,
        app=options.app,
        wants=options.id,
        priority=options.priority,
        roles=tuple(options.role),
        once=options.once,
    )
    token = sign(link, key, options.expires)
    url = f"{options.url}{'&' if '?' in options.url else '?'}{LINK}={token}" if options.url else token
    sys.stdout.write(f"{url}\n")
    return 0


def seconds_of(text: str) -> int:
    """Return a time such as `10m`, `2h` or `90` in seconds."""
    found = re.fullmatch(r"(\d{1,9})([smhd]?)", text, re.ASCII)
    seconds = int(found[1]) * UNITS[found[2] or "s"] if found else 0
    if not 0 < seconds <= LONGEST_SECONDS:
        raise argparse.ArgumentTypeError("must be a time such as 90s, 10m, 2h or 7d, at most a year")
    return seconds


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="pixelfleet link",
        description=f"signs a link that lets its holder in; the key is read from ${KEY_VARIABLE}",
    )
    parser.add_argument("--url", default="", help="the page; without it the token alone is printed")
    parser.add_argument("--expires", type=seconds_of, default=3600, help="how long it holds: 90s, 10m, 2h, 7d (1h)")
    parser.add_argument("--once", action="store_true", help="let one player in, and nobody after that")
    parser.add_argument("--subject", default="", help="whom it is for, for logs")
    parser.add_argument("--app", default="", help="the one app that its holder gets")
    parser.add_argument("--id", default="", help="the one streamer or session that its holder gets")
    parser.add_argument("--priority", type=int, choices=range(MAX_PRIORITY + 1), metavar=f"0..{MAX_PRIORITY}")
    parser.add_argument("--role", action="append", default=[], help="a role of its holder; may be given several times")
    return parser
