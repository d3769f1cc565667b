import io

import pytest

from pixelfleet_cli.loadtest.core.tally import Event, Span, Tally
from pixelfleet_cli.loadtest.terminal import bitrate, conclusion, show, spoken
from tests.unit.pixelfleet_cli.loadtest.reports import report


def shown() -> str:
    stream = io.StringIO()
    show(report(), stream)
    return stream.getvalue()


def test_the_tables_have_every_measure() -> None:
    text = shown()
    for part in ("streamer assigned", "first frame", "media 2", "router 7", "HTTP 429", "--joins-per-minute", "2/2"):
        assert part in text


def test_the_tables_fit_a_terminal_of_80_columns() -> None:
    assert max(map(len, shown().splitlines())) <= 80


def test_an_interrupted_test_says_so() -> None:
    assert "interrupted after 12 s" in " ".join(conclusion(report(interrupted=True, seconds=12.0)))


def test_a_machine_that_was_too_slow_is_named_as_the_bottleneck() -> None:
    tally = Tally(60)
    tally.time(1, Span.LAG, 3.0)
    tally.count(1, Event.SKIPPED)
    text = " ".join(conclusion(report(tally, media=[])))
    assert "This machine was too slow" in text
    assert "1 player did not start because of --concurrent" in text


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "-"), (0.0123, "12.3 ms"), (0.9999, "1 s"), (59.4, "59.4 s"), (180.0, "3 min")]
)
def test_times_have_their_unit(seconds: float | None, text: str) -> None:
    assert spoken(seconds) == text


def test_bitrates_have_their_unit() -> None:
    assert [bitrate(900_000), bitrate(2_500_000)] == ["900 kbit/s", "2.50 Mbit/s"]
