"""Wires a matchmaker together."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog
from aiohttp import web

from matchmaker.broker import Broker
from matchmaker.metrics import Metrics
from matchmaker.players import Players
from matchmaker.settings import Settings
from pixelfleet.fleet.memory import MemoryFleetStore
from pixelfleet.fleet.store import FleetStore, StoreUnavailableError
from pixelfleet.runtime.front import Front
from pixelfleet.runtime.heartbeat import Heartbeat
from pixelfleet.runtime.http import add_health, errors_as_json, metrics_app, plain_port
from pixelfleet.runtime.service import Tasks, background

log = structlog.get_logger(__name__)

FLEET_METRICS_SECONDS = 1.0


@dataclass(slots=True)
class Matchmaker:
    """A running matchmaker."""

    broker: Broker
    players: Players
    port: int = 0
    metrics_port: int = 0

    def unready(self) -> str | None:
        """Return why no player should be sent here."""
        return None

    @property
    def queue(self) -> int:
        """How many players of this replica wait."""
        return self.broker.waiting


@asynccontextmanager
async def running(settings: Settings, store: FleetStore | None = None) -> AsyncIterator[Matchmaker]:
    """Run a matchmaker on a fleet store; without one it keeps its own in memory."""
    fleet = store if store is not None else MemoryFleetStore()
    metrics = Metrics()
    replica_id = uuid.uuid4().hex
    heartbeat = Heartbeat(settings.ping_interval, settings.pong_timeout)
    async with AsyncExitStack() as stack:
        tasks = await stack.enter_async_context(Tasks())
        broker = Broker(fleet, replica_id)
        players = Players(broker, settings, replica_id, tasks, heartbeat, metrics)
        matchmaker = Matchmaker(broker, players)
        app = web.Application(middlewares=[errors_as_json])
        add_health(app, matchmaker)
        front = await stack.enter_async_context(
            Front(app, players.upgrade, host=settings.host, port=settings.port, option="--port", bounds=players.bounds)
        )
        matchmaker.metrics_port = await stack.enter_async_context(
            plain_port(
                metrics_app(matchmaker, metrics.registries.all, metrics.registries.custom),
                host=settings.host,
                port=settings.metrics_port,
                option="--metrics-port",
            )
        )
        matchmaker.port = front.port
        await stack.enter_async_context(background(broker.run(), heartbeat.run(), _watch(fleet, metrics)))
        stack.callback(players.close_all)
        log.info("matchmaker listens", port=front.port)
        yield matchmaker


async def _watch(store: FleetStore, metrics: Metrics) -> None:
    """Keep the fleet's gauges current."""
    while True:
        try:
            metrics.fleet(await store.snapshot())
        except StoreUnavailableError as error:
            log.warning("fleet store is out of reach", why=str(error))
        await asyncio.sleep(FLEET_METRICS_SECONDS)
