"""Tells the fleet store what this server's streamers are doing: on every change, and on a heartbeat."""

import asyncio
import time
from contextlib import suppress
from typing import Final

import structlog

from pixelfleet.fleet.bounds import HEARTBEAT_SECONDS
from pixelfleet.fleet.model import ServerReport, StreamerReport
from pixelfleet.fleet.store import FleetStore, StoreUnavailableError
from pixelfleet.net.websocket import WebSocket
from signalserver.application.watch import ApplicationWatch
from signalserver.core.roster import Role, Source
from signalserver.core.sessions import Held
from signalserver.drain import Drain
from signalserver.hub import Hub
from signalserver.metrics import Metrics
from signalserver.settings import Settings

log = structlog.get_logger(__name__)

GOODBYE_SECONDS: Final = 2.0
"""How long the end may wait for the store to hear of it."""


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
        self._in_reach = True

    def report(self) -> ServerReport:
        """Return the state of every streamer that players can be sent to."""
        self._sequence += 1
        sessions = self._hub.sessions
        sessions.look(self._hub.switchboard.players())
        return ServerReport(
            server_id=self._server_id,
            sequence=self._sequence,
            streamers=tuple(
                self._streamer(source)
                for source in self._hub.switchboard.streamers()
                if source.peer.role is Role.STREAMER
            ),
            ended=sessions.ended(),
        )

    async def run(self) -> None:
        """Report until cancelled, then say that the streamers are gone."""
        try:
            while True:
                self._changed.clear()
                await self._tell(self.report())
                try:
                    async with asyncio.timeout(HEARTBEAT_SECONDS):
                        await self._changed.wait()
                except TimeoutError:
                    continue
        finally:
            self._sequence += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await self._tell(ServerReport(server_id=self._server_id, sequence=self._sequence))

    async def _tell(self, report: ServerReport) -> None:
        try:
            answer = await self._store.report(report)
        except StoreUnavailableError as error:
            if self._in_reach:
                log.warning("fleet store is out of reach; will report again", why=str(error))
            self._reached(False)
            return
        self._reached(True)
        if not answer.taken:
            # Another server with this id has reported since, or this one's clock was set back.
            self._sequence = max(self._sequence, time.time_ns() // 1000)
            log.warning("report refused: a later one is known", server=self._server_id)
            return
        self._hub.sessions.reported(report.ended)
        for session_id in answer.end:
            self._hub.end_session(session_id)

    def _reached(self, in_reach: bool) -> None:
        self._in_reach = in_reach
        self._metrics.matchmaker_open.set(int(in_reach))

    def _streamer(self, source: Source[WebSocket]) -> StreamerReport:
        settings, held = self._settings, self._hub.sessions.held.get(source.endpoint_id, Held())
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
            sessions=tuple(held.sessions),
            spectators=tuple(held.spectators),
            ready=self._watch.trouble is None,
            draining=self._drain.begun,
        )
