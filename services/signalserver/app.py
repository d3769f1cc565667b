"""Starts a signalling server: builds its parts, opens its ports and runs its tasks."""

import asyncio
import ssl
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter

import aiohttp
import structlog
from aiohttp import web

from pixelfleet.fleet.audit import Audit
from pixelfleet.fleet.open import open_store
from pixelfleet.fleet.store import FleetStore
from pixelfleet.net.access import TokenGuard
from pixelfleet.net.addresses import local_host
from pixelfleet.net.handshake import Admit, Damped
from pixelfleet.net.heartbeat import Heartbeat
from pixelfleet.net.http import add_health, cors, errors_as_json, health_handlers
from pixelfleet.net.openapi import OperatorToken
from pixelfleet.net.ports import SMALL_SHARE, metrics_port, plain_port
from pixelfleet.net.request_head import RequestHead
from pixelfleet.net.server import Server
from pixelfleet.net.tls import redirect_app, server_context, valid_until
from pixelfleet.service.lifecycle import Tasks, background
from pixelfleet.service.otel import open_tracing
from signalserver.admission import NEW, PeerAdmission
from signalserver.application.calls import Application
from signalserver.application.watch import ApplicationWatch
from signalserver.config_wait import ConfigWaits
from signalserver.contract import CONTRACT
from signalserver.core.outputs import Call
from signalserver.core.roster import Role
from signalserver.drain import Drain
from signalserver.hub import Hub, OnCall, PeerConnection
from signalserver.hub_of import hub_of
from signalserver.launcher.choice import launcher_of, work_of
from signalserver.launcher.launcher import Launcher
from signalserver.legacy.matchmaker_link import MatchmakerLink
from signalserver.metrics import Metrics
from signalserver.peer_socket import PeerSocket
from signalserver.pod_marks import marking
from signalserver.reporter import Reporter
from signalserver.rest import Rest
from signalserver.returns import Returns
from signalserver.rtc_config import RtcConfigSource
from signalserver.settings import Settings
from signalserver.static_page import add_page

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class SignalServer:
    """A running signalling server."""

    hub: Hub
    draining: Drain
    watch: ApplicationWatch
    launcher: Launcher | None = None
    player_port: int = 0
    streamer_port: int = 0
    sfu_port: int = 0
    metrics_port: int = 0
    redirect_port: int = 0

    def unready(self) -> str | None:
        """Return the reason why the server is not ready for players, or None."""
        if self.draining.begun:
            return "draining"
        if self.watch.trouble is not None:
            return self.watch.trouble
        if self.launcher is not None and self.launcher.trouble is not None:
            return self.launcher.trouble
        return None if self.hub.switchboard.streamers() else "no streamer is connected"

    async def drain(self) -> None:
        """Drain: wait for the players to leave, and close the rest at the deadline."""
        await self.draining.run()

    @property
    def players(self) -> int:
        """The number of connected players."""
        return self.hub.count(Role.PLAYER)

    @property
    def streamers(self) -> list[str]:
        """The ids of the listed streamers."""
        return [source.endpoint_id for source in self.hub.switchboard.streamers()]


@asynccontextmanager
async def running(settings: Settings, store: FleetStore | None = None) -> AsyncIterator[SignalServer]:
    """Run a signalling server. It reports its streamers to `store`, or to the store in its settings, if any."""
    metrics = Metrics()
    heartbeat = Heartbeat(settings.ping_interval, settings.pong_timeout)
    watch = ApplicationWatch(perf_counter(), settings.start_seconds, settings.stall_seconds)
    server_id = settings.server_id or uuid.uuid4().hex

    async with AsyncExitStack() as stack:
        tasks = await stack.enter_async_context(Tasks())
        session = await stack.enter_async_context(_http_session())
        on_call = _control(settings, session, tasks, metrics) if settings.ue_rest_endpoint else None
        tracing = await stack.enter_async_context(open_tracing("signalserver"))
        hub = hub_of(settings, tracing, metrics, heartbeat, watch, on_call)
        drain = Drain(hub, metrics, spread_seconds=settings.spread_seconds, grace_seconds=settings.drain_seconds)
        launcher = launcher_of(settings, hub, metrics)
        server = SignalServer(hub, drain, watch, launcher)
        if store is None and settings.store_url:
            store = await stack.enter_async_context(open_store(settings.store_url))
        config = await _rtc_config(stack, settings, session, metrics)
        waits = ConfigWaits(config, metrics, tasks)
        returns = Returns(hub, drain, metrics, settings, server_id, waits)
        admission = PeerAdmission(hub, drain, metrics, settings, server_id, waits, returns, launcher)
        ports = _Ports(settings, server, metrics, stack)
        metrics.watch_handshakes(ports.handshakes_timed_out)
        players = await ports.players(
            admission.player, _rest(settings, hub, drain, tasks, server_id, Audit(store, "signalserver"))
        )
        server.player_port = players.port
        url = returns.url = settings.public_url or _own_url(settings, players.port)
        server.streamer_port = await ports.trusted(admission.streamer, settings.streamer_port, "--streamer-port")
        server.sfu_port = await ports.trusted(admission.sfu, settings.sfu_port, "--sfu-port")
        server.metrics_port = await stack.enter_async_context(
            metrics_port(server, metrics.registries, host=settings.host, port=settings.metrics_port)
        )
        work = [hub.run(), heartbeat.run()]
        if store is not None:
            work.append(Reporter(store, hub, drain, watch, metrics, settings, server_id, url, launcher, waits).run())
        if settings.matchmaker:
            work.append(MatchmakerLink(hub, server.unready, metrics, settings.matchmaker, url).run())
        work += await work_of(launcher, settings, session, server.streamer_port)
        await stack.enter_async_context(background(*work))
        await stack.enter_async_context(marking(settings, session, hub, metrics))
        stack.callback(hub.stop)
        log.info(
            "signalserver listens",
            players=server.player_port,
            streamers=server.streamer_port,
            sfus=server.sfu_port,
            metrics=server.metrics_port,
        )
        yield server


async def _rtc_config(
    stack: AsyncExitStack, settings: Settings, session: aiohttp.ClientSession, metrics: Metrics
) -> RtcConfigSource:
    """Return the source of `config` messages, after its first request or the timeout for that."""
    fixed = await asyncio.to_thread(settings.peer_connection_options)
    config = RtcConfigSource(
        session,
        fixed=fixed,
        url=None if fixed else settings.rtc_config_url or None,
        max_age=settings.rtc_config_max_age,
        request_seconds=settings.rtc_config_seconds,
        per_session=settings.rtc_config_session_seconds > 0,
        session_seconds=settings.rtc_config_session_seconds,
    )
    await stack.enter_async_context(background(config.run()))
    await config.first_answer(settings.rtc_config_first_seconds)
    metrics.watch_config(config)
    return config


def _rest(settings: Settings, hub: Hub, drain: Drain, tasks: Tasks, server_id: str, audit: Audit) -> Rest:
    return Rest(
        hub=hub,
        drain=drain,
        tasks=tasks,
        config=settings.shown(),
        proxies=settings.trusted_proxies,
        started=perf_counter(),
        server_id=server_id,
        audit=audit,
    )


@dataclass(slots=True)
class _Ports:
    """The listening ports."""

    settings: Settings
    server: SignalServer
    metrics: Metrics
    stack: AsyncExitStack
    opened: list[Server] = field(default_factory=list)

    def handshakes_timed_out(self) -> int:
        """Return the number of connections that were closed because they sent no request in time."""
        return sum(opened.handshakes_timed_out for opened in self.opened)

    async def players(self, admit: Admit, rest: Rest) -> Server:
        """Open the port for players, with the REST API and, according to the settings, a page and TLS."""
        settings = self.settings
        app = web.Application(middlewares=[cors(settings.origins), errors_as_json])
        token = OperatorToken(TokenGuard(settings.rest_token, "--rest-token"), open_reads=settings.rest_api)
        CONTRACT.add_to(app, {**health_handlers(self.server), **rest.handlers()}, token)
        if settings.serve:
            await add_page(app, settings.http_root, settings.homepage)
        tls = await server_context(settings.tls_cert, settings.tls_key)
        if settings.tls_cert is not None:
            self.metrics.registries.certificate(await valid_until(settings.tls_cert))
        opened = await self._open(
            app, admit, settings.host, settings.player_port, "--player-port", tls=tls, damped=_is_direct
        )
        if settings.redirect_port is not None:
            self.server.redirect_port = await self.stack.enter_async_context(
                plain_port(
                    redirect_app(opened.port),
                    host=settings.host,
                    port=settings.redirect_port,
                    option="--redirect-port",
                    share=SMALL_SHARE,
                )
            )
        return opened

    async def trusted(self, admit: Admit, port: int, option: str) -> int:
        """Open a port for streamers or SFUs."""
        app = web.Application(middlewares=[errors_as_json])
        add_health(app, self.server)
        opened = await self._open(app, admit, self.settings.streamer_host, port, option, host_option="--streamer-host")
        return opened.port

    async def _open(
        self,
        app: web.Application,
        admit: Admit,
        host: str,
        port: int,
        option: str,
        *,
        host_option: str = "--host",
        tls: ssl.SSLContext | None = None,
        damped: Damped = lambda _: False,
    ) -> Server:
        bounds = self.settings.bounds()
        opened = Server(
            app,
            admit,
            host=host,
            port=port,
            option=option,
            host_option=host_option,
            bounds=bounds,
            tls=tls,
            damped=damped,
        )
        self.opened.append(opened)
        return await self.stack.enter_async_context(opened)


def _is_direct(request: RequestHead) -> bool:
    """Return whether a player is not relayed by a matchmaker or a router, which dial for many from one address."""
    if "session=" in request.raw_path:  # as both write it; to parse the query of each player twice is not worth it
        return False
    return request.query.get("resume", NEW) == NEW


def _own_url(settings: Settings, port: int) -> str:
    """Return the server's websocket URL for settings without --public-url."""
    scheme = "wss" if settings.tls_cert else "ws"
    return f"{scheme}://{local_host(settings.host)}:{port}"


def _http_session() -> aiohttp.ClientSession:
    """Return a client that shares no cookies among players and reuses no connections, which could break in a call."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True), cookie_jar=aiohttp.DummyCookieJar())


def _control(settings: Settings, session: aiohttp.ClientSession, tasks: Tasks, metrics: Metrics) -> OnCall:
    """Return the function that starts players' calls to the application."""
    application = Application(
        session,
        settings.ue_rest_endpoint,
        settings.control_paths,
        seconds=settings.control_seconds,
        answer_bytes=settings.control_answer_bytes,
        calls_per_player=settings.control_calls_per_player,
        calls=settings.control_calls,
    )
    metrics.watch_calls(application.outcomes)

    async def answer(connection: PeerConnection, call: Call[PeerSocket]) -> None:
        message = await application.call(call.action, call.payload, player=connection.peer_id, spectator=call.watches)
        connection.hub.send(connection, message)

    def on_call(connection: PeerConnection, call: Call[PeerSocket]) -> None:
        tasks.spawn(answer(connection, call))

    return on_call
