"""Reports this server's streamers to the fleet store: on every change, and as a heartbeat."""

import asyncio
import time
from collections.abc import Mapping, Set
from contextlib import suppress
from time import perf_counter
from typing import Final

import structlog

from pixelfleet.fleet.bounds import HEARTBEAT_SECONDS
from pixelfleet.fleet.model import ServerReport, StreamerReport
from pixelfleet.fleet.records import SessionFacts
from pixelfleet.fleet.store import FleetStore, StoreUnavailableError
from signalserver.application.watch import ApplicationWatch
from signalserver.config_wait import ConfigWaits
from signalserver.core.limits import warned_sessions
from signalserver.core.roster import Role, Source
from signalserver.core.sessions import StreamerSessions, direct_session
from signalserver.drain import Drain
from signalserver.hub import Hub
from signalserver.launcher.launcher import Launcher
from signalserver.metrics import Metrics
from signalserver.peer_socket import PeerSocket
from signalserver.settings import Settings

log = structlog.get_logger(__name__)

RETRY_SECONDS: Final = 0.5
"""The interval of attempts while the store is unavailable. A store that returns empty matches nobody for
WARM_UP_SECONDS: by then it must have this server's report."""

FINAL_REPORT_SECONDS: Final = 2.0
"""The timeout of the last report, at shutdown."""


class Reporter:
    """Sends the reports of one server."""

    def __init__(
        self,
        store: FleetStore,
        hub: Hub,
        drain: Drain,
        watch: ApplicationWatch,
        metrics: Metrics,
        settings: Settings,
        server_id: str,
        url: str,
        launcher: Launcher | None = None,
        waits: ConfigWaits | None = None,
    ) -> None:
        self._store = store
        self._hub = hub
        self._changed = hub.watch()
        self._drain = drain
        self._watch = watch
        self._metrics = metrics
        self._settings = settings
        self._server_id = server_id
        self._url = url
        self._launcher = launcher
        self._waits = waits
        # Starts at the clock, so that reports of a restarted server with the same id have higher numbers.
        self._sequence = time.time_ns() // 1000
        self._available = True

    def report(self) -> ServerReport:
        """Return a report with the next sequence number and the state of every listed streamer."""
        self._sequence += 1
        sessions = self._hub.sessions
        sessions.update(self._hub.switchboard.players())
        if self._waits is not None:
            sessions.add_admitted(self._waits.admissions())  # They may wait longer than a lease lasts.
        # A new process of the application will replace the awaited streamers: they are reported as not ready.
        awaited = self._launcher.awaited if self._launcher is not None else []
        away, ready = self._hub.away_sessions(), self._ready()
        warned = warned_sessions(self._hub.switchboard.players())
        return ServerReport(
            server_id=self._server_id,
            sequence=self._sequence,
            streamers=tuple(
                self._streamer(source, away, warned, ready=ready)
                for source in (*awaited, *self._hub.switchboard.streamers())
                if source.peer.role is Role.STREAMER
            ),
            ended=sessions.ended(),
            facts=self._facts(),
        )

    def _facts(self) -> dict[str, SessionFacts]:
        """Return what has changed of the sessions, with the times of their ends by a limit."""
        switchboard, now = self._hub.switchboard, perf_counter()
        for player in switchboard.players():
            rules = switchboard.session_rules(player)
            if not (rules.any or player.time.longest):
                continue
            remaining = player.time.remaining(now, rules) if player.time.started is not None else None
            ends_at = None if remaining is None else time.time() + remaining.seconds
            session = player.admission.session_id if player.admission else direct_session(player.player_id)
            self._hub.ledger.set_end(session, ends_at)
        return self._hub.ledger.changes()

    async def run(self) -> None:
        """Report until cancelled, then report that there are no streamers."""
        try:
            while True:
                self._changed.clear()
                await self._send(self.report())
                try:
                    async with asyncio.timeout(HEARTBEAT_SECONDS if self._available else RETRY_SECONDS):
                        await self._changed.wait()
                except TimeoutError:
                    continue
        finally:
            self._sequence += 1
            last = ServerReport(server_id=self._server_id, sequence=self._sequence, facts=self._facts())
            with suppress(TimeoutError):
                async with asyncio.timeout(FINAL_REPORT_SECONDS):
                    await self._send(last)

    async def _send(self, report: ServerReport) -> None:
        try:
            answer = await self._store.report(report)
        except StoreUnavailableError as error:
            if self._available:
                log.warning("fleet store unavailable", why=str(error))
            self._set_available(False)
            return
        self._set_available(True)
        if not answer.taken:
            # Another server with this id has sent a later report, or this server's clock was set back.
            self._sequence = max(self._sequence, time.time_ns() // 1000)
            log.warning("report refused: the store has a later one", server=self._server_id)
            return
        self._hub.sessions.reported(report.ended)
        self._hub.ledger.reported(report.facts)
        for session_id in answer.end:
            self._hub.end_session(session_id)
        for session_id, seconds in answer.extend:
            self._hub.extend_session(session_id, seconds)

    def _set_available(self, available: bool) -> None:
        self._available = available
        self._metrics.matchmaker_open.set(int(available))

    def _ready(self) -> bool:
        return self._watch.trouble is None and (self._launcher is None or self._launcher.trouble is None)

    def _streamer(
        self, source: Source[PeerSocket], away: Set[str], warned: Mapping[str, str], *, ready: bool
    ) -> StreamerReport:
        settings, present = self._settings, self._hub.sessions.by_streamer.get(source.endpoint_id, StreamerSessions())
        names = (*present.sessions, *present.spectators)
        return StreamerReport(
            server_id=self._server_id,
            endpoint_id=source.endpoint_id,
            app=settings.app,
            url=self._url,
            rest_url=settings.ue_rest_endpoint,
            dialect=source.dialect.value,
            capacity=settings.capacity,
            labels=settings.labels,
            node=settings.node,
            sessions=tuple(present.sessions),
            spectators=tuple(present.spectators),
            guests=tuple(present.guests),
            away=tuple(name for name in names if name in away) if away else (),
            warned=tuple(f"{name} {warned[name]}" for name in names if name in warned) if warned else (),
            ready=ready,
            draining=self._drain.begun,
            gives_input=source.gives_input,
        )
