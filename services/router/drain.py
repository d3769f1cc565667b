"""The drain of a router: at once unready, closed to new players after the spread, done when the last player leaves.

After the spread, players whose pages can resume are closed, a few at a time: each returns to its session through
another router. All others may stay until the grace period is over.
"""

import asyncio
from typing import Final

import structlog

from pixelfleet.protocol import close_codes
from pixelfleet.service import drain
from router.players import Players

log = structlog.get_logger(__name__)

RETURN_SECONDS: Final = 3.0
"""The players whose pages can resume are closed over this time, so that they do not return all at once."""

RETURN_STEPS: Final = 30
"""The number of groups in which they are closed."""


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
        await self._send_away()
        while self._players and self.seconds_left:
            await self._departure(self.seconds_left)
        log.info("drained", players_left=len(self._players))

    async def _send_away(self) -> None:
        """Close the players whose pages can resume, in groups."""
        sockets = self._players.resumable()
        size = -(-len(sockets) // RETURN_STEPS)
        pause = min(RETURN_SECONDS, self.seconds_left) / RETURN_STEPS
        for start in range(0, len(sockets), size or 1):
            for socket in sockets[start : start + size]:
                socket.close(close_codes.RESTARTING)
            await asyncio.sleep(pause)
