"""`pixelfleet link`: signs a link that admits its holder, or an invite to a running session."""

import argparse
import re
import sys
from collections.abc import Sequence
from typing import Final, Literal
from urllib.parse import urlsplit

from pixelfleet.fleet.bounds import MAX_PRIORITY
from pixelfleet.service.errors import UsageError
from pixelfleet.service.keys import MIN_KEY_BYTES
from pixelfleet_cli.arguments import Parser, file_path, secret

KEY_VARIABLE: Final = "PIXELFLEET_LINK_KEY"
SESSION_KEY_VARIABLE: Final = "PIXELFLEET_SESSION_KEY"
KEY_FILE_VARIABLE: Final = "PIXELFLEET_LINK_KEY_FILE"
UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def main(arguments: Sequence[str]) -> int:
    """Print a link; return 0. Raises UsageError."""
    options = _parser().parse(arguments)
    if options.session:
        return _invite(options)
    from pixelfleet.auth.credentials import LINK  # noqa: PLC0415 - not needed for invalid arguments
    from pixelfleet.auth.links import SignedLink, sign  # noqa: PLC0415 - the same

    key = secret("--key", None, options.key_file, KEY_VARIABLE)
    if len(key.encode()) < MIN_KEY_BYTES:
        raise UsageError(f"--key-file or ${KEY_VARIABLE} must have the key of links, of at least {MIN_KEY_BYTES} bytes")
    link = SignedLink(
        subject=options.subject,
        app=options.app,
        wants=options.id,
        priority=options.priority,
        roles=tuple(options.role),
        once=options.once,
    )
    _print(options.url, LINK, sign(link, key, options.expires))
    return 0


def _invite(options: argparse.Namespace) -> int:
    """Print an invite to a session; return 0. Raises UsageError."""
    from pixelfleet.fleet.invites import INVITE, invite_key, sign  # noqa: PLC0415 - not needed for other links
    from pixelfleet.protocol.people import MAX_NAME_LENGTH, MAX_SECONDS, Invite  # noqa: PLC0415 - the same

    roles: list[Literal["guest", "spectator"]] = [role for role in ("guest", "spectator") if role in options.role]
    if len(roles) != 1 or len(options.role) != 1:
        raise UsageError("--session: give --role guest or --role spectator")
    if options.id or options.priority is not None:
        raise UsageError("--session: not with --id or --priority")
    if not options.app:
        raise UsageError("--session: give --app, the application of the session")
    if options.expires > MAX_SECONDS:
        raise UsageError(f"--expires: an invite is valid for at most {MAX_SECONDS // UNITS['d']} days")
    if len(options.subject) > MAX_NAME_LENGTH:
        raise UsageError(f"--subject: at most {MAX_NAME_LENGTH} characters")
    key = secret("--key", None, options.key_file, SESSION_KEY_VARIABLE)
    if len(key.encode()) < MIN_KEY_BYTES:
        raise UsageError(
            f"--key-file or ${SESSION_KEY_VARIABLE} must have the session key, of at least {MIN_KEY_BYTES} bytes"
        )
    invite = Invite(session=options.session, role=roles[0], app=options.app, name=options.subject, once=options.once)
    _print(options.url, INVITE, sign(invite, invite_key(key), options.expires))
    return 0


def _print(url: str, parameter: str, token: str) -> None:
    sys.stdout.write(f"{url}{'&' if '?' in url else '?'}{parameter}={token}\n" if url else f"{token}\n")


def seconds_of(text: str) -> int:
    """Return a time such as `10m`, `2h` or `90` in seconds; raise ArgumentTypeError."""
    from pixelfleet.auth.links import MAX_SECONDS  # noqa: PLC0415 - not needed for unknown options

    found = re.fullmatch(r"(\d{1,9})([smhd]?)", text, re.ASCII)
    seconds = int(found[1]) * UNITS[found[2] or "s"] if found else 0
    if not 0 < seconds <= MAX_SECONDS:
        raise argparse.ArgumentTypeError("must be a time such as 90s, 10m, 2h or 7d, at most a year")
    return seconds


def page_url(text: str) -> str:
    """Return the URL of a page to which a query can be appended, or an empty text; raise ArgumentTypeError."""
    if not text:
        return text
    try:
        parts = urlsplit(text)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and text.isprintable()
    except ValueError:  # an invalid port or address
        valid = False
    if not valid or parts.fragment or " " in text:
        raise argparse.ArgumentTypeError("must be an http:// or https:// URL without a fragment")
    return text


def _parser() -> Parser:
    parser = Parser(prog="pixelfleet link", description="Sign a link that admits its holder, once or for a time.")
    parser.add_argument(
        "--url",
        metavar="URL",
        type=page_url,
        default="",
        help="The link opens this page. Without it only the token is printed.",
    )
    parser.add_argument(
        "--key-file",
        metavar="FILE",
        type=file_path,
        help=f"This file contains the key of links. (default: ${KEY_FILE_VARIABLE}, or the key in ${KEY_VARIABLE})",
    )
    parser.add_argument(
        "--expires",
        metavar="TIME",
        type=seconds_of,
        default=3600,
        help="The link is valid for this time, such as 90s, 10m, 2h or 7d. (default: 1h)",
    )
    parser.add_argument("--once", action="store_true", help="The link admits only one player.")
    parser.add_argument("--subject", metavar="NAME", default="", help="The log shows this name of the holder.")
    parser.add_argument("--app", metavar="NAME", default="", help="The holder can use only this application.")
    parser.add_argument("--id", metavar="ID", default="", help="The holder can use only this streamer or session.")
    parser.add_argument(
        "--session",
        metavar="ID",
        default="",
        help="The holder joins this running session, as --role guest or --role spectator. The key is then the session "
        f"key of the services, from --key-file or ${SESSION_KEY_VARIABLE}.",
    )
    parser.add_argument(
        "--priority",
        type=int,
        choices=range(MAX_PRIORITY + 1),
        metavar=f"0..{MAX_PRIORITY}",
        help="The holder has this priority in the queue. A higher priority is served first.",
    )
    parser.add_argument(
        "--role",
        metavar="ROLE",
        action="append",
        default=[],
        help="The holder has this role. The option may be repeated.",
    )
    return parser
