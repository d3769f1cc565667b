"""Tells the fleet store what this server's streamers are doing: on every change, and on a heartbeat."""

import asyncio
import time

import structlog

from pixelfleet.fleet.model import HEARTBEAT_SECONDS, StreamerReport
from pixelfleet.fleet.store import FleetStore, StoreUnavailableError
from signalserver.application_watch import ApplicationWatch
from signalserver.drain import Drain
from signalserver.hub import Hub
from signalserver.metrics import Metrics
from signalserver.roster import Role
from signalserver.settings import Settings

log = structlog.get_logger(__name__)


class Reporter:
    """Owns the reports of one server."""

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
        # Begins at the clock, so that a restarted server with the same id is newer than it was before.
        self._sequence = time.time_ns() // 1000

    def reports(self) -> list[StreamerReport]:
        """Return the state of every streamer that players can be sent to."""
        self._sequence += 1
        sessions = self._sessions()
        return [
            StreamerReport(
                server_id=self._server_id,
                endpoint_id=source.endpoint_id,
                app=self._settings.app,
                url=self._url,
                dialect=source.dialect.value,
                capacity=self._settings.capacity,
                labels=self._settings.labels,
                sessions=tuple(sessions.get(source.endpoint_id, ())),
                ready=self._watch.trouble is None,
                draining=self._drain.begun,
                sequence=self._sequence,
            )
            for source in self._hub.switchboard.streamers()
            if source.peer.role is Role.STREAMER
        ]

    async def run(self) -> None:
        """Report until cancelled, then say that the streamers are gone."""
        try:
            while True:
                self._changed.clear()
                await self._report(self.reports())
                try:
                    async with asyncio.timeout(HEARTBEAT_SECONDS):
                        await self._changed.wait()
                except TimeoutError:
                    continue
        finally:
            self._sequence += 1
            await self._report([])

    async def _report(self, reports: list[StreamerReport]) -> None:
        try:
            await self._store.report(reports, server_id=self._server_id, sequence=self._sequence)
            self._metrics.matchmaker_open.set(1)
        except StoreUnavailableError as error:
            self._metrics.matchmaker_open.set(0)
            log.warning("fleet store is out of reach; will report again", why=str(error))

    def _sessions(self) -> dict[str, list[str]]:
        """Return the sessions held, by endpoint: a leased player counts from its arrival, others when subscribed."""
        held: dict[str, list[str]] = {}
        for player in self._hub.switchboard.players():
            if player.admission is not None:
                held.setdefault(player.admission.endpoint_id, []).append(player.admission.session_id)
            elif player.subscribed_to is not None:
                held.setdefault(player.subscribed_to.endpoint_id, []).append(f"direct-{player.player_id}")
        return held
