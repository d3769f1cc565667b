"""The arguments of `pixelfleet fleet`. The actions are imported after the arguments are validated."""

import argparse
from collections.abc import Sequence
from typing import Final

from pixelfleet_cli.arguments import Parser, file_path

DEFAULT_URL: Final = "http://127.0.0.1:3000"
URL_VARIABLE: Final = "PIXELFLEET_FLEET_URL"
TOKEN_VARIABLE: Final = "PIXELFLEET_FLEET_TOKEN"  # noqa: S105 - the name of a variable
TOKEN_FILE_VARIABLE: Final = "PIXELFLEET_FLEET_TOKEN_FILE"  # noqa: S105 - the same
LISTS: Final = ("streamers", "sessions", "queue", "apps", "audit")


def main(arguments: Sequence[str]) -> int:
    """Run the command; return 0. Raises UsageError for invalid arguments and failed requests."""
    options = _parser().parse(arguments)
    from pixelfleet.service.lifecycle import run  # noqa: PLC0415 - not needed for invalid arguments
    from pixelfleet_cli.fleet.actions import perform  # noqa: PLC0415 - the same

    return run(perform(options))


def _parser() -> Parser:
    common = _connection()
    parser = Parser(
        prog="pixelfleet fleet",
        description="Show a fleet and its past sessions, drain streamers, and extend or end sessions.",
    )
    actions = parser.add_subparsers(title="Commands", dest="action", required=True, metavar="COMMAND")
    _add_ls(actions, common)
    _add_export(actions, common)
    for name, text in (
        ("drain", "Assign no more players to these streamers; their sessions continue."),
        ("undrain", "Assign players to these streamers again."),
    ):
        action = actions.add_parser(name, parents=[common], help=text, description=text)
        action.add_argument("ids", nargs="+", metavar="STREAMER", help="This is the id of a streamer, as ls prints it.")
    for name, text in (
        ("kick", "End these sessions; their players are not admitted again."),
        ("extend", "Let these sessions last longer; their times without input begin anew."),
    ):
        action = actions.add_parser(name, parents=[common], help=text, description=text)
        action.add_argument("ids", nargs="+", metavar="SESSION", help="This is the id of a session, as ls prints it.")
        if name == "extend":
            action.add_argument(
                "--seconds",
                metavar="NUMBER",
                type=_count,
                default=600,
                help="Each session may last longer by this number of seconds, at most 86400. (default: 600)",
            )
    return parser


def _connection() -> Parser:
    """Return the options of all commands."""
    common = Parser(add_help=False)
    connection = common.add_argument_group("Matchmaker")
    connection.add_argument(
        "--url", metavar="URL", help=f"The matchmaker is at this URL. (default: ${URL_VARIABLE}, or {DEFAULT_URL})"
    )
    connection.add_argument(
        "--token-file",
        metavar="FILE",
        type=file_path,
        help=f"This file contains the matchmaker's --rest-token. (default: ${TOKEN_FILE_VARIABLE}, or the token in "
        f"${TOKEN_VARIABLE})",
    )
    connection.add_argument(
        "--token", metavar="TOKEN", help="This is the token itself. Other users of the machine can read it here."
    )
    connection.add_argument("--json", action="store_true", help="The answers of the matchmaker are printed as JSON.")
    return common


def _add_ls(actions: "argparse._SubParsersAction[Parser]", common: Parser) -> None:
    ls = actions.add_parser(
        "ls",
        parents=[common],
        help="List streamers, sessions, the queue, applications or operators' changes.",
        description="List a fleet.",
    )
    ls.add_argument(
        "what",
        nargs="?",
        default="streamers",
        choices=LISTS,
        metavar="LIST",
        help="The command lists streamers, sessions, the queue, apps, or the audit: the changes by operators. "
        "(default: streamers)",
    )
    ls.add_argument("--app", metavar="NAME", default="", help="The list is limited to this application.")
    ls.add_argument(
        "--limit",
        metavar="NUMBER",
        type=_count,
        default=1000,
        help="The list has at most this number of lines. (default: 1000)",
    )


def _add_export(actions: "argparse._SubParsersAction[Parser]", common: Parser) -> None:
    text = "Print the sessions that have ended, as JSON lines or CSV."
    export = actions.add_parser("export", parents=[common], help=text, description=text)
    export.add_argument(
        "--since",
        metavar="TIME",
        default="",
        help="Only sessions that ended at this time or later are printed, such as 2026-01-31, "
        "2026-01-31T18:00:00+01:00, or 7d for the last seven days. (default: all)",
    )
    export.add_argument(
        "--until", metavar="TIME", default="", help="Only sessions that ended before this time are printed."
    )
    export.add_argument("--app", metavar="NAME", default="", help="Only sessions of this application are printed.")
    export.add_argument(
        "--format",
        metavar="FORMAT",
        choices=("jsonl", "csv"),
        default="jsonl",
        help="The sessions are printed as one JSON object in each line (jsonl), or as a table (csv). (default: jsonl)",
    )


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 8 and int(text) > 0):
        raise argparse.ArgumentTypeError("must be a number above 0")
    return int(text)
