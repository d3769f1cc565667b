"""What one replica has to say of sessions that are over: several at a time, with whatever else the store is told."""

import asyncio
from itertools import islice
from typing import Final

from pixelfleet.fleet.store import FleetStore, StoreUnavailableError

WAIT_SECONDS: Final = 0.01
"""How long the end of a session may wait for company. Most go along with the next player's ticket: one way to the store
less for each."""

AT_ONCE: Final = 100
"""How many go into one call of the store: one of more would keep the others waiting."""


class Departures:
    """The sessions of one replica that are over and that the store has not confirmed."""

    def __init__(self, store: FleetStore, replica_id: str) -> None:
        self._store = store
        self._replica_id = replica_id
        self._unsent: dict[str, None] = {}
        self._in_flight = 0
        self._unacknowledged: dict[str, None] = {}
        """Those that were said while the store was out of reach."""
        self._due = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def __len__(self) -> int:
        """How many are to be said or are being said now, but for those that the store is out of reach for."""
        return len(self._unsent) + self._in_flight

    def add(self, session_id: str) -> None:
        """Have a session's end said soon."""
        self._unsent[session_id] = None
        if self._timer is None:
            self._timer = self._loop.call_later(WAIT_SECONDS, self._due.set)

    def take_pending(self) -> None:
        """Have said now what is to be said soon: the store is about to be told something else."""
        if self._unsent:
            self._due.set()

    async def run(self) -> None:
        """Say what is due, until cancelled."""
        while True:
            await self._due.wait()
            await self.send()

    async def send(self) -> None:
        """Say all that is to be said, and keep what the store could not be told."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._unsent:
            sessions = list(islice(self._unsent, AT_ONCE))
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
        """Say what the store could not be told before; raise StoreUnavailableError when it still cannot."""
        while self._unacknowledged:
            sessions = list(islice(self._unacknowledged, AT_ONCE))
            await self._store.leave(*sessions, replica_id=self._replica_id)
            for session_id in sessions:
                self._unacknowledged.pop(session_id, None)
