"""One port for HTTP and websockets: an upgrade goes to picows, everything else to aiohttp.

The first request's head decides. aiohttp's own upgrade would cost twice the CPU and memory a connection, and
picows serves no plain HTTP; so this protocol reads just far enough to know, then hands the connection over and
is out of the way.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self, cast

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from picows import WSListener, WSUpgradeRequest, WSUpgradeResponse, WSUpgradeResponseWithListener
from picows.api import WSServerListenerFactory

from pixelfleet.net.bounds import Bounds
from pixelfleet.net.listen import listening_socket
from pixelfleet.net.request_sniffer import FirstRequest, Lobby, hand_over, wants_websocket
from pixelfleet.net.vendor_glue.picows_protocol import server_protocol

VERSIONS: Final = ("13", "8", "7")
"""Versions of the websocket protocol, which differ in nothing that we use. The first is that of the standard."""

HTTP_STOP_SECONDS: Final = 1.0
"""How long requests under way may take to finish when the port closes."""

log = structlog.get_logger(__name__)

Upgrade = WSServerListenerFactory

Admit = Callable[[web.Request], Awaitable[Upgrade | None]]
"""Decides, with time to think, on a request for a websocket: returns who takes it, or None to have the app's own
handler answer; what it raises is answered like any handler's error."""


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
        if len(values) == 1 and values[0].lower() == word:
            continue  # as nearly always
        if any(word == each.strip().lower() for value in values for each in value.split(",")):
            request.headers[name] = word


class _Early:
    """What aiohttp takes for the reader of a websocket: keeps what it is fed."""

    def __init__(self) -> None:
        self.data = bytearray()

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Keep what came."""
        self.data += data
        return False, b""

    def feed_eof(self) -> None:
        """Nothing to do: picows sees the end for itself."""


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
        admit: Admit | None = None,
    ) -> None:
        """With `admit` every request for a websocket is read by aiohttp first, behind the app's middlewares."""

        @web.middleware
        async def upgrade_later(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._upgrade_later(request, handler)

        if admit is None:
            app.middlewares.insert(0, upgrade_later)
        else:
            app.middlewares.append(upgrade_later)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            handle_signals=False,
            # What unpacks to a thousand times its size is not unpacked here; who passes a body on passes it as it came.
            auto_decompress=False,
            shutdown_timeout=HTTP_STOP_SECONDS,
            # Also ends a connection whose next request has begun and does not go on.
            keepalive_timeout=2 * bounds.handshake_seconds,
            # For the rest of a body that nobody wants.
            lingering_time=bounds.handshake_seconds,
        )
        self._upgrade = upgrade
        self._admit = admit
        self._host, self._port, self._option = host, port, option
        self._tls = tls
        self._server: asyncio.Server | None = None
        self.bounds = bounds
        self._lobby = Lobby(bounds.handshake_seconds, self.serve)

    @property
    def port(self) -> int:
        """The port that is listened on, also when 0 was asked for."""
        return self._port

    @property
    def handshakes_timed_out(self) -> int:
        """How many connections were dropped because they did not ask for anything in time."""
        return self._lobby.timed_out

    async def __aenter__(self) -> Self:
        """Listen; raise UsageError when the port is taken."""
        await self._runner.setup()
        socket = listening_socket(self._host, self._port, self._option)
        self._port = socket.getsockname()[1]
        loop = asyncio.get_running_loop()
        tls: dict[str, Any] = {"ssl": self._tls, "ssl_handshake_timeout": self.bounds.handshake_seconds}
        self._server = await loop.create_server(
            lambda: FirstRequest(self._lobby), sock=socket, backlog=4096, **(tls if self._tls else {})
        )
        return self

    def serve(self, transport: asyncio.Transport, head: bytes) -> None:
        """Hand a connection to who serves its first request; `head` is what came so far, a whole head or more."""
        if self._admit is None and wants_websocket(head):
            hand_over(transport, server_protocol(self._guarded(self._upgrade), self.bounds), head)
        else:
            http = self._runner.server
            assert http is not None
            hand_over(transport, http(), head)

    def stop_listening(self) -> None:
        """Take no new connections; those that are open go on."""
        if self._server is not None:
            self._server.close()

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop listening and end HTTP."""
        self.stop_listening()
        self._lobby.close()
        await self._runner.cleanup()

    def _guarded(self, upgrade: Upgrade) -> Upgrade:
        """Return what decides on an upgrade; a bug in there is logged, and the stranger is told nothing of it."""

        def decide(request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener | None:
            try:
                if request.headers.get("Sec-WebSocket-Version") not in VERSIONS:
                    return _other_version()
                _plain_lists(request)
                return upgrade(request)
            except Exception:  # picows would send the error's text
                log.exception("upgrade failed")
                body = WSUpgradeResponse.create_error_response(HTTPStatus.INTERNAL_SERVER_ERROR, b"internal error")
                return WSUpgradeResponseWithListener(body, None)

        return decide

    async def _upgrade_later(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Hand over a connection that served HTTP before and now asks for a websocket, as proxies' pools do."""
        if request.transport is None or "websocket" not in request.headers.get("Upgrade", "").lower():
            return await handler(request)
        upgrade: Upgrade | None = self._upgrade if self._admit is None else await self._admit(request)
        if upgrade is None:
            return await handler(request)
        transport = request.transport
        if transport is None:  # it left while it was thought about
            raise web.HTTPBadRequest(reason="the connection is closed")
        http = request.protocol
        lines = [f"{request.method} {request.raw_path} HTTP/1.1".encode()]
        lines += [name + b": " + value for name, value in request.raw_headers]
        early = _Early()
        http.set_parser(cast("Any", early))  # gives it what came behind the head, of which aiohttp bounds the size
        # For aiohttp the connection is gone from here on; it must not close what is no longer its own.
        http.transport = None
        http.connection_lost(None)
        head = b"\r\n".join([*lines, b"", b""]) + bytes(early.data)
        hand_over(transport, server_protocol(self._guarded(upgrade), self.bounds), head)
        return _HandedOver()
