"""The time of one session: how long it has lasted and has had no input, as far as its limits count. No clock, no I/O.

All times are in seconds. The time in a hidden tab does not count, up to a number of seconds in sum.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

SMALLEST_SECONDS: Final = 0.001
"""A longest time that is over after an exchange of slots: 0 would be no limit."""


class Limit(Enum):
    """What ends a session. The values are fields of messages and labels of metrics."""

    TIME = "time"
    """The session has lasted for as long as it may."""
    IDLE = "idle"
    """The session has had no input for as long as it may."""


@dataclass(frozen=True, slots=True)
class SessionRules:
    """The limits of each session of a server."""

    session_seconds: float = 0.0
    """The longest session; 0 is no limit."""
    idle_seconds: float = 0.0
    """The longest time without input; 0 is no limit."""
    warn_seconds: float = 60.0
    """A page is warned this long before the end; 0 is no warning."""
    hidden_seconds: float = 0.0
    """The time in a hidden tab that does not count, in sum for a session."""
    silent_is_idle: bool = True
    """Whether a page that has never reported its input is without input."""

    @property
    def any(self) -> bool:
        """Whether there is a limit."""
        return self.session_seconds > 0 or self.idle_seconds > 0

    @property
    def needs_reports(self) -> bool:
        """Whether a page has to report its input, or whether its tab is hidden."""
        return self.idle_seconds > 0 or (self.session_seconds > 0 and self.hidden_seconds > 0)


@dataclass(frozen=True, slots=True)
class Remaining:
    """The limit that is reached first, and the time until then unless something changes."""

    limit: Limit
    seconds: float


@dataclass(slots=True)
class SessionTime:
    """The time of one session. A page that negotiates again, as after a reload, continues it."""

    started: float | None = None
    """The time at which the player got its slot."""
    extended: float = 0.0
    """The time by which the longest session was extended."""
    longest: float = 0.0
    """The longest time by the limits of the session's person, which nothing extends; 0 is no limit."""
    reported: bool = False
    """Whether the page has reported its input."""
    hidden_since: float | None = None
    """The time since which the tab is hidden; None while it is visible."""
    _hidden: float = 0.0
    """The time in a hidden tab until it was last visible."""
    _input_at: float = 0.0
    """The counted time of the last input, or of the start."""

    def begin(self, now: float) -> None:
        """Start the time, unless it has been started."""
        if self.started is None:
            self.started = now

    def counted(self, now: float, rules: SessionRules) -> float:
        """Return how long the session has lasted, without the time in a hidden tab that does not count."""
        if self.started is None:
            return 0.0
        return now - self.started - min(self._hidden_until(now), rules.hidden_seconds)

    def paused(self, now: float, rules: SessionRules) -> bool:
        """Return whether the time does not count at present."""
        return self.hidden_since is not None and self._hidden_until(now) < rules.hidden_seconds

    def report(self, now: float, idle: float, rules: SessionRules, *, hidden: bool) -> None:
        """Record a report of the page: the last input was `idle` seconds ago; an earlier input changes nothing."""
        self.reported = True
        self._input_at = max(self._input_at, self.counted(now, rules) - idle)
        if hidden and self.hidden_since is None:
            self.hidden_since = now
        elif not hidden:
            self.show(now)

    def show(self, now: float) -> None:
        """Record that the tab is visible."""
        self._hidden = self._hidden_until(now)
        self.hidden_since = None

    def extend(self, now: float, seconds: float, rules: SessionRules) -> None:
        """Let the session last longer by `seconds`, and let the time without input begin anew."""
        self.extended += seconds
        self._input_at = max(self._input_at, self.counted(now, rules))

    def idle(self, now: float, rules: SessionRules) -> float:
        """Return how long the page has reported no input."""
        return max(0.0, self.counted(now, rules) - self._input_at)

    def remaining(self, now: float, rules: SessionRules) -> Remaining | None:
        """Return the limit that is reached first, with a time of 0 or less if it is reached; None without a limit."""
        limits = []
        if self.longest > 0 and self.started is not None:
            limits.append(Remaining(Limit.TIME, self.longest - (now - self.started)))
        if rules.session_seconds > 0:
            left = rules.session_seconds + self.extended - self.counted(now, rules)
            limits.append(Remaining(Limit.TIME, left))
        if rules.idle_seconds > 0 and (self.reported or rules.silent_is_idle):
            limits.append(Remaining(Limit.IDLE, rules.idle_seconds - self.idle(now, rules)))
        return min(limits, key=lambda each: each.seconds, default=None)

    def _hidden_until(self, now: float) -> float:
        return self._hidden + (now - self.hidden_since if self.hidden_since is not None else 0.0)


def exchanged(one: SessionTime, other: SessionTime) -> tuple[SessionTime, SessionTime]:
    """Return the times of two persons that exchange their slots, the other one's first. Both times must have begun.

    The longest time by the limits of a person stays with that person, and ends when it would have ended before.
    """
    assert one.started is not None
    assert other.started is not None
    later = one.started - other.started
    one.longest, other.longest = _moved(other.longest, -later), _moved(one.longest, later)
    return other, one


def _moved(longest: float, seconds: float) -> float:
    """Return a longest time that begins earlier by `seconds`; never 0, which is no limit."""
    return max(longest + seconds, SMALLEST_SECONDS) if longest > 0 else 0.0
