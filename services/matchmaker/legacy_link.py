"""Stock signalling servers over TCP: one connection each, JSON objects with nothing between them."""

import asyncio
from collections.abc import Callable
from typing import Any, Final, cast

import structlog

from matchmaker.stock_server import LinkError
from pixelfleet.wire.json_stream import JsonStream

log = structlog.get_logger(__name__)

CHECK_SECONDS: Final = 5.0
MAX_SKIPPED_BYTES: Final = 1024 * 1024
"""Garbage that one link may send before it is closed."""

MAX_BAD_MESSAGES: Final = 100


class Link(asyncio.Protocol):
    """The connection of one stock server. It is told nothing, ever."""

    def __init__(self, hears: Callable[["Link", dict[str, Any]], None], ended: Callable[["Link"], None]) -> None:
        self._hears = hears
        self._ended = ended
        self._stream = JsonStream()
        self._transport: asyncio.Transport | None = None
        self._bad = 0
        self._loop = asyncio.get_running_loop()
        self.peer = ""
        self.heard = self._loop.time()
        """When it last said anything, on the loop's clock."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to listen to a server."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self.peer = str(peer[0]).removeprefix("::ffff:") if peer else ""

    def data_received(self, data: bytes) -> None:
        """Take whatever arrived: parts of objects, several of them, or garbage."""
        self.heard = self._loop.time()
        for message in self._stream.feed(data):
            try:
                self._hears(self, message)
            except LinkError as error:
                self._bad += 1
                log.warning("message of a stock server is not understood", peer=self.peer, why=str(error))
        if self._stream.skipped > MAX_SKIPPED_BYTES or self._bad > MAX_BAD_MESSAGES:
            log.warning("link closed: it sends what is no message", peer=self.peer, bytes=self._stream.skipped)
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The server is gone, or the network between."""
        self._transport = None
        self._ended(self)

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.abort()
