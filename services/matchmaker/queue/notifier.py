"""Tells waiting players their places, a few at a time so that it never holds up a match."""

import asyncio
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final, Protocol

import structlog

from matchmaker.broker import Broker
from matchmaker.queue.positions import LanePositions, QueuePosition
from matchmaker.sessions import QueueEntry
from pixelfleet.fleet.model import LaneView, rank_of
from pixelfleet.fleet.store import StoreUnavailableError

log = structlog.get_logger(__name__)

NOTIFY_SECONDS: Final = 1.0
"""No player hears more often of its place."""

SLICE: Final = 100
"""Players that are looked at before the loop goes on with something else."""


class Queued(Protocol):
    """A waiting player, as far as its place is concerned."""

    came: float
    """On the loop's clock."""

    def moved(self, position: QueuePosition) -> None:
        """Hear of its place."""

    def expire(self) -> None:
        """It has waited for as long as anybody may."""


class QueueNotifier:
    """Goes through the waiting players of one replica once a second."""

    def __init__(self, broker: Broker, find: Callable[[str], Queued | None], longest_wait: float) -> None:
        self._broker = broker
        self._find = find
        self._longest_wait = longest_wait
        self._views: dict[str, LaneView] = {}
        self._loop = asyncio.get_running_loop()

    async def run(self) -> None:
        """Tell until cancelled."""
        while True:
            await asyncio.sleep(NOTIFY_SECONDS)
            await self.send_away_overdue()
            try:
                await self.notify()
            except StoreUnavailableError as error:
                log.debug("places are not known", why=str(error))
                self._views.clear()

    async def notify(self) -> None:
        """Tell whoever's place has changed."""
        lanes = sorted({entry.lane for entry in self._broker.waiting.values()})
        views = await self._broker.store.lanes(lanes)
        changed = {view.lane: LanePositions(view) for view in views if view != self._views.get(view.lane)}
        self._views = {view.lane: view for view in views}
        if changed:
            await self._notify(list(self._broker.waiting.items()), changed)

    async def _notify(self, entries: Iterable[tuple[str, QueueEntry]], changed: dict[str, LanePositions]) -> None:
        rest = iter(entries)
        while part := list(islice(rest, SLICE)):
            for session_id, entry in part:
                positions = changed.get(entry.lane)
                player = self._find(session_id)
                if positions is not None and player is not None and entry.arrived and entry.lease is None:
                    rank = rank_of(entry.arrived, entry.ticket.priority)
                    player.moved(positions.position(session_id, rank))
            await asyncio.sleep(0)

    async def send_away_overdue(self) -> None:
        """Close who has waited too long."""
        limit = self._loop.time() - self._longest_wait
        rest = iter(list(self._broker.waiting))
        while part := list(islice(rest, SLICE)):
            for session_id in part:
                player = self._find(session_id)
                if player is not None and player.came <= limit:
                    player.expire()
            await asyncio.sleep(0)
