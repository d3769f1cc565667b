"""The first request of a connection, which decides who serves it: read just far enough to know, then out of the way."""

import asyncio
import re
from collections.abc import Callable
from typing import Final, Protocol, cast

from pixelfleet.service.deadlines import Deadlines

MAX_HEAD_BYTES: Final = 16 * 1024
MAX_LINE_BYTES: Final = 8 * 1024

_UPGRADE: Final = re.compile(rb"\r\nupgrade:[^\r\n]*websocket", re.IGNORECASE)


class FirstRequest(asyncio.BufferedProtocol):
    """Reads the head of a connection's first request and passes the connection to who serves it."""

    def __init__(self, lobby: "Lobby") -> None:
        self._lobby = lobby
        self._head = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the request."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass
        self._lobby.enter(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._let_go()

    def get_buffer(self, sizehint: int) -> bytearray:
        """Lend the buffer that all connections share."""
        return self._lobby.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Pass the connection on when the head is there; close one whose head is too long."""
        # Empty lines before a request are allowed, and would else look like a whole head.
        head = self._head = (self._head + self._lobby.buffer[:nbytes]).lstrip(b"\r\n")
        transport = self._transport
        if transport is None:
            return
        if b"\r\n\r\n" in head:
            self._let_go()
            self._lobby.serve(transport, head)
        elif len(head) > MAX_HEAD_BYTES or (len(head) > MAX_LINE_BYTES and b"\n" not in head):
            transport.close()

    def _let_go(self) -> None:
        self._head = b""
        if self._transport is not None:
            self._lobby.leave(self._transport)
            self._transport = None


class Lobby:
    """The connections of a port that have not asked for anything yet."""

    def __init__(self, seconds: float, serve: Callable[[asyncio.Transport, bytes], None]) -> None:
        """Give each of them so many seconds; `serve` takes one over, with what came: a whole head or more."""
        self.serve = serve
        self.buffer = bytearray(MAX_HEAD_BYTES)
        """What all first requests are read into: each is taken out before the next is read."""
        self.timed_out = 0
        """How many were dropped because they did not ask in time."""
        self._waiting: Deadlines[asyncio.Transport] = Deadlines(seconds, self._drop)
        self.enter = self._waiting.add
        """Takes a connection in."""
        self.leave = self._waiting.discard
        """Lets one go: it has asked, or is gone."""

    def close(self) -> None:
        """Drop all of them."""
        for transport in self._waiting.stop():
            transport.abort()

    def _drop(self, transport: asyncio.Transport) -> None:
        self.timed_out += 1
        transport.abort()


def wants_websocket(head: bytes) -> bool:
    """Tell whether a request's head asks for an upgrade to a websocket."""
    return _UPGRADE.search(head, 0, head.find(b"\r\n\r\n")) is not None


class Fed(Protocol):
    """A protocol that takes over a connection of which something was read already."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Have the connection."""

    def feed(self, data: bytes) -> None:
        """Have what was read of it."""


def hand_over(transport: asyncio.Transport, protocol: asyncio.Protocol | Fed, data: bytes) -> None:
    """Give a connection to another protocol, with what was read of it."""
    if not isinstance(protocol, asyncio.Protocol):
        transport.set_protocol(cast("asyncio.BaseProtocol", protocol))
        protocol.connection_made(transport)
        protocol.feed(data)
        return
    # uvloop chooses its way of reading when reading starts, so the switch from a protocol that lends its buffer to one
    # that is given its data happens between a stop and a start.
    transport.pause_reading()
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    if not transport.is_closing():
        transport.resume_reading()
    protocol.data_received(data)
