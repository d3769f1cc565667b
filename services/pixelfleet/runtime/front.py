"""One port for HTTP and websockets: an upgrade goes to picows, everything else to aiohttp.

The first request's head decides. aiohttp's own upgrade would cost twice the CPU and memory a connection, and
picows serves no plain HTTP; so this protocol reads just far enough to know, then hands the connection over and
is out of the way.
"""

import asyncio
import ssl
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self, cast

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from picows import WSListener, WSUpgradeRequest, WSUpgradeResponse, WSUpgradeResponseWithListener
from picows.api import WSServerListenerFactory

from pixelfleet.runtime.listen import listening_socket
from pixelfleet.runtime.protocol import server_protocol
from pixelfleet.runtime.websocket import Bounds

MAX_HEAD_BYTES: Final = 16 * 1024
MAX_LINE_BYTES: Final = 8 * 1024
VERSIONS: Final = ("13", "8", "7")
"""Versions of the websocket protocol, which differ in nothing that we use. The first is that of the standard."""

HTTP_STOP_SECONDS: Final = 1.0
"""How long requests under way may take to finish when the port closes."""

log = structlog.get_logger(__name__)

Upgrade = WSServerListenerFactory


class _FirstRequest(asyncio.Protocol):
    """Reads the head of a connection's first request and passes the connection to who serves it."""

    def __init__(self, front: "Front") -> None:
        self._front = front
        self._head = b""
        self._transport: asyncio.Transport | None = None
        self._timeout: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass
        self._front.pending.add(self._transport)
        loop = asyncio.get_running_loop()
        self._timeout = loop.call_later(self._front.bounds.handshake_seconds, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        self._let_go()

    def data_received(self, data: bytes) -> None:
        # Empty lines before a request are allowed, and would else look like a whole head.
        head = self._head = (self._head + data).lstrip(b"\r\n")
        transport = self._transport
        if transport is None:
            return
        if b"\r\n\r\n" in head:
            self._let_go()
            self._front.serve(transport, head)
        elif len(head) > MAX_HEAD_BYTES or (len(head) > MAX_LINE_BYTES and b"\n" not in head):
            transport.close()

    def _too_slow(self) -> None:
        self._front.handshakes_timed_out += 1
        if self._transport is not None:
            self._transport.abort()

    def _let_go(self) -> None:
        self._head = b""
        if self._transport is not None:
            self._front.pending.discard(self._transport)
            self._transport = None
        if self._timeout is not None:
            self._timeout.cancel()
            self._timeout = None


def wants_websocket(head: bytes) -> bool:
    """Tell whether a request's head asks for an upgrade to a websocket."""
    headers, _, _ = head.partition(b"\r\n\r\n")
    for line in headers.lower().split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name == b"upgrade" and b"websocket" in value:
            return True
    return False


def _other_version() -> WSUpgradeResponseWithListener:
    """Return the answer to a version that we do not speak. picows would repeat it, also where it is no text."""
    headers = {"Sec-WebSocket-Version": VERSIONS[0]}
    body = b"unsupported websocket version"
    answer = WSUpgradeResponse.create_error_response(HTTPStatus.UPGRADE_REQUIRED, body, headers)
    return WSUpgradeResponseWithListener(answer, None)


def _plain_lists(request: WSUpgradeRequest) -> None:
    """Leave of the lists that Firefox and proxies send (`keep-alive, Upgrade`) the one word that picows knows."""
    for name, word in (("Connection", "upgrade"), ("Upgrade", "websocket")):
        values = request.headers.getall(name, [])
        if any(word == each.strip().lower() for value in values for each in value.split(",")):
            request.headers[name] = word


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


class _HandedOver(web.Response):
    """The answer to a request whose connection now belongs to a websocket: aiohttp must write nothing."""

    async def prepare(self, request: web.BaseRequest) -> None:
        """Say that the connection is gone, which for aiohttp it is."""
        raise ConnectionResetError("handed over to a websocket")


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
        @web.middleware
        async def upgrade_later(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._upgrade_later(request, handler)

        app.middlewares.insert(0, upgrade_later)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            handle_signals=False,
            shutdown_timeout=HTTP_STOP_SECONDS,
            # Also ends a connection whose next request has begun and does not go on.
            keepalive_timeout=2 * bounds.handshake_seconds,
            # For the rest of a body that nobody wants.
            lingering_time=bounds.handshake_seconds,
        )
        self._upgrade = upgrade
        self._host, self._port, self._option = host, port, option
        self._tls = tls
        self._server: asyncio.Server | None = None
        self.bounds = bounds
        self.pending: set[asyncio.Transport] = set()
        """Connections that have not asked for anything yet."""
        self.handshakes_timed_out = 0
        """How many were dropped because they did not ask in time."""

    @property
    def port(self) -> int:
        """The port that is listened on, also when 0 was asked for."""
        return self._port

    async def __aenter__(self) -> Self:
        """Listen; raise UsageError when the port is taken."""
        await self._runner.setup()
        socket = listening_socket(self._host, self._port, self._option)
        self._port = socket.getsockname()[1]
        loop = asyncio.get_running_loop()
        tls: dict[str, Any] = {"ssl": self._tls, "ssl_handshake_timeout": self.bounds.handshake_seconds}
        self._server = await loop.create_server(
            lambda: _FirstRequest(self), sock=socket, backlog=4096, **(tls if self._tls else {})
        )
        return self

    def serve(self, transport: asyncio.Transport, head: bytes) -> None:
        """Hand a connection to who serves its first request; `head` is what came so far, a whole head or more."""
        if wants_websocket(head):
            _hand_over(transport, server_protocol(self._guarded_upgrade, self.bounds), head)
        else:
            http = self._runner.server
            assert http is not None
            _hand_over(transport, http(), head)

    def stop_listening(self) -> None:
        """Take no new connections; those that are open go on."""
        if self._server is not None:
            self._server.close()

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop listening and end HTTP."""
        self.stop_listening()
        for transport in list(self.pending):
            transport.abort()
        await self._runner.cleanup()

    def _guarded_upgrade(self, request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener | None:
        """Decide on an upgrade; a bug in there is logged, and the stranger is told nothing of it."""
        try:
            if request.headers.get("Sec-WebSocket-Version") not in VERSIONS:
                return _other_version()
            _plain_lists(request)
            return self._upgrade(request)
        except Exception:  # picows would send the error's text
            log.exception("upgrade failed")
            body = WSUpgradeResponse.create_error_response(HTTPStatus.INTERNAL_SERVER_ERROR, b"internal error")
            return WSUpgradeResponseWithListener(body, None)

    async def _upgrade_later(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Hand over a connection that served HTTP before and now asks for a websocket, as proxies' pools do."""
        transport = request.transport
        if transport is None or "websocket" not in request.headers.get("Upgrade", "").lower():
            return await handler(request)
        http = request.protocol
        lines = [f"{request.method} {request.raw_path} HTTP/1.1".encode()]
        lines += [name + b": " + value for name, value in request.raw_headers]
        # For aiohttp the connection is gone from here on; it must not close what is no longer its own.
        http.transport = None
        http.connection_lost(None)
        _hand_over(transport, server_protocol(self._guarded_upgrade, self.bounds), b"\r\n".join([*lines, b"", b""]))
        return _HandedOver()
