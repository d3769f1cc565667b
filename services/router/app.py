"""Wires a router together."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog
from aiohttp import web

from pixelfleet.runtime.front import Front
from pixelfleet.runtime.heartbeat import Heartbeat
from pixelfleet.runtime.http import add_health, errors_as_json, metrics_app, plain_port
from pixelfleet.runtime.metrics import Registries
from pixelfleet.runtime.service import Tasks, background
from router.page_files import add_page
from router.players import Players
from router.settings import Settings

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Router:
    """A running router."""

    players: Players
    port: int = 0
    metrics_port: int = 0

    def unready(self) -> str | None:
        """Return why no player should be sent here."""
        return None


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Router]:
    """Run a router."""
    registries = Registries("router")
    heartbeat = Heartbeat(settings.ping_interval, settings.pong_timeout)
    async with AsyncExitStack() as stack:
        tasks = await stack.enter_async_context(Tasks())
        players = Players(settings, tasks, heartbeat)
        router = Router(players)
        registries.custom_gauge("router_player_socket_connections", "Players connected.").set_function(
            lambda: len(players)
        )
        app = web.Application(middlewares=[errors_as_json])
        add_health(app, router)
        await add_page(app, settings.page)
        front = await stack.enter_async_context(
            Front(app, players.upgrade, host=settings.host, port=settings.port, option="--port", bounds=players.bounds)
        )
        router.metrics_port = await stack.enter_async_context(
            plain_port(
                metrics_app(router, registries.all, registries.custom),
                host=settings.host,
                port=settings.metrics_port,
                option="--metrics-port",
            )
        )
        router.port = front.port
        await stack.enter_async_context(background(heartbeat.run()))
        stack.callback(players.close_all)
        log.info("router listens", port=front.port)
        yield router
