"""Assembles and runs a router."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from pixelfleet.auth.guard import open_guard
from pixelfleet.fleet.open import open_store
from pixelfleet.fleet.store import FleetStore
from pixelfleet.net.heartbeat import Heartbeat
from pixelfleet.net.http import add_health, cors, errors_as_json
from pixelfleet.net.http_client import without_redirects
from pixelfleet.net.ports import metrics_port
from pixelfleet.net.server import Server
from pixelfleet.net.tls import client_context, server_context
from pixelfleet.service.lifecycle import Tasks, background
from pixelfleet.service.otel import open_tracing
from router.admission import Admission
from router.caller import CALLER, Callers
from router.dashboard import Dashboard
from router.drain import Drain
from router.handlers import Handlers
from router.metrics import Metrics
from router.page_files import add_page, page_document
from router.players import Players
from router.proxy.forward import Forwarder
from router.proxy.streamers import ApiStreamers, StoreStreamers
from router.redirects import to_stripped_prefix, with_slash
from router.settings import Settings
from router.sign_in.pages import SignInPages, open_sign_in
from router.upstreams.matchmakers import Matchmakers
from router.upstreams.pool import Pool

log = structlog.get_logger(__name__)

PAGE_ORIGIN_HEADER: Final = "X-Pixelfleet-Origin"
"""The header in which the page repeats its origin: browsers send `Origin` with its websocket only."""

PLAYER_PATHS: Final = ("/", "/ws", "/matchmaker")
"""Paths of player websockets: stock pages dial `/`."""


@dataclass(slots=True)
class Router:
    """A running router."""

    players: Players
    matchmakers: Matchmakers
    going: Drain
    dashboard: Dashboard
    port: int = 0
    metrics_port: int = 0

    def unready(self) -> str | None:
        """Return the reason why the router is not ready for players, or None."""
        if self.going.begun:
            return "shutting down"
        return None if self.matchmakers.usable() else "no matchmaker answers"

    async def drain(self) -> None:
        """Wait for the players to leave, and close the rest at the deadline."""
        await self.going.run()


@asynccontextmanager
async def running(settings: Settings, store: FleetStore | None = None) -> AsyncIterator[Router]:
    """Run a router. It looks streamers up in `store` or in the store of its settings, else at a matchmaker."""
    async with AsyncExitStack() as stack:
        if store is None and settings.store_url:
            store = await stack.enter_async_context(open_store(settings.store_url))
        metrics = Metrics(settings.path_prefix)
        heartbeat = Heartbeat(settings.ping_interval, settings.pong_timeout)
        # The matchmaker redeems single-use links: all players of all routers connect to it.
        guard = await stack.enter_async_context(
            open_guard(settings, origins=settings.origins, redeem=None, proxies=settings.trusted_proxies)
        )
        session = await stack.enter_async_context(
            aiohttp.ClientSession(
                auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar(), trace_configs=[without_redirects()]
            )
        )
        matchmakers = Matchmakers(
            Pool(settings.matchmaker), session, await client_context(settings.matchmaker_ca, "--matchmaker-ca")
        )
        callers = Callers(
            guard,
            proxies=settings.trusted_proxies,
            requests_per_second=settings.requests_per_second,
            joins_per_minute=settings.joins_per_minute,
            logins_per_minute=settings.logins_per_minute,
        )
        tasks = await stack.enter_async_context(Tasks())
        players = Players(
            settings,
            guard,
            callers,
            matchmakers,
            tasks,
            heartbeat,
            metrics.handover,
            metrics.left,
            metrics.passed_over,
            metrics.returned,
            await stack.enter_async_context(open_tracing("router")),
        )
        drain = Drain(players, spread_seconds=settings.spread_seconds, grace_seconds=settings.drain_seconds)
        forwarder = Forwarder(session, settings.proxies_at_once, settings.handshake_seconds)
        streamers = StoreStreamers(store) if store is not None else ApiStreamers(matchmakers, settings.rest_token)
        handlers = Handlers(settings, callers, forwarder, matchmakers, streamers, session)
        sign_in = await stack.enter_async_context(open_sign_in(settings, callers))
        dashboard = Dashboard(handlers, matchmakers, settings.rest_token, settings.path_prefix, sign_in)
        router = Router(players, matchmakers, drain, dashboard)
        metrics.watch(players, matchmakers, forwarder)
        app = web.Application(
            middlewares=[callers.middleware, metrics.middleware, _cors(settings), errors_as_json, callers.limit]
        )
        app.on_response_prepare.append(callers.on_response_prepare)
        add_health(app, router)
        await _add_routes(app, settings, players, handlers, dashboard, sign_in)
        server = await stack.enter_async_context(
            Server(
                app,
                Admission(callers, players, metrics, settings.origins).admit,
                host=settings.host,
                port=settings.port,
                option="--port",
                bounds=players.bounds,
                tls=await server_context(settings.tls_cert, settings.tls_key),
                websocket_paths=[settings.path_prefix + path for path in PLAYER_PATHS],
            )
        )
        router.metrics_port = await stack.enter_async_context(
            metrics_port(router, metrics.registries, host=settings.host, port=settings.metrics_port)
        )
        router.port = server.port
        await stack.enter_async_context(background(heartbeat.run(), matchmakers.run(), dashboard.run()))
        stack.callback(players.trunks.close)
        stack.callback(players.close_all)
        log.info("router listens", port=server.port)
        yield router


def _cors(settings: Settings) -> Middleware:
    """Return the middleware that allows requests from pages of other origins.

    The dashboard allows none. Streamers' APIs allow only origins listed by name, not `*`: otherwise any page that a
    user on a private network opens could read an open proxy there.
    """
    all_origins, named_origins = cors(settings.origins), cors([each for each in settings.origins if each != "*"])
    dashboard, proxy = f"{settings.path_prefix}/dashboard", f"{settings.path_prefix}/proxy/"

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(dashboard):
            return await handler(request)
        return await (named_origins if request.path.startswith(proxy) else all_origins)(request, handler)

    return middleware


async def _add_routes(
    app: web.Application,
    settings: Settings,
    players: Players,
    handlers: Handlers,
    dashboard: Dashboard,
    sign_in: SignInPages | None,
) -> None:
    prefix = settings.path_prefix

    async def enter_page(request: web.Request) -> None:
        """Authenticate a page load with `basic`: browsers show no password prompt for a websocket."""
        redirect = to_stripped_prefix(request)
        if redirect is not None:
            raise redirect
        if settings.auth == "basic":
            await players.enter(request[CALLER])

    async def plain(request: web.Request) -> web.Response:
        """Answer a plain request: scripts cannot read the status of a refused websocket, but that of this answer."""
        players.check_origin(request.headers.get(PAGE_ORIGIN_HEADER))
        await players.check(request[CALLER])
        raise web.HTTPUpgradeRequired(reason="a websocket is served here")

    for path in PLAYER_PATHS[1:]:
        app.router.add_get(prefix + path, plain)
    if sign_in is not None:
        sign_in.add_to(app)
    handlers.add_to(app)
    await dashboard.add_to(app)
    await add_page(
        app,
        settings.page,
        prefix=prefix,
        enter=enter_page,
        frame_ancestors=settings.frame_ancestors,
        document=page_document(
            parents=settings.parents,
            functions=settings.functions,
            signalling_hosts=settings.signalling_hosts,
            sign_in=settings.auth == "oidc",
        ),
        branding=settings.branding,
    )
    if prefix:

        async def slash(request: web.Request) -> web.Response:
            raise with_slash(request)

        app.router.add_get(prefix, slash)
