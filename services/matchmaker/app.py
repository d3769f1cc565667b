"""Assembles and runs a matchmaker."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import structlog
from aiohttp import web

from matchmaker.broker import Broker
from matchmaker.drain import Drain
from matchmaker.http.api import Api, store_errors
from matchmaker.http.contract import CONTRACT
from matchmaker.http.events import Events
from matchmaker.http.fleet_reader import FleetReader
from matchmaker.http.history import History
from matchmaker.http.invitations import Invitations
from matchmaker.http.reference_api import ReferenceApi
from matchmaker.legacy.known_dialects import LegacyDialects
from matchmaker.legacy.servers import LegacyServers
from matchmaker.metrics import FleetGauges, Metrics
from matchmaker.players import Players
from matchmaker.queue.notifier import QueueNotifier
from matchmaker.settings import Settings
from matchmaker.trunks import Trunks
from matchmaker.webhooks.service import open_webhooks
from pixelfleet.auth.guard import open_guard
from pixelfleet.auth.policy import AccessPolicy
from pixelfleet.fleet.invites import INVITE
from pixelfleet.fleet.open import open_store
from pixelfleet.fleet.operators import OperatorReader
from pixelfleet.fleet.store import FleetStore, StoreUnavailableError
from pixelfleet.net.access import TokenGuard
from pixelfleet.net.handshake import Decision
from pixelfleet.net.heartbeat import Heartbeat
from pixelfleet.net.http import cors, errors_as_json, health_handlers
from pixelfleet.net.openapi import OperatorToken
from pixelfleet.net.ports import SMALL_SHARE, metrics_port, plain_port
from pixelfleet.net.request_head import RequestHead
from pixelfleet.net.server import Server
from pixelfleet.net.tls import client_context, redirect_app, server_context
from pixelfleet.protocol import close_codes
from pixelfleet.service.lifecycle import Tasks, background
from pixelfleet.service.otel import open_tracing

INVITE_QUERY: Final = f"{INVITE}="
"""Part of the target of every request with an invite."""

log = structlog.get_logger(__name__)

DAY_SECONDS: Final = 86_400.0
RECORDS_SECONDS: Final = 60.0
"""The interval at which old records of sessions are removed."""


@dataclass(slots=True)
class Matchmaker:
    """A running matchmaker."""

    broker: Broker
    players: Players
    gauges: FleetGauges
    draining: Drain
    port: int = 0
    metrics_port: int = 0
    redirect_port: int = 0
    link_port: int | None = None

    def unready(self) -> str | None:
        """Return why this replica should get no players, or None.

        Once it was ready, an unavailable store is no reason: players wait here. A store that refuses this replica is
        one, because other replicas may have the right password.
        """
        if self.players.closing:
            return "shutting down"
        if self.players.broken:
            return "no signalling server can be reached from here"
        if self.broker.refused:
            return "the fleet store refuses this replica; its log has the reason"
        return "the fleet store is not ready" if self.broker.warming_up else None

    def warnings(self) -> tuple[str, ...]:
        """Return what an operator should change although this replica works."""
        return (self.broker.store_warning,) if self.broker.store_warning else ()

    async def drain(self) -> None:
        """Close waiting players, which reconnect to another replica, and let those with a streamer finish."""
        await self.draining.run()

    @property
    def queue(self) -> int:
        """The number of waiting players of this replica."""
        return len(self.broker.waiting)


@asynccontextmanager
async def running(settings: Settings, store: FleetStore | None = None) -> AsyncIterator[Matchmaker]:
    """Run a matchmaker with `store`, or with the fleet store of its settings."""
    async with AsyncExitStack() as stack:
        fleet = store if store is not None else await stack.enter_async_context(open_store(settings.store_url))
        tasks = await stack.enter_async_context(Tasks())
        metrics = Metrics()
        heartbeat = Heartbeat(settings.ping_interval, settings.pong_timeout)
        replica_id = uuid.uuid4().hex
        dialects = LegacyDialects(settings.legacy_rules)
        legacy_servers = LegacyServers(fleet, replica_id, settings, metrics, dialects)
        restored = asyncio.Event()
        restored.set()

        def on_restore() -> None:
            legacy_servers.report_all()
            restored.set()

        broker = Broker(fleet, replica_id, on_restore=on_restore)
        gauges = FleetGauges(fleet, settings.warm)
        metrics.watch_fleet(gauges)
        legacy_tls = await client_context(settings.legacy_ca, "--legacy-ca")
        tracing = await stack.enter_async_context(open_tracing("matchmaker"))
        players = Players(broker, settings, tasks, heartbeat, metrics, legacy_tls, dialects, tracing)
        drain = Drain(broker, players, spread_seconds=settings.spread_seconds, grace_seconds=settings.drain_seconds)
        matchmaker = Matchmaker(broker, players, gauges, drain)
        if settings.link_port is not None:
            matchmaker.link_port = await stack.enter_async_context(legacy_servers.listening(settings.link_port))
        webhooks = await stack.enter_async_context(open_webhooks(settings, fleet, replica_id, metrics.webhooks))
        players.admission_webhook = webhooks.admission
        events = await _open_ports(stack, matchmaker, fleet, settings, metrics, heartbeat)
        await stack.enter_async_context(
            background(
                broker.run(),
                broker.departures.run(),
                players.run(),
                heartbeat.run(),
                gauges.run(),
                QueueNotifier(broker, players.find, settings.queue_seconds).run(),
                legacy_servers.run(),
                legacy_servers.watch(),
                events.run(),
                *webhooks.work,
                _send_settings(fleet, settings, restored),
            )
        )
        stack.callback(players.close_all, close_codes.RESTARTING)
        log.info(
            "matchmaker listens",
            port=matchmaker.port,
            metrics=matchmaker.metrics_port,
            stock_servers=matchmaker.link_port,
        )
        yield matchmaker


async def _open_ports(
    stack: AsyncExitStack,
    matchmaker: Matchmaker,
    fleet: FleetStore,
    settings: Settings,
    metrics: Metrics,
    heartbeat: Heartbeat,
) -> Events:
    """Open the ports for players and the API, for plain HTTP and for metrics; return the API's event stream."""
    players = matchmaker.players
    reader = FleetReader(fleet)
    rest_token = TokenGuard(settings.rest_token, "--rest-token")
    events = Events(fleet, reader, names_players=rest_token.holds)
    app = web.Application(middlewares=[cors(settings.origins), errors_as_json, store_errors])
    operators = OperatorReader(settings.session_key, settings.trusted_proxies)
    invitations = Invitations(reader, settings.session_key)
    api = Api(
        fleet,
        reader,
        events,
        operators,
        invitations,
        kick_seconds=settings.kick_seconds,
        names_players=rest_token.holds,
    )
    history = History(fleet, recording=settings.history_sessions > 0)
    policy = AccessPolicy("players", settings.auth, links=True)
    guard = await stack.enter_async_context(
        open_guard(settings, origins=settings.origins, redeem=fleet.redeem, proxies=settings.trusted_proxies)
    )
    enter, webhook = partial(guard.check, policy), players.admission_webhook
    reference_api = ReferenceApi(fleet, reader, settings, enter, guard.redeem_link, lambda: players.closing, webhook)
    token = OperatorToken(rest_token, open_reads=settings.rest_api)
    handlers = {**health_handlers(matchmaker), **api.handlers(), **history.handlers(), **reference_api.handlers()}
    CONTRACT.add_to(app, handlers, token)
    authenticated = partial(players.admit, enter, guard.redeem_link)

    def admit(head: RequestHead) -> Decision | Coroutine[Any, Any, Decision]:
        """Admit a player without authentication, unless it has an invite."""
        return authenticated(head) if INVITE_QUERY in head.raw_path else players.take(head)

    decides = guard.authenticates(policy) or webhook
    trunks = Trunks(players, authenticated if decides else admit, heartbeat)
    server = Server(
        app,
        trunks.admit,
        host=settings.host,
        port=settings.port,
        option="--port",
        bounds=players.bounds,
        tls=await server_context(settings.tls_cert, settings.tls_key),
    )
    await stack.enter_async_context(server)
    stack.callback(events.close)
    stack.callback(trunks.close)
    matchmaker.port = server.port

    if settings.redirect_port is not None:
        redirect = redirect_app(server.port)
        matchmaker.redirect_port = await stack.enter_async_context(
            plain_port(
                redirect, host=settings.host, port=settings.redirect_port, option="--redirect-port", share=SMALL_SHARE
            )
        )
    matchmaker.metrics_port = await stack.enter_async_context(
        metrics_port(matchmaker, metrics.registries, host=settings.host, port=settings.metrics_port)
    )
    return events


async def _send_settings(store: FleetStore, settings: Settings, restored: asyncio.Event) -> None:
    """Write what all replicas share to the store: the policies and the number of records.

    It is repeated after a store reset, and the number of records every minute, which removes old ones.
    """
    while True:
        try:
            async with asyncio.timeout(RECORDS_SECONDS):
                await restored.wait()
        except TimeoutError:
            pass
        try:
            if restored.is_set():
                restored.clear()
                await store.set_policies(settings.app_policies)
            await store.keep_records(settings.history_sessions, settings.history_days * DAY_SECONDS)
        except StoreUnavailableError:
            restored.set()
            await asyncio.sleep(1.0)
