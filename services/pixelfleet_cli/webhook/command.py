"""The arguments of `pixelfleet webhook`. The checks are imported after the arguments are validated."""

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from pixelfleet.service.errors import UsageError
from pixelfleet_cli.arguments import Parser, file_path, secret

SECRET_VARIABLE: Final = "PIXELFLEET_MATCHMAKER_WEBHOOK_SECRET"  # noqa: S105 - the name of a variable
SECRET_FILE_VARIABLE: Final = "PIXELFLEET_MATCHMAKER_WEBHOOK_SECRET_FILE"  # noqa: S105 - the same


def main(arguments: Sequence[str]) -> int:
    """Run the command; return 0, or 1 for a receiver that does not pass. Raises UsageError."""
    options = _parser().parse(arguments)
    if options.action == "secret":
        from pixelfleet_cli.webhook.secret import new_secret  # noqa: PLC0415 - not needed for invalid arguments

        sys.stdout.write(f"{new_secret()}\n")
        return 0
    from matchmaker.webhooks.core.signature import keys_of  # noqa: PLC0415 - not needed for invalid arguments
    from matchmaker.webhooks.settings import check_url  # noqa: PLC0415 - the same
    from pixelfleet.service.lifecycle import run  # noqa: PLC0415 - the same
    from pixelfleet_cli.webhook.check import check  # noqa: PLC0415 - the same

    given = secret("--secret", None, options.secret_file, SECRET_VARIABLE)
    if not given:
        raise UsageError(f"give --secret-file, ${SECRET_VARIABLE} or ${SECRET_FILE_VARIABLE}")
    try:
        keys = keys_of(given)
        check_url("URL", options.url)
    except ValueError as error:
        raise UsageError(str(error)) from None
    return run(check(options.url, keys, options.ca, seconds=options.seconds, asks=options.admission))


def _parser() -> Parser:
    parser = Parser(prog="pixelfleet webhook", description="Check the receiver of webhooks.")
    actions = parser.add_subparsers(title="Commands", dest="action", required=True, metavar="COMMAND")
    text = "Send a test event, and requests that the receiver must refuse."
    test = actions.add_parser("test", help=text, description=text)
    test.add_argument("url", metavar="URL", help="The receiver is at this URL.")
    test.add_argument(
        "--secret-file",
        metavar="FILE",
        type=file_path,
        help="This file contains the matchmaker's --webhook-secret. "
        f"(default: ${SECRET_FILE_VARIABLE}, or the secret in ${SECRET_VARIABLE})",
    )
    test.add_argument(
        "--admission", action="store_true", help="The receiver is asked about a player, and its answer is checked."
    )
    test.add_argument(
        "--seconds",
        metavar="SECONDS",
        type=_seconds,
        default=5.0,
        help="A request fails after this time without an answer. (default: 5)",
    )
    test.add_argument("--ca", metavar="FILE", type=file_path, help="This CA (PEM) verifies a receiver that uses https.")
    text = "Print a new random secret."
    actions.add_parser("secret", help=text, description=text)
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 60:
        raise argparse.ArgumentTypeError("must be a number of seconds above 0 and at most 60")
    return seconds
