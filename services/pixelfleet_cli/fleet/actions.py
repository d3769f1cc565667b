"""The actions of `pixelfleet fleet` on a matchmaker's REST API: list, export, drain, extend and kick."""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from rich.console import Console

from matchmaker.http.schemas import Ending, Extension, Page, Streamer, Totals
from pixelfleet.service.errors import UsageError
from pixelfleet_cli.arguments import secret
from pixelfleet_cli.fleet.client import PAGE_SIZE, FleetClient, fleet_client
from pixelfleet_cli.fleet.command import DEFAULT_URL, TOKEN_VARIABLE, URL_VARIABLE
from pixelfleet_cli.fleet.export import csv_lines, json_lines, time_of
from pixelfleet_cli.fleet.tables import listing

TIMES: Final = "must be a time such as 2026-01-31T18:00:00Z, or a span such as 12h, 7d or 2w"

PIPE_WIDTH: Final = 200
"""The width of a table without a terminal, in columns."""


async def perform(options: argparse.Namespace) -> int:
    """Run the command; return 0. Raises UsageError when a request fails."""
    url = options.url or os.environ.get(URL_VARIABLE) or DEFAULT_URL
    token = await asyncio.to_thread(secret, "--token", options.token, options.token_file, TOKEN_VARIABLE)
    async with fleet_client(url, token) as client:
        if options.action == "ls":
            await _ls(client, options)
        elif options.action == "export":
            await _export(client, options)
        else:
            await _change(client, options)
    return 0


async def _ls(client: FleetClient, options: argparse.Namespace) -> None:
    answer: Totals | Page[Any]
    rows: Sequence[msgspec.Struct]
    if options.what == "apps":
        totals = await client.apps()
        rows = [app for app in totals.apps if not options.app or app.app == options.app]
        answer, total = msgspec.structs.replace(totals, apps=rows), len(rows)
    else:
        answer = await client.items(options.what, app=options.app, limit=options.limit)
        rows, total = answer.items, answer.total
    if options.json:
        _print_json(answer)
        return
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)
    console.print(listing(options.what, rows, answer.now, options.app), soft_wrap=not rows)
    if total > len(rows):
        console.print(f"{total - len(rows)} more; see --limit")


async def _export(client: FleetClient, options: argparse.Namespace) -> None:
    """Write ended sessions to standard output, oldest first; each page when it has arrived."""
    now = time.time()
    query = {"order": "oldest", "limit": str(PAGE_SIZE)}
    for name in ("since", "until"):
        if text := getattr(options, name):
            try:
                query[name] = f"{time_of(text, now):.3f}"
            except (ValueError, OverflowError):
                raise UsageError(f"--{name} {text}: {TIMES}") from None
    if options.app:
        query["app"] = options.app
    header = True
    async for sessions in client.history(query):
        text = csv_lines(sessions, header=header) if options.format == "csv" else json_lines(sessions)
        header = False
        sys.stdout.write(text)
    sys.stdout.flush()


async def _change(client: FleetClient, options: argparse.Namespace) -> None:
    answer: Streamer | Ending | Extension
    for name in options.ids:
        match options.action:
            case "drain":
                answer = await client.drain(name)
            case "undrain":
                answer = await client.undrain(name)
            case "extend":
                answer = await client.extend(name, options.seconds)
            case _:
                answer = await client.kick(name)
        if options.json:
            _print_json(answer)
        else:
            Console(highlight=False, markup=False).print(f"{answer.id}: {answer.state}", soft_wrap=True)


def _print_json(answer: msgspec.Struct) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(answer)).decode() + "\n")
