"""Keeps the application of a signalling server running, and replaces it after its last session."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from time import perf_counter
from typing import Any, Final

import structlog

from pixelfleet.protocol import close_codes
from pixelfleet.service.backoff import DEFAULT_BACKOFF
from signalserver.core.roster import Role, Source, Subscriber
from signalserver.core.sessions import direct_session
from signalserver.hub import Hub
from signalserver.launcher.lifecycle import TROUBLES, Lifecycle, Phase, Present
from signalserver.launcher.means import EndError, Means
from signalserver.metrics import Metrics
from signalserver.peer_socket import PeerSocket

log = structlog.get_logger(__name__)

TICK_SECONDS: Final = 0.25


class Launcher:
    """The application of one server.

    The end of the last session is recognised in the same step of the event loop, and no player is admitted from then
    on. The decision follows in the next step, because a page that negotiates again leaves and arrives in one step.
    """

    def __init__(
        self,
        hub: Hub,
        metrics: Metrics,
        lifecycle: Lifecycle,
        *,
        start_seconds: float = 300.0,
        chance: Callable[[], float] = random.random,
        retry: Callable[[int, float], float] = DEFAULT_BACKOFF.delay,
    ) -> None:
        """A player waits at most `start_seconds` for a process with its launch parameters.

        `retry` returns the seconds until the next attempt to end the application, for failures and a chance.
        """
        self._hub = hub
        self._metrics = metrics
        self._lifecycle = lifecycle
        self._start_seconds = start_seconds
        self._chance, self._retry = chance, retry
        self._shown = lifecycle.phase
        self._in_phase = {phase: asyncio.Event() for phase in Phase}
        self._preparing = 0
        """The number of players that wait for a process with their launch parameters."""
        self._deciding = False
        self._continued: set[PeerSocket] = set()
        """Players that continue an ended session and are not subscribed yet."""
        self._hosted = False
        """Whether the present process has had a session of a player that is not a spectator."""
        self._failure: str | None = None
        self.launch: Mapping[str, str] = {}
        """The launch parameters of the present process, and of the next one while the present one is being ended."""
        self.session: str | None = None
        """The id of the first present session, or of the last one while the application is being ended."""
        self.awaited: list[Source[PeerSocket]] = []
        """The streamers that were disconnected for a restart, until one is connected again."""
        metrics.watch_application(lifecycle.restarts)
        hub.on_change = self._observe

    @property
    def trouble(self) -> str | None:
        """Why no session can begin, or None."""
        if self._deciding:
            return TROUBLES[Phase.RESTARTING]
        return self._failure or self._lifecycle.trouble

    @property
    def accepts_streamers(self) -> bool:
        """Whether a streamer that connects now belongs to the present process."""
        return not self._deciding and self._lifecycle.accepts_streamers

    def refuses(self, *, matched: bool) -> str | None:
        """Return why a new player is refused, or None. A player without a match may wait for the first streamer."""
        self._observe()
        starting = not matched and self._lifecycle.phase is Phase.STARTING
        return None if starting and not self._deciding else self.trouble

    def prepare(self, launch: Mapping[str, str], session: str | None) -> Coroutine[Any, Any, None] | None:
        """Give the next session a process with its launch parameters.

        Return what to wait for before the player is connected, or None if nothing is to be done. A player that joins
        others gets their process.
        """
        if launch == self.launch:
            return None
        if self._preparing or not self._lifecycle.launch():
            log.info("launch parameters ignored", why="the application is in use", session=session, launch=launch)
            return None
        self.launch = launch
        self._show()
        return self._prepared()

    async def _prepared(self) -> None:
        self._preparing += 1
        try:
            async with asyncio.timeout(self._start_seconds):
                await self._in_phase[Phase.READY].wait()
        except TimeoutError:
            return
        finally:
            self._preparing -= 1

    async def run(self, means: Means) -> None:
        """Keep the application running until cancelled, and end it then if it was started here."""
        ticks = asyncio.create_task(self._tick())
        try:
            while True:
                await self._run_once(means)
                self._disconnect_streamers()
                self._hosted, self._failure = False, None
                if not self._lifecycle.prepares:  # Parameters with which it crashed are not tried again.
                    self.launch = {}
                self._lifecycle.ended(perf_counter(), self._chance())
                self._show()
                await self._in_phase[Phase.STARTING].wait()
        finally:
            ticks.cancel()
            await means.close()

    async def _run_once(self, means: Means) -> None:
        """Start the application, and return when it has ended: by itself, or because it was to end."""
        try:
            await means.start()
        except OSError as error:
            log.error("application not started", why=str(error))
            return
        ends = {asyncio.create_task(means.crashed()), asyncio.create_task(self._in_phase[Phase.RESTARTING].wait())}
        notice = asyncio.create_task(self._notice(means))
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*ends, notice):
                task.cancel()
            await asyncio.wait({*ends, notice})
        if self._lifecycle.phase is Phase.RESTARTING:
            await self._end(means)
        else:
            log.warning("application crashed", phase=self._lifecycle.phase.value, session=self.session)

    async def _notice(self, means: Means) -> None:
        await self._in_phase[Phase.READY].wait()
        await means.connected()

    async def _end(self, means: Means) -> None:
        """End the application; repeat it until it succeeds, because the old process must get no further session."""
        in_a_row = 0
        while True:
            try:
                await means.end()
            except EndError as error:
                in_a_row += 1
                self._metrics.application_end_failures.inc()
                self._failure = str(error)
                if in_a_row == 1:
                    log.warning("application not ended", why=self._failure)
                await asyncio.sleep(self._retry(in_a_row, self._chance()))
            else:
                return

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self._lifecycle.tick(perf_counter())
            self._observe()
            self._show()

    # -- the state of the server --------------------------------------------------------------------

    def _observe(self) -> None:
        """Take the server's state; called in the same step in which it changes."""
        if self._deciding:
            return
        present = self._present()
        if self._lifecycle.must_end(present):
            self._deciding = True
            before = frozenset(player.peer.key for player in self._hub.switchboard.players())
            asyncio.get_running_loop().call_soon(self._decide, before)
        else:
            self._take(present)

    def _decide(self, before: frozenset[PeerSocket]) -> None:
        """Restart the application, unless a player has arrived since `before`: it can only continue its session."""
        self._deciding = False
        arrived = {player.peer.key for player in self._hub.switchboard.players()} - before
        self._continued.update(arrived)
        present = self._present()
        self._take(present if arrived else replace(present, sessions=0, subscribed=True))

    def _take(self, present: Present) -> None:
        seconds = self._lifecycle.observe(perf_counter(), present)
        if seconds is not None:
            self._metrics.application_ready.observe(seconds)
            log.info("application ready again", seconds=round(seconds, 3))
        self._show()

    def _present(self) -> Present:
        players = self._hub.switchboard.players()
        self._continued &= {player.peer.key for player in players if player.subscribed_to is None}
        sessions = [player for player in players if self._is_session(player)]
        hosts = [player for player in sessions if not _joins(player)]
        self._hosted = self._hosted or bool(hosts)
        if sessions:
            self.session = _session_of((hosts or sessions)[0])
        return Present(
            streamers=sum(source.peer.role is Role.STREAMER for source in self._hub.switchboard.streamers()),
            sessions=len(hosts) if self._hosted else len(sessions),
            subscribed=any(player.subscribed_to is not None for player in players),
        )

    def _is_session(self, player: Subscriber[PeerSocket]) -> bool:
        return player.admission is not None or player.subscribed_to is not None or player.peer.key in self._continued

    def _disconnect_streamers(self) -> None:
        """Close every streamer and SFU: they belong to the old process."""
        for role in (Role.STREAMER, Role.SFU):
            for connection in self._hub.connections(role):
                self._hub.close(connection, close_codes.RESTARTING)

    def _show(self) -> None:
        """Log and announce a change of the phase, and wake what waits for it."""
        phase = self._lifecycle.phase
        if phase is self._shown:
            return
        self._in_phase[self._shown].clear()
        self._in_phase[phase].set()
        level = log.warning if phase in (Phase.BACKING_OFF, Phase.FAILED) else log.info
        level("application " + phase.value, was=self._shown.value, session=self.session)
        self._shown = phase
        if phase in (Phase.READY, Phase.IN_SESSION):
            self.awaited = []
        elif phase is Phase.STARTING:
            self.session = None
        elif phase is Phase.RESTARTING:
            self.awaited = self._hub.switchboard.streamers()
            self._disconnect_streamers()
        self._hub.announce()


def _joins(player: Subscriber[PeerSocket]) -> bool:
    return player.admission is not None and player.admission.joins


def _session_of(player: Subscriber[PeerSocket]) -> str:
    return player.admission.session_id if player.admission is not None else direct_session(player.player_id)
