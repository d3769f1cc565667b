"""A reverse proxy in front of a router, with the mistakes that configurations of real ones make."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from tests.e2e.script import serving

DROPPED = ("Accept-Encoding", "Connection", "Content-Encoding", "Content-Length", "Transfer-Encoding", "Upgrade")
"""Headers of the connection and of the encoding, which the proxy's own client and server set."""


@dataclass(slots=True)
class ReverseProxy:
    """Forwards requests to `target`, without its path prefix."""

    target: str
    prefix: str = ""
    upgrades: bool = True
    """Whether websockets are forwarded as such; otherwise their upgrade headers are removed."""
    bad_gateway: bool = False
    """Whether requests for websockets are answered with 502, as if the server behind it did not run."""
    no_slash: bool = False
    """Whether the prefix with a slash is redirected to the one without."""
    session: aiohttp.ClientSession | None = None
    methods: list[str] = field(default_factory=list)
    """The methods of the requests for the websocket's path: GET for an upgrade, HEAD for the page's own question."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        assert self.session is not None
        if not request.path.startswith(self.prefix):
            raise web.HTTPNotFound
        if self.no_slash and request.path == f"{self.prefix}/":
            raise web.HTTPMovedPermanently(self.prefix)
        path = "/" + request.path_qs.removeprefix(self.prefix).removeprefix("/")
        if path.startswith("/ws"):
            self.methods.append(request.method)
            if self.bad_gateway:
                return web.Response(status=502, text="<h1>502 Bad Gateway</h1>", content_type="text/html")
        if self.upgrades and "Upgrade" in request.headers:
            return await self._tunnel(request, path)
        headers = {name: value for name, value in request.headers.items() if name not in DROPPED}
        async with self.session.request(
            request.method, self.target + path, headers=headers, allow_redirects=False
        ) as answer:
            kept = {name: value for name, value in answer.headers.items() if name not in DROPPED}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)

    async def _tunnel(self, request: web.Request, path: str) -> web.WebSocketResponse:
        assert self.session is not None
        down = web.WebSocketResponse()
        await down.prepare(request)
        async with self.session.ws_connect(self.target + path) as up, asyncio.TaskGroup() as tasks:

            async def upwards() -> None:
                async for message in down:
                    await up.send_str(message.data)
                await up.close()

            tasks.create_task(upwards())
            async for message in up:
                await down.send_str(message.data)
            await down.close()
        return down


@asynccontextmanager
async def reverse_proxy(proxy: ReverseProxy) -> AsyncIterator[str]:
    """Run a proxy; yield the URL of its root, without a slash at the end."""
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", proxy.handle)
    async with aiohttp.ClientSession() as proxy.session, serving(app) as port:
        yield f"http://127.0.0.1:{port}"
