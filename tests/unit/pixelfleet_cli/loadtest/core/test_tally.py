from pixelfleet_cli.loadtest.core import errors
from pixelfleet_cli.loadtest.core.results import players_of, processes_of, timeline_of
from pixelfleet_cli.loadtest.core.tally import INTERVALS, MAX_SOURCES, Event, Span, Tally, Usage


def test_the_number_of_intervals_is_bounded() -> None:
    tally = Tally(86_400)
    for second in range(0, 200_000, 500):
        tally.time(second, Span.WAIT, 1.0)
    assert len(tally.intervals) <= INTERVALS + 1
    assert tally.spans[Span.WAIT].count == 400


def test_codes_of_errors_are_bounded() -> None:
    tally = Tally(60)
    for number in range(500):
        tally.failed(1, f"close {number}")
    assert len(tally.errors) == errors.MAX_CODES + 1
    assert tally.errors[errors.OTHER] == 500 - errors.MAX_CODES


def test_processes_are_bounded() -> None:
    tally = Tally(60)
    tally.sample(1, {f"router {number}": Usage(1.0, 1) for number in range(100)})
    assert len(tally.sources) == len(tally.intervals[1].usage) == MAX_SOURCES


def test_players_are_counted_by_their_fate() -> None:
    tally = Tally(60)
    for _ in range(3):
        tally.present(waiting=1)
        tally.count(0.5, Event.STARTED)
    tally.present(playing=1, waiting=-1)
    tally.count(0.6, Event.SERVED)
    tally.present(waiting=-1)
    tally.count(0.7, Event.GAVE_UP)
    players = players_of(tally)
    assert (players.started, players.served, players.gave_up) == (3, 1, 1)
    assert (players.still_playing, players.still_waiting, players.most) == (1, 1, 3)


def test_the_timeline_has_the_statistics_of_each_interval() -> None:
    tally = Tally(60)
    tally.present(playing=4)
    tally.sample(0.5, {"router 7": Usage(30.0, 1000)})
    tally.time(2.5, Span.WAIT, 2.0)
    tally.failed(2.6, "HTTP 429")
    tally.sample(2.9, {"router 7": Usage(50.0, 3000)})
    first, second, third = timeline_of(tally)
    assert first.cpu_percent == {"router 7": 30.0}
    assert second.playing == 4, "an interval without a sample has the last numbers"
    assert third.times["wait"].count == 1
    assert third.errors == {"HTTP 429": 1}
    (process,) = processes_of(tally)
    assert (process.cpu_percent, process.cpu_percent_peak, process.memory_bytes_peak) == (40.0, 50.0, 3000)
