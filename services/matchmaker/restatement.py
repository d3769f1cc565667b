"""Sends waiting sessions again that the store may have lost, although its epoch and the connection are the same.

A Redis that evicts, or a restore that failed halfway, loses single keys. The store then never matches these sessions.
"""

import random
from collections import deque
from typing import Final

import structlog

from matchmaker.sessions import Sessions
from pixelfleet.fleet.store import FleetStore

log = structlog.get_logger(__name__)

RESTATE_SECONDS: Final = 15.0
"""The mean interval at which all waiting sessions are sent again. Replicas differ by up to half of it."""

RESTATED_AT_ONCE: Final = 250
"""Waiting sessions that are sent again with one heartbeat."""

DIFFERENCE_SECONDS: Final = 5.0
"""The shortest interval between two restatements because of a difference."""

DIFFERENCES: Final = 2
"""Heartbeats in a row with fewer sessions in the store than here: one of them may have met a player on its way."""


class Restatement:
    """Compares the store's number of sessions with those of this replica, and sends sessions again."""

    def __init__(self, store: FleetStore, replica_id: str, sessions: Sessions) -> None:
        self._store = store
        self._replica_id = replica_id
        self._sessions = sessions
        self._pending: deque[str] = deque()
        self._next: float | None = None
        """When all are sent again; set by the first heartbeat."""
        self._not_before = float("-inf")
        self._differences = 0
        self._acknowledged = 0
        """Sessions that the store had acknowledged before the heartbeat."""
        self._removals = 0

    def before_heartbeat(self) -> None:
        """Count the sessions that the reply to a heartbeat must contain. Call this before it is sent."""
        self._acknowledged, self._removals = self._sessions.acknowledged(), self._sessions.removals

    async def after_heartbeat(self, stored: int, now: float) -> None:
        """Send what is due; raise StoreUnavailableError.

        `stored` is the number of this replica's sessions in the store. `now` is on the loop's clock, in seconds.
        """
        certain = self._acknowledged - (self._sessions.removals - self._removals)
        self._differences = self._differences + 1 if stored < certain else 0
        if self._differences >= DIFFERENCES and now >= self._not_before:
            self._not_before = now + DIFFERENCE_SECONDS
            log.warning("fleet store has lost sessions", stored=stored, owned=certain)
            tickets, leases, _ = self._sessions.snapshot(store_reset=False)
            await self._store.restore(self._replica_id, tickets, leases, complete=False)
            return
        if self._next is None or now >= self._next:
            if self._next is not None:
                self._pending = deque(self._sessions.waiting)
            self._next = now + RESTATE_SECONDS * random.uniform(0.5, 1.5)  # noqa: S311 - spreads load
        await self._send_pending()

    async def _send_pending(self) -> None:
        sessions = [self._pending.popleft() for _ in range(min(len(self._pending), RESTATED_AT_ONCE))]
        entries = (self._sessions.waiting.get(session_id) for session_id in sessions)
        tickets = [(entry.ticket, entry.arrived) for entry in entries if entry is not None and entry.settled]
        if tickets:
            await self._store.restore(self._replica_id, tickets, [], complete=False)
