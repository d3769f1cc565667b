"""The HTTP connections of a port: their number is bounded, and so is the time for sending a response."""

import asyncio
import socket
import struct
import sys
from dataclasses import dataclass
from typing import Final

MAX_SWEEP_SECONDS: Final = 1.0
"""The time between two checks of the connections; shorter for a short time limit."""

MIN_BYTES_PER_SECOND: Final = 16 * 1024
"""A client that reads at this rate may take longer for a large response. Other systems than Linux do not measure it."""

_ACKNOWLEDGED: Final = struct.Struct("=120xQ")
"""`tcpi_bytes_acked` in Linux's `struct tcp_info`."""


@dataclass(slots=True)
class _Sending:
    """A response that the client has not read completely."""

    until: float
    """The deadline without progress, on the loop's clock."""
    acknowledged: int
    """The bytes that the client had acknowledged at the start."""


class HttpConnections:
    """The connections that serve HTTP.

    A connection whose send buffer has not been empty for `response_seconds` is aborted, unless its client has read
    MIN_BYTES_PER_SECOND since. HTTP servers have no such limit, and closing a connection waits for its send buffer.
    """

    def __init__(self, limit: int, response_seconds: float) -> None:
        self._limit = limit
        self._response_seconds = response_seconds
        self._connections: dict[asyncio.Transport, _Sending | None] = {}
        """Each connection, and its response that is being sent; None while the send buffer is empty."""
        self._sweep_seconds = min(MAX_SWEEP_SECONDS, response_seconds / 4)
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def __len__(self) -> int:
        return len(self._connections)

    def add(self, transport: asyncio.Transport) -> bool:
        """Add a connection; return False when there are too many."""
        if len(self._connections) >= self._limit:
            self._sweep()
            if len(self._connections) >= self._limit:
                return False
        self._connections[transport] = None
        if self._timer is None:
            self._timer = self._loop.call_later(self._sweep_seconds, self._tick)
        return True

    def discard(self, transport: asyncio.Transport) -> None:
        """Remove a connection that has become a websocket."""
        self._connections.pop(transport, None)

    def close(self) -> None:
        """Abort all connections."""
        if self._timer is not None:
            self._timer.cancel()
        for transport in self._connections:
            transport.abort()
        self._connections.clear()

    def _tick(self) -> None:
        self._sweep()
        self._timer = self._loop.call_later(self._sweep_seconds, self._tick) if self._connections else None

    def _sweep(self) -> None:
        """Remove closed connections, and abort those whose deadline has passed."""
        now = self._loop.time()
        for transport, sending in list(self._connections.items()):
            if not transport.get_write_buffer_size():
                if transport.is_closing():
                    del self._connections[transport]
                elif sending is not None:
                    self._connections[transport] = None
            elif sending is None:
                self._connections[transport] = _Sending(now + self._response_seconds, _acknowledged(transport))
            elif sending.until <= now:
                progress = _acknowledged(transport) - sending.acknowledged
                if sending.until + progress / MIN_BYTES_PER_SECOND <= now:
                    del self._connections[transport]
                    transport.abort()


def _acknowledged(transport: asyncio.Transport) -> int:
    """Return how many bytes the client has acknowledged; 0 if that is unknown."""
    if sys.platform != "linux":
        return 0
    try:
        info = transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKNOWLEDGED.size)
        return int(_ACKNOWLEDGED.unpack(info)[0])
    except (OSError, struct.error):  # the connection has ended, or the kernel is older than 4.1
        return 0
