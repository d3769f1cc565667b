"""The HTTP connections of a port: their number is bounded, and so is the time for sending a response."""

import asyncio
from typing import Final

MAX_SWEEP_SECONDS: Final = 1.0
"""The time between two checks of the connections; shorter for a short time limit."""


class HttpConnections:
    """The connections that serve HTTP.

    A connection whose send buffer has not been empty for `response_seconds` is aborted: its client does not read, or
    reads too slowly. HTTP servers have no such limit, and closing a connection waits for its send buffer.
    """

    def __init__(self, limit: int, response_seconds: float) -> None:
        self._limit = limit
        self._response_seconds = response_seconds
        self._deadlines: dict[asyncio.Transport, float | None] = {}
        """Each connection, and when its send buffer must be empty; None while that is empty."""
        self._sweep_seconds = min(MAX_SWEEP_SECONDS, response_seconds / 4)
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def __len__(self) -> int:
        return len(self._deadlines)

    def add(self, transport: asyncio.Transport) -> bool:
        """Add a connection; return False when there are too many."""
        if len(self._deadlines) >= self._limit:
            self._sweep()
            if len(self._deadlines) >= self._limit:
                return False
        self._deadlines[transport] = None
        if self._timer is None:
            self._timer = self._loop.call_later(self._sweep_seconds, self._tick)
        return True

    def discard(self, transport: asyncio.Transport) -> None:
        """Remove a connection that has become a websocket."""
        self._deadlines.pop(transport, None)

    def close(self) -> None:
        """Abort all connections."""
        if self._timer is not None:
            self._timer.cancel()
        for transport in self._deadlines:
            transport.abort()
        self._deadlines.clear()

    def _tick(self) -> None:
        self._sweep()
        self._timer = self._loop.call_later(self._sweep_seconds, self._tick) if self._deadlines else None

    def _sweep(self) -> None:
        """Remove closed connections, and abort those whose deadline has passed."""
        now = self._loop.time()
        for transport, deadline in list(self._deadlines.items()):
            if not transport.get_write_buffer_size():
                if transport.is_closing():
                    del self._deadlines[transport]
                elif deadline is not None:
                    self._deadlines[transport] = None
            elif deadline is None:
                self._deadlines[transport] = now + self._response_seconds
            elif deadline <= now:
                del self._deadlines[transport]
                transport.abort()
