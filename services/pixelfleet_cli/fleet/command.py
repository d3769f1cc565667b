"""`pixelfleet fleet`: shows a fleet, drains streamers and ends sessions, over a matchmaker's REST API."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

import orjson
from rich.console import Console

from pixelfleet.service.errors import UsageError
from pixelfleet.service.lifecycle import run
from pixelfleet_cli.fleet.client import Answer, FleetClient, fleet_client
from pixelfleet_cli.fleet.tables import COLUMNS, table

DEFAULT_URL: Final = "http://127.0.0.1:3000"
URL_VARIABLE: Final = "PIXELFLEET_FLEET_URL"
TOKEN_VARIABLE: Final = "PIXELFLEET_FLEET_TOKEN"  # noqa: S105 - the name of a variable
PIPE_WIDTH: Final = 200
"""Columns of a table that no terminal bounds."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{' '.join(message.split())}; see `{self.prog} --help`")


def main(arguments: Sequence[str]) -> int:
    """Run the command; return 0. Raises UsageError for what cannot be had."""
    options = _parser().parse_args(arguments)
    return run(_run(options))


def _parser() -> argparse.ArgumentParser:
    common = _Parser(add_help=False)
    common.add_argument("--url", help=f"the matchmaker; else ${URL_VARIABLE}, else {DEFAULT_URL}")
    common.add_argument("--token", help=f"its --rest-token; better in ${TOKEN_VARIABLE}, where nobody else sees it")
    common.add_argument("--json", action="store_true", help="print what the matchmaker answers")
    parser = _Parser(prog="pixelfleet fleet", description="shows a fleet, drains streamers and ends sessions")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ls|drain|undrain|kick")
    ls = actions.add_parser("ls", parents=[common], help="show streamers, sessions, the queue or apps")
    ls.add_argument("what", nargs="?", default="streamers", choices=list(COLUMNS))
    ls.add_argument("--app", default="", help="of this application alone")
    ls.add_argument("--limit", type=_count, default=1000, help="how many at most (1000)")
    for name, text in (
        ("drain", "match nobody to these streamers any more; who plays goes on"),
        ("undrain", "match players to these streamers again"),
    ):
        action = actions.add_parser(name, parents=[common], help=text)
        action.add_argument("ids", nargs="+", metavar="STREAMER", help="its id as `ls` shows it")
    kick = actions.add_parser("kick", parents=[common], help="end these sessions; their players are sent away for good")
    kick.add_argument("ids", nargs="+", metavar="SESSION")
    return parser


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 8 and int(text) > 0):
        raise argparse.ArgumentTypeError("must be a number above 0")
    return int(text)


async def _run(options: argparse.Namespace) -> int:
    url = options.url or os.environ.get(URL_VARIABLE) or DEFAULT_URL
    token = options.token or os.environ.get(TOKEN_VARIABLE) or ""
    async with fleet_client(url, token) as client:
        if options.action == "ls":
            await _ls(client, options)
        else:
            await _change(client, options)
    return 0


async def _ls(client: FleetClient, options: argparse.Namespace) -> None:
    if options.what == "apps":
        answer = await client.apps()
        rows = [row for row in answer.get("apps", ()) if not options.app or row.get("app") == options.app]
        answer |= {"apps": rows}
        total = len(rows)
    else:
        answer = await client.items(options.what, app=options.app, limit=options.limit)
        rows, total = answer["items"], answer["total"]
    if options.json:
        _print_json(answer)
        return
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)
    console.print(table(options.what, rows, float(answer.get("now") or 0.0)))
    if total > len(rows):
        console.print(f"{total - len(rows)} more; see --limit")


async def _change(client: FleetClient, options: argparse.Namespace) -> None:
    for name in options.ids:
        match options.action:
            case "drain":
                answer = await client.drain(name)
            case "undrain":
                answer = await client.undrain(name)
            case _:
                answer = await client.kick(name)
        if options.json:
            _print_json(answer)
        else:
            Console(highlight=False, markup=False).print(f"{answer.get('id')}: {answer.get('state')}", soft_wrap=True)


def _print_json(answer: Answer) -> None:
    sys.stdout.write(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode() + "\n")
