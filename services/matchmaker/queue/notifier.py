"""Sends waiting players their positions, in batches, so that matches are not delayed."""

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
"""Interval between notifications: a player gets at most one position in this time."""

BATCH_SIZE: Final = 100
"""Players that are processed before other tasks run."""


class Queued(Protocol):
    """A waiting player."""

    arrived_at: float
    """On the loop's clock."""

    def moved(self, position: QueuePosition) -> None:
        """Send the player its position, or that nothing serves it, when that has changed."""

    def expire(self) -> None:
        """Close the player: it has waited for the longest allowed time."""


class QueueNotifier:
    """Sends positions to the waiting players of one replica, and closes overdue ones."""

    def __init__(self, broker: Broker, find: Callable[[str], Queued | None], longest_wait: float) -> None:
        self._broker = broker
        self._find = find
        self._longest_wait = longest_wait
        self._views: dict[str, LaneView] = {}
        self._loop = asyncio.get_running_loop()

    async def run(self) -> None:
        """Notify players every NOTIFY_SECONDS, until cancelled."""
        while True:
            await asyncio.sleep(NOTIFY_SECONDS)
            await self.close_overdue()
            try:
                await self.notify()
            except StoreUnavailableError as error:
                log.debug("queue positions unavailable", why=str(error))
                self._views.clear()

    async def notify(self) -> None:
        """Send positions to the players of lanes that have changed. Raises StoreUnavailableError."""
        lanes = sorted({entry.lane for entry in self._broker.waiting.values()})
        views = await self._broker.store.lanes(lanes)
        changed = {view.lane: LanePositions(view) for view in views if view != self._views.get(view.lane)}
        self._views = {view.lane: view for view in views}
        if changed:
            await self._notify(list(self._broker.waiting.items()), changed)

    async def _notify(self, entries: Iterable[tuple[str, QueueEntry]], changed: dict[str, LanePositions]) -> None:
        remaining = iter(entries)
        while batch := list(islice(remaining, BATCH_SIZE)):
            for session_id, entry in batch:
                positions = changed.get(entry.lane)
                player = self._find(session_id)
                if positions is not None and player is not None and entry.arrived and entry.lease is None:
                    rank = rank_of(entry.arrived, entry.ticket.priority)
                    player.moved(positions.position(session_id, rank))
            await asyncio.sleep(0)

    async def close_overdue(self) -> None:
        """Close players that have waited for more than the allowed time."""
        limit = self._loop.time() - self._longest_wait
        sessions = iter(list(self._broker.waiting))
        while batch := list(islice(sessions, BATCH_SIZE)):
            for session_id in batch:
                player = self._find(session_id)
                if player is not None and player.arrived_at <= limit:
                    player.expire()
            await asyncio.sleep(0)
