"""The TCP connection of one legacy server: a sequence of JSON objects without separators."""

import asyncio
from typing import Any, Final, Protocol, cast

import structlog

from matchmaker.legacy.server import LegacyMessageError
from pixelfleet.net.limits import TokenBucket
from pixelfleet.protocol.json_stream import JsonStream

log = structlog.get_logger(__name__)

CHECK_SECONDS: Final = 5.0
MAX_SKIPPED_BYTES: Final = 1024 * 1024
"""Bytes outside of JSON objects that a connection may send before it is closed."""

MAX_BAD_MESSAGES: Final = 100
"""Invalid messages that a connection may send before it is closed."""

MESSAGES_PER_SECOND: Final = 50.0
MESSAGE_BURST: Final = 1000.0
"""Messages that a connection may send at once, beyond MESSAGES_PER_SECOND, before it is closed. A server sends one for
each change of its streamer and players."""

CHUNK_BYTES: Final = 4096
"""Received data is parsed in chunks of this size; the limits above are checked after each."""


class ConnectionEvents(Protocol):
    """The handler of connections; `LegacyServers` implements it."""

    def opened(self, connection: "LegacyConnection") -> None:
        """Handle a new connection; close it to refuse it."""

    def received(self, connection: "LegacyConnection", message: dict[str, Any]) -> None:
        """Handle a message. Raises LegacyMessageError for an invalid one."""

    def ended(self, connection: "LegacyConnection") -> None:
        """Handle the end of a connection."""


class LegacyConnection(asyncio.Protocol):
    """The connection of one legacy server; nothing is ever sent on it."""

    def __init__(self, handler: ConnectionEvents) -> None:
        self._handler = handler
        self._stream = JsonStream()
        self._transport: asyncio.Transport | None = None
        self._bad_messages = 0
        self._loop = asyncio.get_running_loop()
        self._bucket = TokenBucket(MESSAGES_PER_SECOND, MESSAGE_BURST, since=self._loop.time())
        self.peer = ""
        self.last_received = self._loop.time()
        """When the last valid message arrived, on the loop's clock."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Record the peer's address and report the connection to the handler."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self.peer = str(peer[0]).removeprefix("::ffff:") if peer else ""
        self._handler.opened(self)

    def data_received(self, data: bytes) -> None:
        """Parse received data: parts of objects, several objects, or garbage."""
        for at in range(0, len(data), CHUNK_BYTES):
            for message in self._stream.feed(data[at : at + CHUNK_BYTES]):
                self._receive(message)
            if self._stream.skipped > MAX_SKIPPED_BYTES or self._bad_messages > MAX_BAD_MESSAGES:
                log.warning("legacy connection closed: invalid data", peer=self.peer, bytes=self._stream.skipped)
                self.close()
            if self._closed:
                return

    def connection_lost(self, exc: Exception | None) -> None:
        """Report the end of the connection to the handler."""
        self._transport = None
        self._handler.ended(self)

    def close(self) -> None:
        """Abort the connection."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def _closed(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def _receive(self, message: dict[str, Any]) -> None:
        if self._bad_messages > MAX_BAD_MESSAGES or self._closed:
            return
        if not self._bucket.take(self._loop.time()):
            log.warning("legacy connection closed: too many messages", peer=self.peer)
            self.close()
            return
        try:
            self._handler.received(self, message)
        except LegacyMessageError as error:
            self._bad_messages += 1
            log.warning("invalid message from legacy server", peer=self.peer, why=str(error)[:200])
        else:
            self.last_received = self._loop.time()
