"""Divides an application's output into lines for the log, within bounds. No clock, no I/O."""

from typing import Final

MAX_LINE_BYTES: Final = 2000
"""The rest of a longer line is cut off."""

LINES_PER_SECOND: Final = 50.0
LINE_BURST: Final = 500.0
"""Lines beyond this rate are dropped and counted: an application must not fill the log."""


class OutputLines:
    """The output of one process."""

    def __init__(self, now: float) -> None:
        self.dropped = 0
        """The number of lines that were dropped since the caller last set it to 0."""
        self._rest = b""
        self._cut = False
        self._allowance = LINE_BURST
        self._filled_at = now

    def feed(self, data: bytes, now: float) -> list[str]:
        """Return the lines that this part of the output completes, without their ends; `now` is in seconds."""
        self._allowance = min(LINE_BURST, self._allowance + (now - self._filled_at) * LINES_PER_SECOND)
        self._filled_at = now
        *complete, rest = (self._rest + data).split(b"\n")
        lines: list[str] = []
        for line in complete:
            if self._cut:  # the end of a line whose beginning was returned
                self._cut = False
            else:
                self._take(line, lines)
        if len(rest) > MAX_LINE_BYTES:
            if not self._cut:
                self._take(rest, lines)
            self._cut, rest = True, b""
        self._rest = rest
        return lines

    def finish(self, now: float) -> list[str]:
        """Return the last line, if it has no end."""
        return self.feed(b"\n", now) if self._rest else []

    def _take(self, line: bytes, lines: list[str]) -> None:
        text = line[:MAX_LINE_BYTES].decode("utf-8", "replace").rstrip()
        if not text:
            return
        if self._allowance < 1:
            self.dropped += 1
            return
        self._allowance -= 1
        lines.append(text)
