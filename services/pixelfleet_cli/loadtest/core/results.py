"""The results of a load test, as they are printed, written as JSON and plotted. No I/O."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from pixelfleet_cli.loadtest.core.errors import hint_of
from pixelfleet_cli.loadtest.core.histogram import Histogram
from pixelfleet_cli.loadtest.core.tally import Event, Interval, Span, Tally

LAG_SECONDS: Final = 0.1
"""With a longer 99th percentile of the lag, this machine was the bottleneck, and the times are too long."""


class Result(msgspec.Struct, frozen=True, rename="camel"):
    """The base of all results."""


class Times(Result, frozen=True):
    """Percentiles of a time, in seconds; null without any time."""

    count: int
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None
    longest: float | None


class Players(Result, frozen=True):
    """What became of the players."""

    started: int
    served: Annotated[int, Meta(description="players that got a streamer")]
    completed: Annotated[int, Meta(description="players that left after their time")]
    gave_up: Annotated[int, Meta(description="players that left the queue after their patience")]
    still_playing: Annotated[int, Meta(description="players with a streamer at the end of the test")]
    still_waiting: Annotated[int, Meta(description="players without one at the end of the test")]
    skipped: Annotated[int, Meta(description="players that did not start because of --concurrent")]
    most: Annotated[int, Meta(description="players at the same time")]


class Returns(Result, frozen=True):
    """What became of dropped connections."""

    drops: int
    resumed: Annotated[int, Meta(description="sessions that went on without a new negotiation")]
    negotiated_again: Annotated[int, Meta(description="sessions that went on with a new negotiation")]
    joined_again: Annotated[int, Meta(description="players that arrived anew, without their session")]


class Error(Result, frozen=True):
    """One kind of error."""

    code: str
    count: int
    hint: str


class Streamers(Result, frozen=True):
    """The test streamers."""

    wanted: int = 0
    connected: Annotated[int, Meta(description="at the end of the test")] = 0
    with_media: bool = False


class MediaPlayer(Result, frozen=True):
    """What one player with media received."""

    name: str
    tracks: int
    expected_tracks: int
    packets: int
    lost_packets: int
    bits_per_second: float
    frames_per_second: float
    jitter_seconds: float
    first_frame_seconds: float | None
    error: str


class Process(Result, frozen=True):
    """The resources of a process."""

    name: str
    cpu_percent: Annotated[float, Meta(description="the mean, of one core")]
    cpu_percent_peak: float
    memory_bytes_peak: int


class Point(Result, frozen=True):
    """One interval of the test."""

    seconds: Annotated[float, Meta(description="its start")]
    started: int
    playing: int
    waiting: int
    times: dict[str, Times]
    errors: dict[str, int]
    cpu_percent: dict[str, float]
    memory_bytes: dict[str, int]


class Report(Result, frozen=True):
    """The results of a command."""

    version: str
    target: Annotated[str, Meta(description="the URL without its query")]
    started_at: Annotated[str, Meta(description="as in RFC 3339")]
    seconds: Annotated[float, Meta(description="the duration of the test")]
    interrupted: bool
    passed: Annotated[bool, Meta(description="whether there are at most --max-errors errors")]
    players: Players
    times: Annotated[dict[str, Times], Meta(description="by connect, wait, offer, firstFrame, resume and lag")]
    returns: Returns
    errors: list[Error]
    streamers: Streamers
    media: list[MediaPlayer]
    processes: list[Process]
    timeline: list[Point]
    settings: dict[str, str]

    @property
    def error_count(self) -> int:
        """All errors."""
        return sum(each.count for each in self.errors)

    @property
    def is_too_slow(self) -> bool:
        """Whether this machine could not keep up with the schedule."""
        return (self.times[Span.LAG].p99 or 0.0) > LAG_SECONDS


def times_of(histogram: Histogram) -> Times:
    """Return the percentiles of a histogram."""
    parts = [histogram.percentile(part) for part in (0.5, 0.9, 0.95, 0.99, 1.0)]
    return Times(histogram.count, *parts)


def players_of(tally: Tally) -> Players:
    """Return what became of the players."""
    events = tally.events
    return Players(
        started=events[Event.STARTED],
        served=events[Event.SERVED],
        completed=events[Event.COMPLETED],
        gave_up=events[Event.GAVE_UP],
        still_playing=tally.playing,
        still_waiting=tally.waiting,
        skipped=events[Event.SKIPPED],
        most=tally.most,
    )


def returns_of(tally: Tally) -> Returns:
    """Return what became of dropped connections."""
    events = tally.events
    return Returns(
        events[Event.DROPS], events[Event.RESUMED], events[Event.NEGOTIATED_AGAIN], events[Event.JOINED_AGAIN]
    )


def errors_of(tally: Tally) -> list[Error]:
    """Return the errors, the most frequent first."""
    return [Error(code, count, hint_of(code)) for code, count in tally.errors.most_common()]


def processes_of(tally: Tally) -> list[Process]:
    """Return the resources of the processes, in the order in which they were seen."""
    return [
        Process(name, each.cpu_total / max(1, each.samples), each.cpu_peak, each.memory_peak)
        for name, each in tally.sources.items()
    ]


def timeline_of(tally: Tally) -> list[Point]:
    """Return the intervals."""
    return [_point(number * tally.width, interval) for number, interval in enumerate(tally.intervals)]


def _point(seconds: float, interval: Interval) -> Point:
    return Point(
        seconds=seconds,
        started=interval.started,
        playing=interval.playing,
        waiting=interval.waiting,
        times={span.value: times_of(histogram) for span, histogram in interval.spans.items()},
        errors=dict(interval.errors),
        cpu_percent={name: used.cpu_percent for name, used in interval.usage.items()},
        memory_bytes={name: used.memory_bytes for name, used in interval.usage.items()},
    )
