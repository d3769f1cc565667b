"""Ending without cutting anybody off."""

import asyncio

import structlog

from router.players import Players

log = structlog.get_logger(__name__)


class Drain:
    """The drain of one router: not ready at once, no new players a little later, and the end when the last one left."""

    def __init__(self, players: Players, *, spread_seconds: float, grace_seconds: float) -> None:
        self._players = players
        self._spread = min(spread_seconds, grace_seconds)
        self._grace = grace_seconds
        self._left = asyncio.Event()
        self.begun = False

    async def run(self) -> None:
        """Return when nobody plays any more, or the time is over."""
        self.begun = True
        self._players.on_leave = self._left.set
        log.info("draining", players=len(self._players), seconds=self._grace)
        # Whoever sends players here learns late that this router goes, and they are served until then.
        await asyncio.sleep(self._spread)
        self._players.closing = True
        try:
            async with asyncio.timeout(self._grace - self._spread):
                while len(self._players):
                    self._left.clear()
                    await self._left.wait()
        except TimeoutError:
            log.info("drained", players_left=len(self._players))
