"""Ending a replica: its players come back through another one, and those who play are let finish."""

import asyncio
from itertools import islice
from typing import Final

import structlog

from matchmaker.broker import AT_ONCE, Broker
from matchmaker.players import Players
from pixelfleet.protocol import close_codes

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 0.5
"""How often it is looked for players who wait again because their streamer could not be reached."""

GOODBYE_SECONDS: Final = 3.0
"""How long the end may wait for sockets to close and for the store to hear of it."""


class Drain:
    """The drain of one replica. It begins once; whoever asks later waits for the same end."""

    def __init__(self, broker: Broker, players: Players, *, spread_seconds: float, grace_seconds: float) -> None:
        self._broker = broker
        self._players = players
        self._spread = min(spread_seconds, grace_seconds)
        self._grace = grace_seconds
        self._left = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._running: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Take no more players, send away those who wait, and wait for the others until the time is over.

        For the first seconds connections are still answered, with a close that brings pages back: whoever sends
        players here may not know yet.
        """
        if self._running is not None:
            await asyncio.shield(self._running)
            return
        self._running = self._loop.create_future()
        try:
            await self._run()
        finally:
            self._running.set_result(None)

    async def _run(self) -> None:
        players = self._players
        begun = self._loop.time()
        players.closing = True
        players.on_leave = self._left.set
        log.info("draining", players=len(players), waiting=len(self._broker.waiting), seconds=self._grace)
        while (past := self._loop.time() - begun) < self._grace:
            await self._send_away_waiting()
            if not players and past >= self._spread:
                break
            await self._look_again(min(LOOK_SECONDS, self._grace - past))
        log.info("drained", players_left=len(players))
        players.close_all(close_codes.RESTARTING)
        deadline = self._loop.time() + GOODBYE_SECONDS
        while (players or self._broker.has_more_to_say) and self._loop.time() < deadline:
            await self._look_again(0.05)

    async def _look_again(self, seconds: float) -> None:
        """Wait until a player has left, or so long."""
        self._left.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._left.wait()
        except TimeoutError:
            return

    async def _send_away_waiting(self) -> None:
        """Close those who wait, and take their tickets out of the store."""
        rest = iter(list(self._broker.waiting))
        while part := list(islice(rest, AT_ONCE)):
            for session_id in part:
                if (player := self._players.find(session_id)) is not None:
                    player.socket.close(close_codes.RESTARTING)
            await asyncio.sleep(0)
        await self._broker.leave_queue()
