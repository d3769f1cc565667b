"""Ports that serve HTTP without websockets. All ports of all services are `Server`s, with the same bounds."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from aiohttp import web

from pixelfleet.net.bounds import Bounds
from pixelfleet.net.handshake import Decision
from pixelfleet.net.http import Health, metrics_app
from pixelfleet.net.request_head import RequestHead
from pixelfleet.net.server import CONNECTION_SHARE, Server
from pixelfleet.service.metrics import Registries

SMALL_SHARE: Final = 8
"""The share of file descriptors, as in `Server`, for ports with few clients or short requests."""


def metrics_port(health: Health, registries: Registries, *, host: str, port: int) -> AbstractAsyncContextManager[int]:
    """Serve a service's metrics and health on its `--metrics-port`; yield the port."""
    app = metrics_app(health, registries.all, registries.custom)
    return plain_port(app, host=host, port=port, option="--metrics-port", share=SMALL_SHARE)


@asynccontextmanager
async def plain_port(
    app: web.Application,
    *,
    host: str,
    port: int,
    option: str,
    bounds: Bounds | None = None,
    share: int = CONNECTION_SHARE,
) -> AsyncIterator[int]:
    """Serve an app without websockets of ours; yield the port. Raises UsageError when the port is taken."""
    server = Server(
        app,
        _refuse,
        host=host,
        port=port,
        option=option,
        bounds=bounds or Bounds(),
        websocket_paths=frozenset(),
        share=share,
    )
    async with server:
        yield server.port


def _refuse(head: RequestHead) -> Decision:
    """Never called: no path of a plain port has websockets."""
    raise web.HTTPNotFound
