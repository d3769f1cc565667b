"""Brings the fleet store's matches to the players of this replica."""

from typing import Final, Protocol

import structlog

from pixelfleet.fleet.model import Lease, Ticket
from pixelfleet.fleet.store import FleetStore, StoreUnavailableError

log = structlog.get_logger(__name__)

SLOW_TICK_SECONDS: Final = 1.0
"""How long a lost announcement can delay a match."""


class Waiter(Protocol):
    """A player that waits for a streamer."""

    @property
    def ticket(self) -> Ticket:
        """What it waits for."""

    def matched(self, lease: Lease) -> None:
        """Take the streamer: dial it."""

    def moved(self, position: int) -> None:
        """Hear of a new place in the queue; 1 is next."""


class Broker:
    """The waiting players of one replica, and the loop that gives them their leases."""

    def __init__(self, store: FleetStore, replica_id: str) -> None:
        self._store = store
        self._replica_id = replica_id
        self._waiters: dict[str, Waiter] = {}

    @property
    def waiting(self) -> int:
        """How many players of this replica wait."""
        return len(self._waiters)

    async def join(self, waiter: Waiter) -> None:
        """Put a player into the queue."""
        self._waiters[waiter.ticket.session_id] = waiter
        await self._store.join(waiter.ticket)

    async def leave(self, session_id: str) -> None:
        """Take a player out, wherever it is: waiting, promised a streamer, or playing."""
        self._waiters.pop(session_id, None)
        await self._store.leave(session_id)

    async def give_back(self, waiter: Waiter) -> None:
        """Return a streamer that could not be reached; the player goes back to the head of the queue."""
        self._waiters[waiter.ticket.session_id] = waiter
        await self._store.requeue(waiter.ticket.session_id)

    async def run(self) -> None:
        """Match until cancelled."""
        seen = 0
        while True:
            try:
                await self._store.keep(self._replica_id)
                await self._store.match()
                await self._hand_out()
                await self._tell_positions()
            except StoreUnavailableError as error:
                log.warning("fleet store is out of reach", why=str(error))
            seen = await self._store.changed(seen, SLOW_TICK_SECONDS)

    async def _hand_out(self) -> None:
        for lease in await self._store.leases_of(self._replica_id):
            waiter = self._waiters.get(lease.session_id)
            if waiter is None:
                await self._store.leave(lease.session_id)
                continue
            claimed = await self._store.claim(lease.session_id)
            if claimed is not None:
                del self._waiters[lease.session_id]
                waiter.matched(claimed)

    async def _tell_positions(self) -> None:
        if not self._waiters:
            return
        for waiting in (await self._store.snapshot()).queue:
            waiter = self._waiters.get(waiting.ticket.session_id)
            if waiter is not None:
                waiter.moved(waiting.position)
