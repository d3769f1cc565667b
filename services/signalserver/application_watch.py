"""Tells an application that never came, or that hangs with players on it, from one that is well. No clock, no I/O."""

from dataclasses import dataclass


@dataclass(slots=True)
class ApplicationWatch:
    """Watches over one server's streamers. All times are seconds on the caller's clock."""

    started: float
    start_seconds: float
    """How long the application may take until its first streamer is listed."""
    stall_seconds: float
    """How long a subscribed player may wait for the first word of its streamer."""
    seen: bool = False
    trouble: str | None = None
    """What is wrong, in words, or None."""

    def look(self, now: float, streamers: int, longest_wait: float) -> str | None:
        """Take note of the present state; return what is wrong.

        `longest_wait` is how long the longest-waiting subscribed player has heard nothing from its streamer yet.
        """
        self.seen = self.seen or streamers > 0
        if not self.seen and now - self.started >= self.start_seconds:
            self.trouble = "the application has not connected"
        elif longest_wait >= self.stall_seconds:
            self.trouble = "the application does not answer its players"
        else:
            self.trouble = None
        return self.trouble
