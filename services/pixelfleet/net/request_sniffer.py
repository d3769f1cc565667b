"""Reads the head of the first request of a connection, which selects the protocol for the connection."""

import asyncio
from collections.abc import Callable
from typing import Final, cast

from pixelfleet.net.request_head import MAX_HEAD_BYTES
from pixelfleet.service.deadlines import Deadlines

MAX_LINE_BYTES: Final = 8 * 1024


class RequestSniffer(asyncio.BufferedProtocol):
    """Reads the head of a connection's first request, then passes the connection on."""

    __slots__ = ("_head", "_pending", "_transport")

    def __init__(self, pending: "PendingConnections") -> None:
        self._pending = pending
        self._head = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start to wait for the request."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's transports are no subclass
        self._pending.enter(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._release()

    def get_buffer(self, sizehint: int) -> bytearray:
        """Return the buffer that all connections share."""
        return self._pending.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Pass the connection on when the head is complete; close it when the head is too long."""
        transport = self._transport
        if transport is None:
            return
        # Empty lines are allowed before a request, and must not count as the end of its head.
        head = self._head = (self._head + self._pending.buffer[:nbytes]).lstrip(b"\r\n")
        if b"\r\n\r\n" in head:
            self._release()
            self._pending.serve(transport, head)
        elif len(head) > MAX_HEAD_BYTES or (len(head) > MAX_LINE_BYTES and b"\n" not in head):
            transport.close()

    def _release(self) -> None:
        self._head = b""
        if self._transport is not None:
            self._pending.leave(self._transport)
            self._transport = None


class PendingConnections:
    """The connections of a port that have not sent a complete request head."""

    def __init__(self, seconds: float, serve: Callable[[asyncio.Transport, bytes], None]) -> None:
        """`seconds` is the time limit of each; `serve` takes a connection and its data, a complete head or more."""
        self.serve = serve
        self.buffer = bytearray(MAX_HEAD_BYTES)
        """The read buffer of all connections: each copies its data before the next one reads."""
        self.timed_out = 0
        """The number of connections closed because they sent no request in time."""
        self._waiting: Deadlines[asyncio.Transport] = Deadlines(seconds, self._drop)
        self.enter = self._waiting.add
        """Adds a connection."""
        self.leave = self._waiting.discard
        """Removes a connection that has sent its request or was lost."""

    def close(self) -> None:
        """Close all connections."""
        for transport in self._waiting.stop():
            transport.abort()

    def _drop(self, transport: asyncio.Transport) -> None:
        self.timed_out += 1
        transport.abort()


def hand_over(transport: asyncio.Transport, protocol: asyncio.BaseProtocol) -> None:
    """Change the protocol of a connection between one with its own buffer and one without, in either direction.

    uvloop selects the read method when reading starts, so the protocol changes while reading is paused. None of the
    protocol's methods is called.
    """
    transport.pause_reading()
    transport.set_protocol(protocol)
    if not transport.is_closing():
        transport.resume_reading()
