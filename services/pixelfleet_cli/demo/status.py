"""The terminal output of the demo: a line for each step, then the live state."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.live import Live
from rich.table import Table

from pixelfleet_cli.fleet.command import TOKEN_VARIABLE, URL_VARIABLE

if TYPE_CHECKING:
    from pixelfleet_cli.demo.app import Demo

REFRESH_SECONDS: Final = 0.5


class Screen:
    """The output, to a terminal or a file."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._started = time.monotonic()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Print a line when a step is done."""
        yield
        self._console.print(f"  [green]✓[/] {name}  [dim]{time.monotonic() - self._started:.1f} s[/]")

    def _print(self, line: str) -> None:
        """Print a line without breaks, so that a command can be copied."""
        self._console.print(line, soft_wrap=True, markup=False)

    async def show(self, demo: "Demo") -> None:
        """Print the URL, then display the live state until cancelled."""
        self._console.print(f"\n  Open [bold cyan]{demo.url}[/] in a browser. Ctrl-C stops the demo.")
        login = f" (user {demo.dashboard_user}, password {demo.token})" if demo.dashboard_user else ""
        self._print(f"  Dashboard: {demo.url}dashboard/{login}")
        # In variables: other users of the machine can read a command line.
        self._print(f"  Fleet:     {URL_VARIABLE}={demo.url} {TOKEN_VARIABLE}={demo.token} pixelfleet fleet ls")
        port = demo.signalserver.streamer_port
        self._console.print(f"  [dim]A further streamer connects to ws://127.0.0.1:{port}[/]\n")
        if self._console.is_terminal:
            with Live(_table(demo), console=self._console, auto_refresh=False, transient=True) as live:
                while True:
                    await asyncio.sleep(REFRESH_SECONDS)
                    live.update(_table(demo), refresh=True)
        shown = ""
        while True:
            line = _line(demo)
            if line != shown:
                shown = line
                self._console.print(f"  {line}")
            await asyncio.sleep(REFRESH_SECONDS)


def _table(demo: "Demo") -> Table:
    """Return the live state for a terminal."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 2), header_style="dim")
    for name in ("streamers", "players", "queue", "up"):
        table.add_column(name, justify="right")
    uptime = int(time.monotonic() - demo.started)
    table.add_row(
        f"[bold]{len(demo.signalserver.streamers)}[/]",
        f"[bold]{demo.signalserver.players}[/]",
        f"[bold]{demo.matchmaker.queue}[/]",
        f"{uptime // 60}:{uptime % 60:02}",
    )
    return table


def _line(demo: "Demo") -> str:
    """Return the live state for a file."""
    return (
        f"streamers {len(demo.signalserver.streamers)}   players {demo.signalserver.players}   "
        f"queue {demo.matchmaker.queue}"
    )
