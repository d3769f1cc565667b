"""One port for HTTP and websockets: websockets are opened here, all other requests go to aiohttp.

The head of the first request selects. aiohttp's own websockets cost more CPU and memory per connection, and picows
serves no plain HTTP. So the server reads that head, then passes the connection to one of the two libraries.
"""

import asyncio
import ssl
from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self

from aiohttp import web
from aiohttp.typedefs import Handler

from pixelfleet.net.bounds import Bounds
from pixelfleet.net.handshake import Admit, Damped, Handshakes
from pixelfleet.net.http_connections import HttpConnections
from pixelfleet.net.listen import connection_limit, listening_socket
from pixelfleet.net.lost_upgrades import LostUpgrades, is_lost_upgrade
from pixelfleet.net.refusal import refusal
from pixelfleet.net.request_head import is_upgrade, path_of, target_of, wants_websocket
from pixelfleet.net.request_sniffer import PendingConnections, RequestSniffer, hand_over
from pixelfleet.net.vendor_glue.aiohttp_headers import hide_versions
from pixelfleet.net.vendor_glue.aiohttp_takeover import take_connection

HTTP_STOP_SECONDS: Final = 1.0
"""Time for requests to finish when the port closes."""

CONNECTION_SHARE: Final = 2
"""Connections of one port without a request may use this part of the process's file descriptors: a half. The same
applies to those with HTTP requests."""


class Server(AbstractAsyncContextManager["Server"]):
    """A listening port, as a context manager: the exit stops listening and ends HTTP requests.

    Open websockets stay open: the service that accepted them closes each with its close code.
    """

    def __init__(
        self,
        app: web.Application,
        admit: Admit,
        *,
        host: str,
        port: int,
        option: str,
        host_option: str = "--host",
        bounds: Bounds,
        tls: ssl.SSLContext | None = None,
        websocket_paths: Collection[str] | None = None,
        share: int = CONNECTION_SHARE,
        damped: Damped = lambda _: True,
    ) -> None:
        """`admit` decides on requests for a websocket at `websocket_paths`, by default at all paths.

        At other paths the app answers such requests. Errors name the options of the port and the host. `share` limits
        the connections, as CONNECTION_SHARE describes. A client whose connections end at once is held back, except for
        requests that are not `damped`.
        """
        app.middlewares.insert(0, self._websocket_after_http())
        app.middlewares.append(self._upgrade_required())
        app.on_response_prepare.append(_drop_server_header)
        hide_versions()
        self._runner = web.AppRunner(
            app,
            access_log=None,
            handle_signals=False,
            # Protects against decompression bombs; bodies are forwarded as they are.
            auto_decompress=False,
            shutdown_timeout=HTTP_STOP_SECONDS,
            # Also closes a connection whose next request is incomplete.
            keepalive_timeout=2 * bounds.handshake_seconds,
            # For the rest of a body that the handler did not read.
            lingering_time=bounds.handshake_seconds,
        )
        self._paths = websocket_paths
        self._host, self._port = host, port
        self._options = (option, host_option)
        self._tls = tls
        self._server: asyncio.Server | None = None
        self.bounds = bounds
        limit = connection_limit(share)
        self._pending = PendingConnections(bounds.handshake_seconds, limit, self._serve)
        self._lost = LostUpgrades()
        scheme = "http" if tls is None else "https"
        self._handshakes = Handshakes(admit, bounds, scheme, damped, self._lost, limit)
        self._connections = HttpConnections(limit, bounds.response_seconds)

    @property
    def port(self) -> int:
        """The port that the server listens on, also if it was created with port 0."""
        return self._port

    @property
    def handshakes_timed_out(self) -> int:
        """The number of connections closed because they sent no request in time."""
        return self._pending.timed_out

    async def __aenter__(self) -> Self:
        """Listen; raise UsageError when the port is not available."""
        await self._runner.setup()
        socket = listening_socket(self._host, self._port, *self._options)
        self._port = socket.getsockname()[1]
        loop = asyncio.get_running_loop()
        tls: dict[str, Any] = {"ssl": self._tls, "ssl_handshake_timeout": self.bounds.handshake_seconds}
        self._server = await loop.create_server(
            lambda: RequestSniffer(self._pending), sock=socket, backlog=4096, **(tls if self._tls else {})
        )
        return self

    def stop_listening(self) -> None:
        """Accept no new connections; open ones stay open."""
        if self._server is not None:
            self._server.close()

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop listening, and end HTTP requests and handshakes."""
        self.stop_listening()
        self._pending.close()
        self._handshakes.close()
        await self._runner.cleanup()
        self._connections.close()

    def _serve(self, transport: asyncio.Transport, data: bytes) -> None:
        """Pass a connection on by its first request; `data` is a complete head or more."""
        if wants_websocket(data) and (self._paths is None or self._has_websockets(target_of(data))):
            self._handshakes.begin(transport, data)
            return
        if not self._connections.add(transport):
            transport.write(refusal(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections").encoded())
            transport.close()
            return
        http = self._runner.server
        assert http is not None
        protocol = http()
        hand_over(transport, protocol)
        protocol.connection_made(transport)
        protocol.data_received(data)

    def _has_websockets(self, target: str) -> bool:
        return self._paths is None or path_of(target) in self._paths

    def _upgrade_required(self) -> Any:
        """Return a middleware that refuses requests for a websocket that a proxy has made to plain ones."""

        @web.middleware
        async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
            if self._has_websockets(request.raw_path) and is_lost_upgrade(request):
                why = "the headers Upgrade and Connection are missing"
                self._lost.warn(request.remote or "", request.path, why, asyncio.get_running_loop().time())
                raise web.HTTPUpgradeRequired(reason=f"a websocket is served here, and {why}")
            return await handler(request)

        return middleware

    def _websocket_after_http(self) -> Any:
        """Return a middleware for connections that request a websocket after other requests, as proxies' pools do."""

        @web.middleware
        async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not (is_upgrade(request) and self._has_websockets(request.raw_path)):
                return await handler(request)
            taken = take_connection(request)
            if taken is not None:
                transport, data = taken
                self._connections.discard(transport)
                hand_over(transport, asyncio.BufferedProtocol())  # replaced before any data can arrive
                self._handshakes.begin(transport, data)
            raise asyncio.CancelledError  # ends aiohttp's task of this connection without an answer

        return middleware


async def _drop_server_header(_: web.Request, response: web.StreamResponse) -> None:
    """Remove the header with the versions of Python and aiohttp."""
    response.headers.popall("Server", None)
