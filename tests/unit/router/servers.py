"""Loopback servers to which the router's modules connect, and a server with one handler of the router."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientSession, DummyCookieJar, web
from aiohttp.typedefs import Handler

from pixelfleet.net.http_client import without_redirects
from pixelfleet.net.ports import plain_port


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """Serve every request with a handler; yield the URL without a path."""
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", handler)
    async with plain_port(app, host="127.0.0.1", port=0, option="--port") as port:
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def session() -> AsyncIterator[ClientSession]:
    """Yield an HTTP client like the router's."""
    traces = [without_redirects()]
    async with ClientSession(auto_decompress=False, cookie_jar=DummyCookieJar(), trace_configs=traces) as made:
        yield made
