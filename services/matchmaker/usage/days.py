"""The usage of one day, by application. No I/O. Days are those of UTC; a session belongs to the day of its end."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from matchmaker.usage.histogram import Histogram
from pixelfleet.fleet.records import SessionRecord

DAY_SECONDS: Final = 86_400

MAX_APPS: Final = 100
"""Applications of a day that are counted each on its own: the names come from players. All others are `OTHER`."""

OTHER: Final = "(other)"
ALL: Final = ""
"""The key of the sums over all applications."""


@dataclass(slots=True)
class AppUsage:
    """The sessions of one application that ended on one day, or of several days and applications."""

    sessions: int = 0
    """Those that had a streamer."""
    abandoned: int = 0
    """Players that left the queue without one."""
    seconds: float = 0.0
    """The time with a streamer, in sum."""
    waits: Histogram = field(default_factory=Histogram)
    first_frames: Histogram = field(default_factory=Histogram)
    """From opening the page to the first frame."""
    ends: Counter[str] = field(default_factory=Counter)
    """By how the sessions ended, with the players that left the queue."""
    paths: Counter[str] = field(default_factory=Counter)
    _steps: Counter[int] = field(default_factory=Counter)
    """The changes of the number of simultaneous sessions, by the whole second of unix time at which they happen."""
    _peak: int | None = 0
    """None while it has to be computed again."""

    def add(self, record: SessionRecord) -> None:
        """Count one session."""
        self.ends[record.end.ending] += 1
        if record.waited_seconds is not None:
            self.waits.add(record.waited_seconds)
        started = record.started_at
        if started is None:
            self.abandoned += 1
            return
        self.sessions += 1
        self.seconds += record.seconds_played
        if record.path:
            self.paths[record.path] += 1
        if record.first_frame_seconds:
            self.first_frames.add(sum(record.first_frame_seconds.values()))

    def occupy(self, start: float, end: float) -> None:
        """Count one session as present from a time to another; both are unix times of one day."""
        first, last = math.ceil(start), math.ceil(end)
        if first < last:
            self._steps[first] += 1
            self._steps[last] -= 1
            self._peak = None

    @property
    def players(self) -> int:
        """The number of sessions, and of players that left the queue."""
        return self.sessions + self.abandoned

    @property
    def needs_peak(self) -> bool:
        """Whether the peak has to be computed again."""
        return self._peak is None

    @property
    def peak(self) -> int:
        """The highest number of simultaneous sessions, counted at whole seconds."""
        if self._peak is None:
            present = self._peak = 0
            for at in sorted(self._steps):
                present += self._steps[at]
                self._peak = max(self._peak, present)
        return self._peak

    @classmethod
    def of_days(cls, days: Iterable["AppUsage"]) -> "AppUsage":
        """Return the sum of several days; its peak is the highest of one day."""
        every = list(days)
        total = cls(
            sessions=sum(each.sessions for each in every),
            abandoned=sum(each.abandoned for each in every),
            seconds=sum(each.seconds for each in every),
            waits=Histogram().merge(each.waits for each in every),
            first_frames=Histogram().merge(each.first_frames for each in every),
            _peak=max((each.peak for each in every), default=0),
        )
        for each in every:
            total.ends.update(each.ends)
            total.paths.update(each.paths)
        return total


class Days:
    """The usage of each day, by application."""

    def __init__(self) -> None:
        self._days: dict[int, dict[str, AppUsage]] = {}
        """By day, which is a number of days since 1970, and by application; `ALL` has the sums."""
        self.records = 0
        """The number of records that were counted."""

    def of(self, day: int, app: str = ALL) -> AppUsage:
        """Return the usage of one application, or of all, on one day."""
        return self._days.get(day, {}).get(app) or AppUsage()

    def apps(self, days: Iterable[int]) -> dict[str, list[AppUsage]]:
        """Return the usages of each application with sessions on any of these days, sorted by name.

        The names change from day to day. Beyond MAX_APPS, those with the fewest sessions and players are `OTHER`, whose
        peak is then that of one of them.
        """
        found: dict[str, list[AppUsage]] = {}
        for day in days:
            for app, usage in self._days.get(day, {}).items():
                if app != ALL:
                    found.setdefault(app, []).append(usage)
        named = sorted(found.keys() - {OTHER}, key=lambda app: -sum(each.players for each in found[app]))
        for app in named[MAX_APPS:]:
            found.setdefault(OTHER, []).extend(found.pop(app))
        return dict(sorted(found.items()))

    def unsettled(self) -> Iterator[AppUsage]:
        """Yield every usage, of which the peak may have to be computed again."""
        for apps in list(self._days.values()):
            yield from list(apps.values())

    def add(self, record: SessionRecord) -> None:
        """Count one session: on the day of its end, and for the peak on each day on which it was present."""
        self.records += 1
        last = int(record.ended_at // DAY_SECONDS)
        for usage in self._counted(last, record.app):
            usage.add(record)
        started = record.started_at
        if started is None:
            return
        # A session of more than a few days is an error of a clock, and counts on its last days only.
        for day in range(max(int(started // DAY_SECONDS), last - 7), last + 1):
            begin = day * DAY_SECONDS
            for usage in self._counted(day, record.app):
                usage.occupy(max(started, begin), min(record.ended_at, begin + DAY_SECONDS))

    def drop_before(self, day: int) -> None:
        """Remove the days before one."""
        for each in [each for each in self._days if each < day]:
            del self._days[each]

    def _counted(self, day: int, app: str) -> tuple[AppUsage, AppUsage]:
        """Return the usages in which a session counts: that of its application, and that of all."""
        apps = self._days.setdefault(day, {})
        if app not in apps and len(apps) > MAX_APPS:
            app = OTHER
        return apps.setdefault(app, AppUsage()), apps.setdefault(ALL, AppUsage())
