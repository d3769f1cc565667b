"""Stock signalling servers over TCP: one connection each, JSON objects with nothing between them."""

import asyncio
from typing import Any, Final, Protocol, cast

import structlog

from matchmaker.legacy.server import LegacyMessageError
from pixelfleet.protocol.json_stream import JsonStream

log = structlog.get_logger(__name__)

CHECK_SECONDS: Final = 5.0
MAX_SKIPPED_BYTES: Final = 1024 * 1024
"""Garbage that one link may send before it is closed."""

MAX_BAD_MESSAGES: Final = 100
PIECE_BYTES: Final = 4096
"""How much of what arrived is looked at before it is asked whether the link is still worth it."""


class ConnectionEvents(Protocol):
    """Who is told of links."""

    def opened(self, connection: "LegacyConnection") -> None:
        """A connection has come; refuse it by closing it."""

    def received(self, connection: "LegacyConnection", message: dict[str, Any]) -> None:
        """A message has come; raise LegacyMessageError for one that means nothing."""

    def ended(self, connection: "LegacyConnection") -> None:
        """The connection is gone."""


class LegacyConnection(asyncio.Protocol):
    """The connection of one stock server. It is told nothing, ever."""

    def __init__(self, connections: ConnectionEvents) -> None:
        self._connections = connections
        self._stream = JsonStream()
        self._transport: asyncio.Transport | None = None
        self._bad = 0
        self._loop = asyncio.get_running_loop()
        self.peer = ""
        self.received = self._loop.time()
        """When it last said anything that makes sense, on the loop's clock."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to listen to a server."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self.peer = str(peer[0]).removeprefix("::ffff:") if peer else ""
        self._connections.opened(self)

    def data_received(self, data: bytes) -> None:
        """Take whatever arrived: parts of objects, several of them, or garbage."""
        for at in range(0, len(data), PIECE_BYTES):
            for message in self._stream.feed(data[at : at + PIECE_BYTES]):
                self._take(message)
            if self._stream.skipped > MAX_SKIPPED_BYTES or self._bad > MAX_BAD_MESSAGES:
                log.warning("link closed: it sends what is no message", peer=self.peer, bytes=self._stream.skipped)
                self.close()
            if self._transport is None or self._transport.is_closing():
                return

    def connection_lost(self, exc: Exception | None) -> None:
        """The server is gone, or the network between."""
        self._transport = None
        self._connections.ended(self)

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.abort()

    def _take(self, message: dict[str, Any]) -> None:
        if self._bad > MAX_BAD_MESSAGES:
            return
        try:
            self._connections.received(self, message)
        except LegacyMessageError as error:
            self._bad += 1
            log.warning("message of a stock server is not understood", peer=self.peer, why=str(error)[:200])
        else:
            self.received = self._loop.time()
