"""Reports the end of sessions to the store, in batches."""

import asyncio
from itertools import islice
from typing import Final

from pixelfleet.fleet.store import FleetStore, StoreUnavailableError

DELAY_SECONDS: Final = 0.01
"""How long a departure may wait for others. Most are sent with the next ticket, which saves a round trip."""

BATCH_SIZE: Final = 100
"""Departures in one call of the store. A longer call would delay the calls of other replicas."""


class Departures:
    """The ended sessions of one replica that the store has not acknowledged."""

    def __init__(self, store: FleetStore, replica_id: str) -> None:
        self._store = store
        self._replica_id = replica_id
        self._unsent: dict[str, None] = {}
        self._in_flight = 0
        self._unacknowledged: dict[str, None] = {}
        """Departures whose call failed because the store was unavailable."""
        self._due = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def __len__(self) -> int:
        """How many are unsent or in flight. Those whose call failed do not count."""
        return len(self._unsent) + self._in_flight

    def add(self, session_id: str) -> None:
        """Schedule the departure of a session."""
        self._unsent[session_id] = None
        if self._timer is None:
            self._timer = self._loop.call_later(DELAY_SECONDS, self._due.set)

    def flush(self) -> None:
        """Send unsent departures in the next turn of the loop, together with a call that is made now."""
        if self._unsent:
            self._due.set()

    async def run(self) -> None:
        """Send departures when they are due, until cancelled."""
        while True:
            await self._due.wait()
            await self.send()

    async def send(self) -> None:
        """Send all unsent departures; keep those whose call fails for `resend`."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._unsent:
            sessions = list(islice(self._unsent, BATCH_SIZE))
            for session_id in sessions:
                del self._unsent[session_id]
            self._in_flight += len(sessions)
            try:
                await self._store.leave(*sessions, replica_id=self._replica_id)
            except StoreUnavailableError:
                self._unacknowledged.update(dict.fromkeys(sessions))
            finally:
                self._in_flight -= len(sessions)

    async def resend(self) -> None:
        """Repeat the calls that failed. Raises StoreUnavailableError."""
        while self._unacknowledged:
            sessions = list(islice(self._unacknowledged, BATCH_SIZE))
            await self._store.leave(*sessions, replica_id=self._replica_id)
            for session_id in sessions:
                self._unacknowledged.pop(session_id, None)
