"""The drain of a router: at once unready, closed to new players after the spread, done when the last player leaves."""

import asyncio

import structlog

from pixelfleet.service import drain
from router.players import Players

log = structlog.get_logger(__name__)


class Drain(drain.Drain):
    """The drain of one router."""

    def __init__(self, players: Players, *, spread_seconds: float, grace_seconds: float) -> None:
        super().__init__(players.left, spread_seconds=spread_seconds, grace_seconds=grace_seconds)
        self._players = players

    def _begin(self) -> None:
        log.info("draining", players=len(self._players), seconds=self._grace_seconds)

    async def _drain(self) -> None:
        await asyncio.sleep(self._spread_left)
        self._players.closing = True
        while self._players and self.seconds_left:
            await self._departure(self.seconds_left)
        log.info("drained", players_left=len(self._players))
