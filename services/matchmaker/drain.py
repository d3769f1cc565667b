"""The drain of a replica: players that wait go to another one, and players with a streamer may finish."""

import asyncio
from itertools import islice
from typing import Final

import structlog

from matchmaker.broker import BATCH_SIZE, Broker
from matchmaker.players import Players
from pixelfleet.protocol import close_codes
from pixelfleet.service import drain

log = structlog.get_logger(__name__)

POLL_SECONDS: Final = 0.5
"""Interval at which players are closed that wait again because a dial failed."""

CLOSE_SECONDS: Final = 3.0
"""How long sockets may take to close, and departures to reach the store."""


class Drain(drain.Drain):
    """The drain of one replica.

    New players are refused with status 503, after which the router and pages connect to another replica.
    """

    def __init__(self, broker: Broker, players: Players, *, spread_seconds: float, grace_seconds: float) -> None:
        super().__init__(players.left, spread_seconds=spread_seconds, grace_seconds=grace_seconds)
        self._broker = broker
        self._players = players

    def _begin(self) -> None:
        self._players.closing = True
        waiting = len(self._broker.waiting)
        log.info("draining", players=len(self._players), waiting=waiting, seconds=self._grace_seconds)

    async def _drain(self) -> None:
        players = self._players
        while self.seconds_left:
            await self._close_waiting()
            if not players and not self._spread_left:
                break
            await self._departure(min(POLL_SECONDS, self.seconds_left))
        log.info("drained", players_left=len(players))
        players.close_all(close_codes.RESTARTING)
        deadline = self._loop.time() + CLOSE_SECONDS
        while (players or self._broker.has_pending_work) and self._loop.time() < deadline:
            await self._departure(0.05)

    async def _close_waiting(self) -> None:
        """Close waiting players, and remove their tickets from the store."""
        sessions = iter(list(self._broker.waiting))
        while batch := list(islice(sessions, BATCH_SIZE)):
            for session_id in batch:
                if (player := self._players.find(session_id)) is not None:
                    player.socket.close(close_codes.RESTARTING)
            await asyncio.sleep(0)
        await self._broker.leave_queue()
