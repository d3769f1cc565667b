"""The lifecycle of the application beside a signalling server, as a state machine. No clock, no I/O.

Events carry the time in seconds. The caller ends the application in the phase RESTARTING, reports its end with `ended`,
and starts it whenever a method has changed the phase to STARTING.
"""

from collections import Counter as Tally
from dataclasses import dataclass
from enum import Enum
from typing import Final

from pixelfleet.service.backoff import Backoff

BACKOFF: Final = Backoff(first=1.0, longest=60.0)
"""The delays before the application is started again after crashes."""

CRASH_LOOP: Final = 5
"""After this many crashes in a row the application has failed. It is still started again, with the longest delay."""

SETTLED_SECONDS: Final = 60.0
"""An application that ran for this time has started well: its end is the first crash in a row."""


class Phase(Enum):
    """What the application does."""

    STARTING = "starting"
    """It runs, or somebody else starts it, and no streamer of it is connected yet."""
    READY = "ready"
    IN_SESSION = "in session"
    RESTARTING = "restarting"
    """It is being ended. No streamer is accepted, so that the old process cannot connect again."""
    BACKING_OFF = "backing off"
    """It crashed, and is started again after a delay."""
    FAILED = "failed"
    """It crashed CRASH_LOOP times in a row, and is started again after the longest delay."""


TROUBLES: Final = {
    Phase.STARTING: "the application is starting",
    Phase.RESTARTING: "the application is restarted",
    Phase.BACKING_OFF: "the application crashed and is started again",
    Phase.FAILED: f"the application crashed {CRASH_LOOP} times or more in a row",
}
"""Why the server is not ready in a phase."""


class Cause(Enum):
    """Why the application was restarted; the label of a metric."""

    SESSION = "session"
    """The last session on it has ended."""
    CRASH = "crash"
    """It ended by itself."""
    LAUNCH = "launch"
    """The next session has other launch parameters."""
    STUCK = "stuck"
    """None of its streamers connected in time."""


@dataclass(frozen=True, slots=True)
class Present:
    """What a signalling server holds at one moment."""

    streamers: int
    """The number of listed streamers."""
    sessions: int
    """The number of sessions, including those of players that are away."""
    subscribed: bool
    """Whether a player is subscribed: the application has received or may receive its input."""


class Lifecycle:
    """The phase of one application, and the counts for the metrics."""

    def __init__(self, now: float, start_seconds: float, *, fresh: bool) -> None:
        """Begin with an application that starts at `now`.

        With `fresh`, it is restarted after its last session. It is also restarted when none of its streamers has
        connected after `start_seconds`.
        """
        self.phase = Phase.STARTING
        self.restarts: Tally[str] = Tally({cause.value: 0 for cause in Cause})
        """The number of restarts by cause."""
        self.crashes = 0
        """The number of crashes in a row."""
        self.retry_at = 0.0
        """The time of the next start while it backs off or has failed."""
        self._fresh = fresh
        self._start_seconds = start_seconds
        self._started = self._since = now
        self._cause = Cause.SESSION
        self._used = False
        self._ended_at: float | None = None

    @property
    def trouble(self) -> str | None:
        """Why no session can begin, or None."""
        return TROUBLES.get(self.phase)

    @property
    def prepares(self) -> bool:
        """Whether the application is being ended because the next session has other launch parameters."""
        return self.phase is Phase.RESTARTING and self._cause is Cause.LAUNCH

    @property
    def accepts_streamers(self) -> bool:
        """Whether a streamer that connects belongs to the present process."""
        return self.phase in (Phase.STARTING, Phase.READY, Phase.IN_SESSION)

    def must_end(self, present: Present) -> bool:
        """Return whether this state is the end of the last session of an application that must be fresh."""
        used = self._used or present.subscribed
        return self._fresh and used and self.accepts_streamers and not present.sessions

    def observe(self, now: float, present: Present) -> float | None:
        """Take the server's state; return the seconds from the end of the last session until now, if it is ready again.

        The result is None in all other cases, and for the first start.
        """
        if not self.accepts_streamers:
            return None
        if self.must_end(present):
            self._ended_at = now
            # The streamer of an application that crashed leaves first, and its players are closed for that.
            self._end(Cause.SESSION if present.streamers else Cause.CRASH)
            return None
        self._used = self._used or present.subscribed
        idle = Phase.READY if present.streamers else Phase.STARTING
        phase = Phase.IN_SESSION if present.sessions else idle
        if phase is Phase.STARTING and self.phase is not Phase.STARTING:
            self._since = now
        self.phase = phase
        if phase is Phase.STARTING or self._ended_at is None:
            return None
        seconds, self._ended_at = now - self._ended_at, None
        return seconds

    def launch(self) -> bool:
        """End the application before a session, which needs another start; return whether that is possible."""
        if self.phase not in (Phase.STARTING, Phase.READY):
            return False
        self._end(Cause.LAUNCH)
        return True

    def ended(self, now: float, chance: float = 1.0) -> None:
        """Take the end of the process: expected while it is being ended, otherwise a crash.

        `chance`, from 0 to 1, is the jitter of the delay before the next start.
        """
        expected = self.phase is Phase.RESTARTING and self._cause in (Cause.SESSION, Cause.LAUNCH)
        if self.phase is not Phase.RESTARTING:
            self.restarts[Cause.CRASH.value] += 1
        self._used = False
        if expected:
            self.crashes = 0
            self._start(now)
            return
        self.crashes = 1 if now - self._started >= SETTLED_SECONDS else self.crashes + 1
        failed = self.crashes >= CRASH_LOOP
        self.phase = Phase.FAILED if failed else Phase.BACKING_OFF
        self.retry_at = now + (BACKOFF.longest if failed else BACKOFF.delay(self.crashes, chance))

    def tick(self, now: float) -> None:
        """Take the passage of time: start again after a delay, end an application that does not connect."""
        if self.phase in (Phase.BACKING_OFF, Phase.FAILED):
            if now >= self.retry_at:
                self._start(now)
        elif self.phase is Phase.STARTING and now - self._since >= self._start_seconds:
            self._end(Cause.STUCK)

    def _start(self, now: float) -> None:
        self.phase = Phase.STARTING
        self._started = self._since = now

    def _end(self, cause: Cause) -> None:
        self.phase = Phase.RESTARTING
        self._cause = cause
        self.restarts[cause.value] += 1
