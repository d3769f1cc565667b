"""Ending without cutting anybody off: take no more players, tell those who play, wait for the last to leave."""

import asyncio
from enum import Enum
from typing import Final

import structlog

from pixelfleet.protocol import close_codes
from signalserver.core.roster import Role
from signalserver.hub import Hub, Link
from signalserver.metrics import Metrics

log = structlog.get_logger(__name__)

POLL_SECONDS: Final = 0.1


class DrainState(Enum):
    """How far a drain is."""

    SERVING = "serving"
    SPREADING = "spreading"
    """Not ready any more, but whoever was sent here before that is known is still taken."""
    DRAINING = "draining"
    DRAINED = "drained"


class Drain:
    """The drain of one server. It begins once; whoever asks later waits for the same end."""

    def __init__(self, hub: Hub, metrics: Metrics, *, spread_seconds: float, grace_seconds: float) -> None:
        self._hub = hub
        self._metrics = metrics
        self._spread = spread_seconds
        self._grace = grace_seconds
        self._done = asyncio.Event()
        self._deadline = 0.0
        self._running = False
        self._stayed = 0
        self.state = DrainState.SERVING

    @property
    def begun(self) -> bool:
        """Whether the server is on its way out."""
        return self.state is not DrainState.SERVING

    @property
    def takes_players(self) -> bool:
        """Whether a player that comes now is let in."""
        return self.state in (DrainState.SERVING, DrainState.SPREADING)

    def tell(self, link: Link) -> None:
        """Tell a player that the end comes, and how many seconds are left."""
        left = max(0.0, self._deadline - asyncio.get_running_loop().time())
        self._hub.say(link, {"type": "sigterm", "message": "stream will shutdown", "secondsLeft": round(left)})

    def begin(self) -> None:
        """Be on the way out from now on, and tell the players; a second time this does nothing."""
        if self.begun:
            return
        self._deadline = asyncio.get_running_loop().time() + self._grace
        self.state = DrainState.SPREADING
        self._metrics.draining.set(1)
        self._hub.withdraw()
        log.info("draining", players=self._hub.count(Role.PLAYER), seconds=self._grace)
        for link in self._hub.links(Role.PLAYER):
            self.tell(link)

    async def run(self) -> bool:
        """Drain, and close the players who stayed; return whether there was none such.

        Those are to come back at once: to another server, since this one takes nobody any more.
        """
        if self._running:
            await self._done.wait()
            return not self._stayed
        self._running = True
        self.begin()
        loop = asyncio.get_running_loop()
        spread_until = min(loop.time() + self._spread, self._deadline)
        try:
            while loop.time() < self._deadline:
                if loop.time() >= spread_until:
                    self.state = DrainState.DRAINING
                    if self._hub.count(Role.PLAYER) == 0:
                        break
                await asyncio.sleep(POLL_SECONDS)
        finally:
            self.state = DrainState.DRAINED
            self._done.set()
        stayed = self._hub.links(Role.PLAYER)
        self._stayed = len(stayed)
        log.info("drained", players_left=self._stayed)
        for link in stayed:
            self._hub.close(link, close_codes.RESTARTING)
        return not stayed

    async def wait(self) -> None:
        """Wait until the last player has left or the time is over."""
        await self._done.wait()
