"""Tells an application that never came, or that hangs with players on it, from one that is well. No clock, no I/O."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class ApplicationWatch:
    """Watches over one server's streamers. All times are seconds on the caller's clock."""

    started: float
    start_seconds: float
    """How long there may be no streamer: at the start, and after the last one left."""
    stall_seconds: float
    """How long a subscribed player may wait for the first word of its streamer."""
    trouble: str | None = None
    """What is wrong, in words, or None."""
    _absent_since: float | None = field(init=False)

    def __post_init__(self) -> None:
        self._absent_since = self.started

    def look(self, now: float, streamers: int, longest_wait: float) -> str | None:
        """Take note of the present state; return what is wrong.

        `longest_wait` is how long the longest-waiting subscribed player has heard nothing from its streamer yet.
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
