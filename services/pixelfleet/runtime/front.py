"""One port for HTTP and websockets: an upgrade goes to picows, everything else to aiohttp.

The first request's head decides. aiohttp's own upgrade would cost twice the CPU and memory a connection, and
picows serves no plain HTTP; so this protocol reads just far enough to know, then hands the connection over and
is out of the way.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Final, Self, cast

from aiohttp import web
from picows import WSAutoPingStrategy
from picows.api import WSServerListenerFactory
from picows.picows import WSProtocol  # type: ignore[attr-defined]  # its stub leaves the class out

from pixelfleet.runtime.listen import listening_socket
from pixelfleet.runtime.websocket import Bounds

MAX_HEAD_BYTES: Final = 16 * 1024
HTTP_STOP_SECONDS: Final = 1.0
"""How long requests under way may take to finish when the port closes."""

READ_BUFFER_BYTES: Final = 1024
"""What each websocket's read buffer starts with (it grows to the message): an idle player costs little."""

_log = logging.getLogger("picows.server")

Upgrade = WSServerListenerFactory
HttpFactory = Callable[[], asyncio.Protocol]


class _FirstRequest(asyncio.Protocol):
    """Reads the head of a connection's first request and passes the connection to who serves it."""

    def __init__(self, http: HttpFactory, upgrade: Upgrade, bounds: Bounds) -> None:
        self._http = http
        self._upgrade = upgrade
        self._bounds = bounds
        self._head = b""
        self._transport: asyncio.Transport | None = None
        self._timeout: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass
        loop = asyncio.get_running_loop()
        self._timeout = loop.call_later(self._bounds.handshake_seconds, self._transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timeout()
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._head += data
        complete = b"\r\n\r\n" in self._head
        if not complete and len(self._head) < MAX_HEAD_BYTES and not _is_hopeless(self._head):
            return
        transport, head = self._transport, self._head
        self._head = b""
        self._stop_timeout()
        assert transport is not None
        if complete and wants_websocket(head):
            _hand_over(transport, _websocket_protocol(self._upgrade, self._bounds), head)
        else:
            _hand_over(transport, self._http(), head)

    def _stop_timeout(self) -> None:
        if self._timeout is not None:
            self._timeout.cancel()
            self._timeout = None


def _is_hopeless(head: bytes) -> bool:
    """Whether the bytes cannot begin an HTTP request, so that waiting for more is pointless."""
    return b"\n" not in head[:MAX_HEAD_BYTES] and len(head) > 8 * 1024


def wants_websocket(head: bytes) -> bool:
    """Tell whether a request's head asks for an upgrade to a websocket."""
    headers, _, _ = head.partition(b"\r\n\r\n")
    for line in headers.lower().split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name == b"upgrade" and b"websocket" in value:
            return True
    return False


def _websocket_protocol(upgrade: Upgrade, bounds: Bounds) -> asyncio.BufferedProtocol:
    protocol: asyncio.BufferedProtocol = WSProtocol(
        None,
        None,
        False,
        upgrade,
        _log,
        True,
        bounds.handshake_seconds,
        False,
        1,
        1,
        WSAutoPingStrategy.PING_WHEN_IDLE,
        True,
        bounds.message_bytes,
        None,
        READ_BUFFER_BYTES,
    )
    return protocol


def _hand_over(
    transport: asyncio.Transport, protocol: asyncio.Protocol | asyncio.BufferedProtocol, data: bytes
) -> None:
    # uvloop chooses its way of reading when reading starts, so the switch between a protocol that is given its
    # data and one that lends its buffer happens between a stop and a start.
    transport.pause_reading()
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    if not transport.is_closing():
        transport.resume_reading()
    if isinstance(protocol, asyncio.BufferedProtocol):
        _feed(protocol, data)
    else:
        protocol.data_received(data)


def _feed(protocol: asyncio.BufferedProtocol, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        buffer = memoryview(protocol.get_buffer(-1))
        size = min(len(buffer), len(rest))
        buffer[:size] = rest[:size]
        rest = rest[size:]
        protocol.buffer_updated(size)


class Front(AbstractAsyncContextManager["Front"]):
    """A listening port. Enter it and it serves; leave it and it takes no more and ends what HTTP is under way.

    Websockets that are open stay open: who accepted them closes them, each with the code that fits.
    """

    def __init__(
        self,
        app: web.Application,
        upgrade: Upgrade,
        *,
        host: str,
        port: int,
        option: str,
        bounds: Bounds,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=HTTP_STOP_SECONDS)
        self._upgrade = upgrade
        self._host, self._port, self._option = host, port, option
        self._bounds = bounds
        self._tls = tls
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port that is listened on, also when 0 was asked for."""
        return self._port

    async def __aenter__(self) -> Self:
        """Listen; raise UsageError when the port is taken."""
        await self._runner.setup()
        http = self._runner.server
        assert http is not None
        socket = listening_socket(self._host, self._port, self._option)
        self._port = socket.getsockname()[1]
        loop = asyncio.get_running_loop()
        tls: dict[str, Any] = {"ssl": self._tls, "ssl_handshake_timeout": self._bounds.handshake_seconds}
        self._server = await loop.create_server(
            lambda: _FirstRequest(http, self._upgrade, self._bounds),
            sock=socket,
            backlog=4096,
            **(tls if self._tls else {}),
        )
        return self

    def stop_listening(self) -> None:
        """Take no new connections; those that are open go on."""
        if self._server is not None:
            self._server.close()

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop listening and end HTTP."""
        self.stop_listening()
        await self._runner.cleanup()
