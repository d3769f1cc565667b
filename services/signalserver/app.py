"""Wires a signalling server together."""

import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog
from aiohttp import web

from pixelfleet.fleet.store import FleetStore
from pixelfleet.runtime.front import Front, Upgrade
from pixelfleet.runtime.heartbeat import Heartbeat
from pixelfleet.runtime.http import add_health, errors_as_json, metrics_app, plain_port
from pixelfleet.runtime.service import background
from pixelfleet.runtime.websocket import WebSocket
from pixelfleet.wire import close_codes
from pixelfleet.wire.messages import PROTOCOL_VERSION, dump
from signalserver.exchange import Rules
from signalserver.hub import Hub
from signalserver.metrics import Metrics
from signalserver.reporter import Reporter
from signalserver.roster import Role
from signalserver.settings import Settings
from signalserver.switchboard import Switchboard
from signalserver.upgrades import Doors

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class SignalServer:
    """A running signalling server."""

    hub: Hub
    player_port: int = 0
    streamer_port: int = 0
    sfu_port: int = 0
    metrics_port: int = 0

    def unready(self) -> str | None:
        """Return why no player should be sent here."""
        return None if self.hub.switchboard.streamers() else "no streamer is connected"

    @property
    def players(self) -> int:
        """How many players are connected."""
        return len(self.hub.links(Role.PLAYER))

    @property
    def streamers(self) -> list[str]:
        """The ids of the streamers that players can have."""
        return [source.endpoint_id for source in self.hub.switchboard.streamers()]


@asynccontextmanager
async def running(settings: Settings, store: FleetStore | None = None) -> AsyncIterator[SignalServer]:
    """Run a signalling server; with a store it reports its streamers there."""
    metrics = Metrics()
    heartbeat = Heartbeat(settings.ping_interval, settings.pong_timeout)
    rules = Rules(
        legacy_streamers=settings.dialect == "legacy",
        identify_seconds=settings.identify_seconds,
        max_players_per_streamer=settings.max_players_per_streamer,
        max_bad_messages=settings.max_bad_messages,
    )
    hub = Hub(Switchboard[WebSocket](rules), metrics, heartbeat)
    server = SignalServer(hub)
    server_id = settings.server_id or uuid.uuid4().hex
    config = dump(
        {
            "type": "config",
            "peerConnectionOptions": settings.peer_connection_options(),
            "protocolVersion": PROTOCOL_VERSION,
        }
    )
    doors = Doors(hub, settings, server_id, lambda: config)

    def front(upgrade: Upgrade, host: str, port: int, option: str) -> Front:
        app = web.Application(middlewares=[errors_as_json])
        add_health(app, server)
        return Front(app, upgrade, host=host, port=port, option=option, bounds=doors.bounds)

    async with AsyncExitStack() as stack:
        players = await stack.enter_async_context(
            front(doors.player, settings.host, settings.player_port, "--player-port")
        )
        streamers = await stack.enter_async_context(
            front(doors.streamer, settings.streamer_host, settings.streamer_port, "--streamer-port")
        )
        sfus = await stack.enter_async_context(
            front(doors.sfu, settings.streamer_host, settings.sfu_port, "--sfu-port")
        )
        server.metrics_port = await stack.enter_async_context(
            plain_port(
                metrics_app(server, metrics.registries.all, metrics.registries.custom),
                host=settings.host,
                port=settings.metrics_port,
                option="--metrics-port",
            )
        )
        server.player_port, server.streamer_port, server.sfu_port = players.port, streamers.port, sfus.port
        tasks = [hub.run(), heartbeat.run()]
        if store is not None:
            url = settings.public_url or f"ws://{_dialled_host(settings.host)}:{players.port}"
            tasks.append(Reporter(store, hub, settings, server_id, url).run())
        await stack.enter_async_context(background(*tasks))
        stack.callback(hub.close_all, close_codes.RESTARTING)
        log.info("signalserver listens", players=players.port, streamers=streamers.port, sfus=sfus.port)
        yield server


def _dialled_host(host: str) -> str:
    """Return an address that can be dialled for one that is listened on."""
    return "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
