"""Servers on the loopback that the router's modules speak to, and a server round one handler of the router's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientSession, DummyCookieJar, web
from aiohttp.typedefs import Handler

from pixelfleet.net.http import plain_port


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """Answer every request with a handler; yield the URL without a path."""
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", handler)
    async with plain_port(app, host="127.0.0.1", port=0, option="--port") as port:
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def session() -> AsyncIterator[ClientSession]:
    """Yield a client as the router has it."""
    async with ClientSession(auto_decompress=False, cookie_jar=DummyCookieJar()) as made:
        yield made
