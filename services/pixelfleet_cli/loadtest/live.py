"""The progress of a load test, on a terminal as a table, elsewhere as a line now and then."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table

from pixelfleet.service.lifecycle import background
from pixelfleet_cli.loadtest.core.results import players_of
from pixelfleet_cli.loadtest.core.tally import Span, Tally
from pixelfleet_cli.loadtest.run import LoadTest
from pixelfleet_cli.loadtest.terminal import spoken

REFRESH_SECONDS: Final = 0.5
LINE_SECONDS: Final = 10.0
HEADS: Final = ("time", "started", "playing", "waiting", "wait p50", "wait p95", "frame p95", "errors")


@asynccontextmanager
async def progress(stream: TextIO, test: LoadTest) -> AsyncIterator[None]:
    """Show the progress during the body."""
    async with background(_show(Console(file=stream, highlight=False), test)):
        yield


async def _show(console: Console, test: LoadTest) -> None:
    if console.is_terminal:
        with Live(console=console, auto_refresh=False, transient=True) as live:
            while not _is_over(test):
                live.update(table_of(test), refresh=True)
                await asyncio.sleep(REFRESH_SECONDS)
    while not _is_over(test):
        await asyncio.sleep(LINE_SECONDS)
        cells = cells_of(test)
        console.print("   ".join(f"{head} {cell}" for head, cell in zip(HEADS, cells, strict=True)), soft_wrap=True)


def _is_over(test: LoadTest) -> bool:
    return test.load is not None and test.load.is_over


def table_of(test: LoadTest) -> Table:
    """Return the state as a table."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", caption_justify="left")
    for name in HEADS:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_row(*cells_of(test))
    table.caption = "Ctrl-C ends the test with its report."
    return table


def cells_of(test: LoadTest) -> list[str]:
    """Return the state as texts under HEADS."""
    load = test.load
    if load is None:
        return ["starting", *[""] * (len(HEADS) - 1)]
    tally, players = load.tally, players_of(load.tally)
    counts = [players.started, players.still_playing, players.still_waiting]
    times = [_time(tally, Span.WAIT, 0.5), _time(tally, Span.WAIT, 0.95), _time(tally, Span.FIRST_FRAME, 0.95)]
    clock = f"{load.now:.0f}/{test.settings.seconds:.0f} s"
    return [clock, *(f"{each:,}" for each in counts), *times, f"{tally.errors.total():,}"]


def _time(tally: Tally, span: Span, part: float) -> str:
    return spoken(tally.spans[span].percentile(part))
