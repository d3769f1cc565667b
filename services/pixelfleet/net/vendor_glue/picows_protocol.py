"""The websocket protocol of picows, for accepted and dialled connections."""

import asyncio
import logging
import sys
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final, cast

import structlog
from picows import (
    WSAutoPingStrategy,
    WSCloseCode,
    WSListener,
    WSProtocolError,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
)
from picows.picows import WSProtocol, _parse_http_request  # type: ignore[attr-defined]  # its stub leaves both out

from pixelfleet.net.bounds import Bounds
from pixelfleet.net.websocket import WebSocket

READ_BUFFER_BYTES: Final = 1024
"""The initial size of a websocket's read buffer, which grows to the largest message."""

_REQUEST: Final = (
    b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %b\r\n\r\n"
)

_ANSWER: Final = (
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Accept: %s%s\r\n\r\n"
)

log = structlog.get_logger(__name__)


class _TransportShim:
    """The transport that picows gets: it saves CPU time while a connection is set up.

    In `connection_made` picows accesses the socket eight times: for TCP_NODELAY, which the event loop has set already,
    and for a debug log. uvloop creates a socket object each time, so the shim answers these calls itself. It also
    joins the writes between `cork` and `uncork`: one write costs more than the processing of one message.
    """

    __slots__ = ("_corked", "_is_set_up", "_settled", "_transport")

    def __init__(self, transport: asyncio.Transport, settled: asyncio.Future[None] | None) -> None:
        self._transport = transport
        self._settled = settled
        self._is_set_up = False
        self._corked: list[bytes] | None = None

    def set_up(self) -> None:
        """Pass all further calls to the transport: `connection_made` has returned."""
        self._is_set_up = True

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Return a property of the transport, or a placeholder during `connection_made`."""
        if self._is_set_up or name not in ("socket", "peername", "sockname"):
            return self._transport.get_extra_info(name, default)
        return self if name == "socket" else None

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return int(self._transport.get_extra_info("socket").fileno())

    def setsockopt(self, *_: object) -> None:
        """Do nothing."""

    def getsockopt(self, *_: object) -> int:
        """Return a placeholder for the debug log."""
        return 0

    def cork(self) -> None:
        """Collect further writes until `uncork`."""
        self._corked = []

    def uncork(self) -> None:
        """Write the collected data in one call."""
        parts, self._corked = self._corked, None
        if parts:
            self._transport.write(b"".join(parts))

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write or collect the data."""
        if self._corked is None:
            self._transport.write(data)
        else:
            self._corked.append(bytes(data))

    def writelines(self, parts: Iterable[bytes | bytearray | memoryview]) -> None:
        """Write or collect the parts."""
        if self._corked is None:
            self._transport.writelines(parts)
        else:
            self._corked += map(bytes, parts)

    def get_write_buffer_size(self) -> int:
        """Return the unsent bytes; when it is 0, picows may write to the socket directly."""
        return self._transport.get_write_buffer_size() if self._corked is None else 1

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set the limits of the write buffer in bytes."""
        self._transport.set_write_buffer_limits(high, low)

    def close(self) -> None:
        """Close after all data is written."""
        if self._corked is not None:
            self.uncork()
        self._transport.close()
        if self._settled is not None:
            self.settle()

    def settle(self) -> None:
        """Resume the task that awaits the end of a client's handshake."""
        settled, self._settled = self._settled, None
        if settled is not None and not settled.done():
            settled.set_result(None)

    def __getattr__(self, name: str) -> Any:
        """Return any other attribute of the transport."""
        return getattr(self._transport, name)


class _Protocol(WSProtocol):  # type: ignore[misc]  # its stub leaves the class out
    """The protocol of picows, without its unnecessary work per connection."""

    __slots__ = ("accepted", "settled", "shim")

    settled: asyncio.Future[None] | None
    """For a client: done when its handshake has succeeded or failed."""
    accepted: bool
    """Whether the server has accepted a client's handshake."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Start the handshake."""
        self.shim = _TransportShim(transport, self.settled)
        super().connection_made(self.shim)
        self.shim.set_up()

    def connection_lost(self, exc: Exception | None) -> None:
        """Handle the loss of the connection, which also ends a handshake."""
        super().connection_lost(exc)
        if self.settled is not None:
            self.shim.settle()

    async def opened(self) -> None:
        """Wait until a client's websocket is open; raise the error of a failed handshake."""
        assert self.settled is not None
        await self.settled
        if not self.accepted:
            await self.wait_until_handshake_complete()  # raises the error; it creates two futures

    def feed(self, data: bytes) -> None:
        """Process data that was read before this protocol had the connection; send all answers in one write."""
        self.shim.cork()
        try:
            rest = memoryview(data)
            while rest:
                buffer = memoryview(self.get_buffer(-1))
                size = min(len(buffer), len(rest))
                buffer[:size] = rest[:size]
                rest = rest[size:]
                self.buffer_updated(size)
        finally:
            self.shim.uncork()


class _ProtocolErrorHook:
    """The logger of one connection in picows, the only interface where picows reports a protocol error immediately.

    Otherwise picows would send its own close and deliver further messages. So the hook closes the socket first. An
    exception of a handler is reported in the same way; the hook logs it.
    """

    __slots__ = ("socket",)

    def __init__(self, socket: WebSocket | None) -> None:
        self.socket = socket

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802  # the name in logging.Logger
        """Return whether a level is used: picows skips its debug messages."""
        return level >= logging.WARNING

    def info(self, *_: object, **__: object) -> None:
        """Ignore the messages that picows logs for every connection."""

    debug = info

    def warning(self, msg: object, *_: object, **__: object) -> None:
        """Handle a warning or an error of picows."""
        self.log(logging.WARNING, msg)

    error = exception = warning

    def log(self, level: int, msg: object, *_: object, **__: object) -> None:
        """Handle a message of picows; a warning or an error concerns the exception that picows handles."""
        error = sys.exc_info()[1]
        if level < logging.WARNING or error is None:
            return
        code = WSCloseCode.INTERNAL_ERROR
        if isinstance(error, WSProtocolError):
            code = error.code
        else:
            log.error("websocket failed", event_of_picows=str(msg), exc_info=error)
        if self.socket is not None:
            self.socket.broken(int(cast("int", code)))


class _Answer(WSUpgradeResponse):
    """The answer 101, encoded faster than by its base class."""

    __slots__ = ("subprotocol",)

    def __init__(self, subprotocol: str) -> None:
        self.status = HTTPStatus.SWITCHING_PROTOCOLS
        self.headers: Any = {}
        self.subprotocol = subprotocol

    def to_bytes(self) -> bytearray:
        """Return the encoded answer; picows has added `Sec-WebSocket-Accept` to the headers."""
        chosen = f"\r\nSec-WebSocket-Protocol: {self.subprotocol}" if self.subprotocol else ""
        return bytearray(_ANSWER % (self.headers["Sec-WebSocket-Accept"], chosen), "ascii")


def parse_upgrade_request(head: bytes) -> WSUpgradeRequest:
    """Parse a request head without the empty line at its end; raise RuntimeError for an invalid one."""
    return cast("WSUpgradeRequest", _parse_http_request(head))


def open_websocket(
    transport: asyncio.Transport, key: str, early: bytes, listener: WSListener, subprotocol: str, bounds: Bounds
) -> None:
    """Open a websocket on a connection: answer 101 and process the early data of the client.

    picows gets a minimal request instead of the client's, which is checked already.
    """
    hook = _ProtocolErrorHook(listener if isinstance(listener, WebSocket) else None)
    answer = WSUpgradeResponseWithListener(_Answer(subprotocol), listener)
    protocol = _protocol(None, None, lambda _: answer, bounds, hook, None)
    protocol.settled = None
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    protocol.feed(_REQUEST % key.encode() + early)


def client_protocol(
    host_port: str, path: str, make: Callable[[], WebSocket], bounds: Bounds, headers: Mapping[str, str]
) -> Any:
    """Return the protocol for a dialled connection. The caller bounds the time of the handshake.

    Its `opened` waits until the websocket is open, and raises the error of a failed handshake.
    """
    hook = _ProtocolErrorHook(None)

    def listener(*_: object) -> WebSocket:
        hook.socket = socket = make()
        protocol.accepted = True
        protocol.shim.settle()
        return socket

    protocol = _protocol(host_port, path, listener, bounds, hook, dict(headers))
    protocol.accepted = False
    protocol.settled = asyncio.get_running_loop().create_future()
    return protocol


def _protocol(
    host_port: str | None,
    path: str | None,
    make: Callable[..., object],
    bounds: Bounds,
    hook: _ProtocolErrorHook,
    headers: dict[str, str] | None,
) -> Any:
    return _Protocol(
        host_port,
        path,
        host_port is not None,
        make,
        hook,
        True,
        None,
        False,
        1,
        1,
        WSAutoPingStrategy.PING_WHEN_IDLE,
        False,  # WebSocket answers pings itself, and counts them
        bounds.message_bytes,
        headers,
        READ_BUFFER_BYTES,
    )
