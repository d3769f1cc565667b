"""The drain of a signalling server: players are notified and may finish until the deadline; new ones are refused."""

import asyncio
from enum import Enum

import structlog

from pixelfleet.protocol import close_codes
from pixelfleet.service import drain
from signalserver.core.roster import Role
from signalserver.hub import Hub, PeerConnection
from signalserver.metrics import Metrics

log = structlog.get_logger(__name__)


class DrainState(Enum):
    """The phases of a drain."""

    SERVING = "serving"
    SPREADING = "spreading"
    """Not ready, but players are still accepted: matchmakers may not have noticed the drain yet."""
    DRAINING = "draining"
    DRAINED = "drained"


class Drain(drain.Drain):
    """The drain of one server."""

    def __init__(self, hub: Hub, metrics: Metrics, *, spread_seconds: float, grace_seconds: float) -> None:
        super().__init__(hub.left, spread_seconds=spread_seconds, grace_seconds=grace_seconds)
        self._hub = hub
        self._metrics = metrics
        self.state = DrainState.SERVING

    @property
    def takes_players(self) -> bool:
        """Whether new players are accepted."""
        return self.state in (DrainState.SERVING, DrainState.SPREADING)

    def notify(self, connection: PeerConnection) -> None:
        """Send a player the remaining seconds."""
        seconds = round(self.seconds_left)
        self._hub.send(connection, {"type": "sigterm", "message": "stream will shutdown", "secondsLeft": seconds})

    def _begin(self) -> None:
        self.state = DrainState.SPREADING
        self._metrics.draining.set(1)
        self._hub.withdraw()
        log.info("draining", players=self._hub.count(Role.PLAYER), seconds=self._grace_seconds)
        for connection in self._hub.connections(Role.PLAYER):
            self.notify(connection)

    async def _drain(self) -> None:
        """Wait for the players to leave; close the rest with a code that makes them reconnect to another server."""
        try:
            await asyncio.sleep(self._spread_left)
            self.state = DrainState.DRAINING
            while self._hub.count(Role.PLAYER) and self.seconds_left:
                await self._departure(self.seconds_left)
        finally:
            self.state = DrainState.DRAINED
        remaining = self._hub.connections(Role.PLAYER)
        log.info("drained", players_left=len(remaining))
        for connection in remaining:
            self._hub.close(connection, close_codes.RESTARTING)
