"""The statistics of a load test, over all of it and by interval. The memory is bounded by the number of intervals.

The edges of the command call its methods with the seconds since the start of the test. No I/O.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from pixelfleet_cli.loadtest.core import errors
from pixelfleet_cli.loadtest.core.histogram import Histogram

INTERVALS: Final = 120
"""The most intervals of a test."""

MAX_SOURCES: Final = 32
"""The most processes whose resources are recorded."""


class Span(StrEnum):
    """A time that is measured."""

    CONNECT = "connect"
    """From the dial to the open websocket."""
    WAIT = "wait"
    """From the dial to `config`: the player has a streamer."""
    OFFER = "offer"
    """From the dial to the streamer's offer."""
    FIRST_FRAME = "firstFrame"
    """From the dial to the first decoded video frame."""
    RESUME = "resume"
    """From the dial after a drop to the continued session."""
    LAG = "lag"
    """How much later than planned this command dialled."""


class Event(StrEnum):
    """A fact that is counted."""

    STARTED = "started"
    SERVED = "served"
    GAVE_UP = "gaveUp"
    COMPLETED = "completed"
    SKIPPED = "skipped"
    """Players that did not start because the most were present at once."""
    DROPS = "drops"
    RESUMED = "resumed"
    NEGOTIATED_AGAIN = "negotiatedAgain"
    JOINED_AGAIN = "joinedAgain"


@dataclass(slots=True)
class Usage:
    """The resources of a process."""

    cpu_percent: float
    """Of one core, since the last sample."""
    memory_bytes: int


@dataclass(slots=True)
class Interval:
    """The statistics of one part of the test."""

    spans: dict[Span, Histogram] = field(default_factory=dict)
    started: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    playing: int = 0
    """Players with a streamer, at the last sample of the interval."""
    waiting: int = 0
    usage: dict[str, Usage] = field(default_factory=dict)
    """The last sample by process."""


@dataclass(slots=True)
class Source:
    """The resources of one process over the test."""

    samples: int = 0
    cpu_total: float = 0.0
    cpu_peak: float = 0.0
    memory_peak: int = 0


class Tally:
    """Counts what players meet."""

    def __init__(self, seconds: float) -> None:
        """`seconds` is the longest duration of the test."""
        self.width = max(1.0, seconds / INTERVALS)
        """The seconds of an interval."""
        self.intervals: list[Interval] = [Interval()]
        self.spans: dict[Span, Histogram] = {span: Histogram() for span in Span}
        self.events: Counter[Event] = Counter()
        self.errors: Counter[str] = Counter()
        self.sources: dict[str, Source] = {}
        self.playing = self.waiting = self.most = 0

    def present(self, playing: int = 0, waiting: int = 0) -> None:
        """Change the numbers of players with a streamer, and of those that dial or wait."""
        self.playing += playing
        self.waiting += waiting
        self.most = max(self.most, self.playing + self.waiting)

    def time(self, now: float, span: Span, seconds: float) -> None:
        """Count a time."""
        self.spans[span].add(seconds)
        self._at(now).spans.setdefault(span, Histogram()).add(seconds)

    def count(self, now: float, event: Event) -> None:
        """Count an event."""
        self.events[event] += 1
        if event is Event.STARTED:
            self._at(now).started += 1

    def failed(self, now: float, code: str) -> None:
        """Count an error."""
        known = code if code in self.errors or len(self.errors) < errors.MAX_CODES else errors.OTHER
        self.errors[known] += 1
        self._at(now).errors[known] += 1

    def sample(self, now: float, usage: dict[str, Usage]) -> None:
        """Record the present number of players, and the resources of processes by their names."""
        interval = self._at(now)
        interval.playing, interval.waiting = self.playing, self.waiting
        for name, used in usage.items():
            if name not in self.sources and len(self.sources) >= MAX_SOURCES:
                continue
            source = self.sources.setdefault(name, Source())
            source.samples += 1
            source.cpu_total += used.cpu_percent
            source.cpu_peak = max(source.cpu_peak, used.cpu_percent)
            source.memory_peak = max(source.memory_peak, used.memory_bytes)
            interval.usage[name] = used

    def _at(self, now: float) -> Interval:
        place = min(int(max(0.0, now) / self.width), INTERVALS)
        while len(self.intervals) <= place:
            last = self.intervals[-1]
            self.intervals.append(Interval(playing=last.playing, waiting=last.waiting))
        return self.intervals[place]
