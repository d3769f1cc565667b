"""picows' protocol as our sockets need it: the one place that makes it, for both ends of a connection."""

import asyncio
import logging
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, cast

import structlog
from picows import WSAutoPingStrategy, WSCloseCode, WSListener, WSProtocolError
from picows.api import WSServerListenerFactory
from picows.picows import WSProtocol  # type: ignore[attr-defined]  # its stub leaves the class out

from pixelfleet.net.bounds import Bounds
from pixelfleet.net.request_sniffer import Fed
from pixelfleet.net.websocket import WebSocket

READ_BUFFER_BYTES: Final = 1024
"""What each websocket's read buffer starts with (it grows to the message): an idle player costs little."""

log = structlog.get_logger(__name__)
_log = logging.getLogger("picows")


class _Calm:
    """A transport as picows sees it.

    picows sets and reads options of the socket when the connection is made, and asks for both addresses: for
    TCP_NODELAY, which the event loop has set, and for a line of a log that nobody reads. uvloop would make a socket
    object for each of these eight. What is written while it holds back goes out together: each write of its own costs
    more than a message does.
    """

    __slots__ = ("_held", "_made", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
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

    def set_operator_drain(self) -> None:
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

    def close(self) -> None:
        """Close when all is written."""
        self.let_go()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        """Be the transport in all else."""
        return getattr(self._transport, name)


class _Protocol(WSProtocol):  # type: ignore[misc]  # its stub leaves the class out
    """picows' protocol, less what it does in vain for each connection."""

    __slots__ = ("calm",)

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin the handshake."""
        self.calm = _Calm(transport)
        super().connection_made(self.calm)
        self.calm.made()

    def feed(self, data: bytes) -> None:
        """Take what was read before this protocol had the connection; its first answers go out together."""
        self.calm.set_operator_drain()
        try:
            rest = memoryview(data)
            while rest:
                buffer = memoryview(self.get_buffer(-1))
                size = min(len(buffer), len(rest))
                buffer[:size] = rest[:size]
                rest = rest[size:]
                self.buffer_updated(size)
        finally:
            self.calm.let_go()


class _Log(logging.LoggerAdapter[logging.Logger]):
    """What picows takes for its logger, one a connection: only there does it tell of a breach when it finds one.

    It would send a close in its own words, read on for a moment and deliver what follows; so the socket is closed
    from here first. An error of ours in a handler comes the same way, and is logged as such.
    """

    logger = _log
    extra = None
    socket: WebSocket | None = None

    def __init__(self) -> None:
        """Be cheap: there is one for each connection, and most have nothing to say."""

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802  # the name that logging gives it
        """Have picows spare itself the lines of a debugger."""
        return level >= logging.WARNING

    def info(self, *_: object, **__: object) -> None:
        """Leave out what picows says of each connection."""

    debug = info

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


def server_protocol(upgrade: WSServerListenerFactory, bounds: Bounds) -> Fed:
    """Return the protocol of a connection that a stranger opened; `upgrade` decides on its request.

    It is given the whole head of the request at once, so that its handshake needs no time of its own.
    """
    lines = _Log()

    def decide(request: Any) -> Any:
        answer = upgrade(request)
        lines.socket = _socket_of(answer)
        return answer

    protocol: Fed = _protocol(None, None, decide, bounds, lines, None)
    return protocol


def client_protocol(
    host_port: str, path: str, make: Callable[[], WebSocket], bounds: Bounds, headers: Mapping[str, str]
) -> Any:
    """Return the protocol of a connection that we open. Whoever opens it bounds the time of the handshake.

    Its `transport` is picows', once it is connected, and its `wait_until_handshake_complete` raises why not.
    """
    lines = _Log()

    def made(*_: object) -> WebSocket:
        lines.socket = make()
        return lines.socket

    return _protocol(host_port, path, made, bounds, lines, dict(headers))


def _socket_of(answer: object) -> WebSocket | None:
    if not isinstance(answer, WSListener):
        answer = getattr(answer, "listener", None)
    return answer if isinstance(answer, WebSocket) else None


def _protocol(
    host_port: str | None,
    path: str | None,
    make: Callable[..., object],
    bounds: Bounds,
    lines: _Log,
    headers: dict[str, str] | None,
) -> Any:
    return _Protocol(
        host_port,
        path,
        host_port is not None,
        make,
        lines,
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
