"""picows' protocol as our sockets need it: the one place that makes it, for both ends of a connection."""

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
"""What each websocket's read buffer starts with (it grows to the message): an idle player costs little."""

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
    """A transport as picows sees it.

    picows sets and reads options of the socket when the connection is made, and asks for both addresses: for
    TCP_NODELAY, which the event loop has set, and for a line of a log that nobody reads. uvloop would make a socket
    object for each of these eight. What is written while it holds back goes out together: each write of its own costs
    more than a message does.
    """

    __slots__ = ("_held", "_made", "_settled", "_transport")

    def __init__(self, transport: asyncio.Transport, settled: asyncio.Future[None] | None) -> None:
        self._transport = transport
        self._settled = settled
        self._made = False
        self._held: list[bytes] | None = None

    def made(self) -> None:
        """From here on be the transport."""
        self._made = True

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Return what is known of the connection."""
        if self._made or name not in ("socket", "peername", "sockname"):
            return self._transport.get_extra_info(name, default)
        return self if name == "socket" else None

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return int(self._transport.get_extra_info("socket").fileno())

    def setsockopt(self, *_: object) -> None:
        """Leave the socket as it is."""

    def getsockopt(self, *_: object) -> int:
        """Make up what nobody reads."""
        return 0

    def hold_back(self) -> None:
        """Keep what is written until it is let go."""
        self._held = []

    def let_go(self) -> None:
        """Write what was kept, and keep nothing more."""
        held, self._held = self._held, None
        if held:
            self._transport.write(b"".join(held))

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write, now or later."""
        if self._held is None:
            self._transport.write(data)
        else:
            self._held.append(bytes(data))

    def writelines(self, parts: Iterable[bytes | bytearray | memoryview]) -> None:
        """Write all of them, now or later."""
        if self._held is None:
            self._transport.writelines(parts)
        else:
            self._held += map(bytes, parts)

    def get_write_buffer_size(self) -> int:
        """Return how many bytes wait; picows writes past this transport only if none do."""
        return self._transport.get_write_buffer_size() if self._held is None else 1

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set what may wait to be written."""
        self._transport.set_write_buffer_limits(high, low)

    def close(self) -> None:
        """Close when all is written."""
        self.let_go()
        self._transport.close()
        self.settle()

    def settle(self) -> None:
        """Wake up the task that waits for the end of a client's handshake."""
        settled, self._settled = self._settled, None
        if settled is not None and not settled.done():
            settled.set_result(None)

    def __getattr__(self, name: str) -> Any:
        """Be the transport in all else."""
        return getattr(self._transport, name)


class _Protocol(WSProtocol):  # type: ignore[misc]  # its stub leaves the class out
    """picows' protocol, less what it does in vain for each connection."""

    __slots__ = ("settled", "shim")

    settled: asyncio.Future[None] | None
    """For a client: done when its handshake has ended, well or not."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin the handshake."""
        self.shim = _TransportShim(transport, self.settled)
        super().connection_made(self.shim)
        self.shim.made()

    def connection_lost(self, exc: Exception | None) -> None:
        """End, and with it a handshake that was under way."""
        super().connection_lost(exc)
        self.shim.settle()

    async def opened(self) -> None:
        """Wait until a client's websocket is open; raise the reason if it is not."""
        assert self.settled is not None
        await self.settled  # picows' own way makes two futures more
        await self.wait_until_handshake_complete()

    def feed(self, data: bytes) -> None:
        """Take what was read before this protocol had the connection; its first answers go out together."""
        self.shim.hold_back()
        try:
            rest = memoryview(data)
            while rest:
                buffer = memoryview(self.get_buffer(-1))
                size = min(len(buffer), len(rest))
                buffer[:size] = rest[:size]
                rest = rest[size:]
                self.buffer_updated(size)
        finally:
            self.shim.let_go()


class _ProtocolErrorHook:
    """What picows takes for its logger, one a connection: only there does it report a breach when it finds one.

    It would send a close in its own words, read on for a moment and deliver what follows; so the socket is closed
    from here first. An error of ours in a handler comes the same way, and is logged as such.
    """

    __slots__ = ("socket",)

    def __init__(self, socket: WebSocket | None) -> None:
        self.socket = socket

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802  # the name that logging gives it
        """Have picows spare itself the lines of a debugger."""
        return level >= logging.WARNING

    def info(self, *_: object, **__: object) -> None:
        """Leave out what picows logs of each connection."""

    debug = info

    def warning(self, msg: object, *_: object, **__: object) -> None:
        """Take a line of picows' log about the exception that it handles."""
        self.log(logging.WARNING, msg)

    error = exception = warning

    def log(self, level: int, msg: object, *_: object, **__: object) -> None:
        """Take a line of picows' log; a warning or an error is about the exception that it handles."""
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
    """The answer 101 as picows takes it; it is written without what any other answer may have."""

    __slots__ = ("subprotocol",)

    def __init__(self, subprotocol: str) -> None:
        self.status = HTTPStatus.SWITCHING_PROTOCOLS
        self.headers: Any = {}
        self.subprotocol = subprotocol

    def to_bytes(self) -> bytearray:
        """Return what is sent; picows has put the proof that the key was read among the header fields."""
        chosen = f"\r\nSec-WebSocket-Protocol: {self.subprotocol}" if self.subprotocol else ""
        return bytearray(_ANSWER % (self.headers["Sec-WebSocket-Accept"], chosen), "ascii")


def parse_upgrade_request(head: bytes) -> WSUpgradeRequest:
    """Parse a request's head, which comes without the empty line at its end; raise RuntimeError for a bad one."""
    return cast("WSUpgradeRequest", _parse_http_request(head))


def open_websocket(
    transport: asyncio.Transport, key: str, early: bytes, listener: WSListener, subprotocol: str, bounds: Bounds
) -> None:
    """Give a connection to picows, which answers 101 and takes what the client has sent already.

    picows parses a request of our own: the client's has been checked and decided on.
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
    """Return the protocol of a connection that we open. Whoever opens it bounds the time of the handshake.

    Its `opened` waits until the websocket is open, and raises why it is not.
    """
    hook = _ProtocolErrorHook(None)

    def made(*_: object) -> WebSocket:
        hook.socket = socket = make()
        protocol.shim.settle()
        return socket

    protocol = _protocol(host_port, path, made, bounds, hook, dict(headers))
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
        False,  # our sockets answer pings themselves, and count them
        bounds.message_bytes,
        headers,
        READ_BUFFER_BYTES,
    )
