import io

from rich.console import Console

from pixelfleet.service.settings import load
from pixelfleet_cli.loadtest.app import prepared
from pixelfleet_cli.loadtest.core.tally import Event, Span
from pixelfleet_cli.loadtest.live import HEADS, cells_of, table_of
from pixelfleet_cli.loadtest.load import Load
from pixelfleet_cli.loadtest.settings import Settings


def test_before_the_start_there_are_no_figures() -> None:
    cells = cells_of(prepared(load(Settings, [])))
    assert cells[0] == "starting"
    assert len(cells) == len(HEADS)


async def test_the_progress_fits_a_terminal_of_80_columns() -> None:
    settings = load(Settings, ["--seconds", "3600"])
    test = prepared(settings)
    running = test.load = Load(settings, "ws://127.0.0.1/")
    running.tally.present(playing=12_345, waiting=6_789)
    running.tally.time(1, Span.WAIT, 0.123)
    running.count(Event.STARTED)
    running.failed("HTTP 429")
    stream = io.StringIO()
    Console(file=stream, width=80).print(table_of(test))
    text = stream.getvalue()
    assert "…" not in text
    for part in ("12,345", "6,789", "123 ms", "/3600 s"):
        assert part in text
