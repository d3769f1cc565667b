"""The drain of a replica: players that wait go to another one, and players with a streamer may finish."""

import asyncio
from itertools import islice
from typing import Final

import structlog

from matchmaker.broker import AT_ONCE, Broker
from matchmaker.players import Players
from pixelfleet.protocol import close_codes
from pixelfleet.service import drain

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 0.5
"""How often it is looked for players who wait again because their streamer could not be reached."""

GOODBYE_SECONDS: Final = 3.0
"""How long the end may wait for sockets to close and for the store to hear of it."""


class Drain(drain.Drain):
    """The drain of one replica.

    Until its end connections are still answered, with a close that brings pages back to another replica.
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
            await self._send_away_waiting()
            if not players and not self._spread_left:
                break
            await self._departure(min(LOOK_SECONDS, self.seconds_left))
        log.info("drained", players_left=len(players))
        players.close_all(close_codes.RESTARTING)
        deadline = self._loop.time() + GOODBYE_SECONDS
        while (players or self._broker.has_more_to_say) and self._loop.time() < deadline:
            await self._departure(0.05)

    async def _send_away_waiting(self) -> None:
        """Close those who wait, and take their tickets out of the store."""
        rest = iter(list(self._broker.waiting))
        while part := list(islice(rest, AT_ONCE)):
            for session_id in part:
                if (player := self._players.find(session_id)) is not None:
                    player.socket.close(close_codes.RESTARTING)
            await asyncio.sleep(0)
        await self._broker.leave_queue()
