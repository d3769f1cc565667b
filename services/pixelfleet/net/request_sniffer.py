"""The first request of a connection, which decides who serves it: read just far enough to know, then out of the way."""

import asyncio
from collections.abc import Callable
from typing import Final, cast

from pixelfleet.net.request_head import MAX_HEAD_BYTES
from pixelfleet.service.deadlines import Deadlines

MAX_LINE_BYTES: Final = 8 * 1024


class RequestSniffer(asyncio.BufferedProtocol):
    """Reads the head of a connection's first request and passes the connection to what serves it."""

    __slots__ = ("_head", "_pending", "_transport")

    def __init__(self, pending: "PendingConnections") -> None:
        self._pending = pending
        self._head = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the request."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass
        self._pending.enter(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._let_go()

    def get_buffer(self, sizehint: int) -> bytearray:
        """Lend the buffer that all connections share."""
        return self._pending.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Pass the connection on when the head is complete; close one whose head is too long."""
        transport = self._transport
        if transport is None:
            return
        # Empty lines before a request are allowed, and would else look like a whole head.
        head = self._head = (self._head + self._pending.buffer[:nbytes]).lstrip(b"\r\n")
        if b"\r\n\r\n" in head:
            self._let_go()
            self._pending.serve(transport, head)
        elif len(head) > MAX_HEAD_BYTES or (len(head) > MAX_LINE_BYTES and b"\n" not in head):
            transport.close()

    def _let_go(self) -> None:
        self._head = b""
        if self._transport is not None:
            self._pending.leave(self._transport)
            self._transport = None


class PendingConnections:
    """The connections of a port that have not sent the head of a request yet."""

    def __init__(self, seconds: float, limit: int, serve: Callable[[asyncio.Transport, bytes], None]) -> None:
        """Give each of them so many seconds; `serve` takes one over, with what came: a whole head or more."""
        self.serve = serve
        self.buffer = bytearray(MAX_HEAD_BYTES)
        """What all first requests are read into: each is taken out before the next is read."""
        self.timed_out = 0
        """How many were dropped because they sent no request in time."""
        self._waiting: Deadlines[asyncio.Transport] = Deadlines(seconds, self._drop)
        self._limit = limit
        self.leave = self._waiting.discard
        """Releases a connection that has sent its request, or is gone."""

    def enter(self, transport: asyncio.Transport) -> None:
        """Add a connection; drop the oldest one when there are too many."""
        if len(self._waiting) >= self._limit:
            self._drop(self._waiting.pop_oldest())
        self._waiting.add(transport)

    def close(self) -> None:
        """Drop all of them."""
        for transport in self._waiting.stop():
            transport.abort()

    def _drop(self, transport: asyncio.Transport) -> None:
        self.timed_out += 1
        transport.abort()


def hand_over(transport: asyncio.Transport, protocol: asyncio.BaseProtocol) -> None:
    """Give a connection another protocol, and call nothing of it yet.

    uvloop chooses its way of reading when reading starts, so the switch between a protocol that lends its buffer and
    one that is given its data happens between a stop and a start.
    """
    transport.pause_reading()
    transport.set_protocol(protocol)
    if not transport.is_closing():
        transport.resume_reading()
