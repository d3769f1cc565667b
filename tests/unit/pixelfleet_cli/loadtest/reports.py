"""Reports for tests."""

from typing import Any

import msgspec

from pixelfleet_cli.loadtest.core import results
from pixelfleet_cli.loadtest.core.results import MediaPlayer, Report, Streamers
from pixelfleet_cli.loadtest.core.tally import Event, Span, Tally, Usage


def full_tally() -> Tally:
    """Return statistics with something of everything."""
    tally = Tally(60)
    for second in range(60):
        tally.present(waiting=1)
        tally.count(second, Event.STARTED)
        for span in Span:
            tally.time(second, span, 0.01 * second)
        tally.present(playing=1, waiting=-1)
        tally.count(second, Event.SERVED)
        tally.sample(second, {"router 7": Usage(10.0, 5 * 1024**2), "<b>": Usage(1.0, 1024**2)})
    for code in ("HTTP 429", "close 4103 queue_timeout", "refused: <script>", "a", "b", "c", "d"):
        tally.failed(30, code)
    tally.count(31, Event.DROPS)
    tally.count(31, Event.RESUMED)
    return tally


def report(tally: Tally | None = None, **changes: Any) -> Report:
    """Return a report."""
    tally = full_tally() if tally is None else tally
    medium = MediaPlayer("media 1", 2, 2, 1000, 10, 2e6, 29.5, 0.004, 0.3, "")
    found = Report(
        version="1.0",
        target="ws://127.0.0.1/",
        started_at="2026-01-31T18:00:00+00:00",
        seconds=60.0,
        interrupted=False,
        passed=False,
        players=results.players_of(tally),
        times={span.value: results.times_of(each) for span, each in tally.spans.items()},
        returns=results.returns_of(tally),
        errors=results.errors_of(tally),
        streamers=Streamers(3, 2, True),
        media=[medium, msgspec.structs.replace(medium, name="media 2", error="no first frame")],
        processes=results.processes_of(tally),
        timeline=results.timeline_of(tally),
        settings={"--url": "ws://127.0.0.1/"},
    )
    return msgspec.structs.replace(found, **changes)
