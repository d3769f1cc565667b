"""Detects an application that does not connect, or does not answer its players. No clock, no I/O."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class ApplicationWatch:
    """Monitors the streamers of one server. All times are seconds on the caller's clock."""

    started: float
    start_seconds: float
    """The time without a streamer, at the start or after the last one left, that is normal."""
    stall_seconds: float
    """The time that a subscribed player may wait for its streamer's first message."""
    trouble: str | None = None
    """The present problem as a text, or None."""
    _absent_since: float | None = field(init=False)

    def __post_init__(self) -> None:
        self._absent_since = self.started

    def look(self, now: float, streamers: int, longest_wait: float) -> str | None:
        """Update and return `trouble`.

        `streamers` is the number of listed streamers, `longest_wait` the longest time that a subscribed player has
        waited for its streamer's first message.
        """
        if streamers:
            self._absent_since = None
        elif self._absent_since is None:
            self._absent_since = now
        if self._absent_since is not None and now - self._absent_since >= self.start_seconds:
            self.trouble = "the application has not connected"
        elif longest_wait >= self.stall_seconds:
            self.trouble = "the application does not answer its players"
        else:
            self.trouble = None
        return self.trouble
