"""Reports the end of sessions to the store, in batches."""

import asyncio
from collections.abc import Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

from pixelfleet.fleet.store import FleetStore, StoreUnavailableError

DELAY_SECONDS: Final = 0.01
"""How long a departure may wait for others. Most are sent with the next ticket, which saves a round trip."""

BATCH_SIZE: Final = 100
"""Departures in one call of the store. A longer call would delay the calls of other replicas."""


class Departure(NamedTuple):
    """How one session ended."""

    may_return: bool
    """Whether its player may return."""
    code: int | None
    """The close code of its player's connection; None if it is unknown."""


class Departures:
    """The ended sessions of one replica that the store has not acknowledged."""

    def __init__(self, store: FleetStore, replica_id: str) -> None:
        self._store = store
        self._replica_id = replica_id
        self._unsent: dict[str, Departure] = {}
        self._in_flight: set[str] = set()
        self._unacknowledged: dict[str, Departure] = {}
        """Departures whose call failed because the store was unavailable."""
        self._due = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def __len__(self) -> int:
        """How many are unsent or in flight. Those whose call failed do not count."""
        return len(self._unsent) + len(self._in_flight)

    def add(self, session_id: str, *, may_return: bool = False, code: int | None = None) -> None:
        """Schedule the departure of a session; the store keeps its place if its player may return."""
        self._unsent[session_id] = Departure(may_return, code)
        if self._timer is None:
            self._timer = self._loop.call_later(DELAY_SECONDS, self._due.set)

    def withdraw(self, session_id: str) -> None:
        """Do not send the departure of a session, or not again: its player has returned."""
        self._unsent.pop(session_id, None)
        self._unacknowledged.pop(session_id, None)
        self._in_flight.discard(session_id)

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
            batch = _next_batch(self._unsent)
            for session_id in batch:
                del self._unsent[session_id]
            self._in_flight.update(batch)
            try:
                await self._send(batch)
            except StoreUnavailableError:
                failed = {session_id: each for session_id, each in batch.items() if session_id in self._in_flight}
                self._unacknowledged.update(failed)
            finally:
                self._in_flight.difference_update(batch)

    async def resend(self) -> None:
        """Repeat the calls that failed. Raises StoreUnavailableError."""
        while self._unacknowledged:
            batch = _next_batch(self._unacknowledged)
            await self._send(batch)
            for session_id in batch:
                self._unacknowledged.pop(session_id, None)

    async def _send(self, batch: Mapping[str, Departure]) -> None:
        """Send the departures of sessions whose players all may return, or all may not."""
        may_return = next(iter(batch.values())).may_return
        codes = {session_id: each.code for session_id, each in batch.items() if each.code is not None}
        options: dict[str, Any] = {"codes": codes} if codes else {}
        await self._store.leave(*batch, replica_id=self._replica_id, may_return=may_return, **options)


def _next_batch(departures: Mapping[str, Departure]) -> dict[str, Departure]:
    """Return the sessions of the next call: those whose players may return, or may not, as that of the first one."""
    may_return = next(iter(departures.values())).may_return
    alike = ((session_id, each) for session_id, each in departures.items() if each.may_return is may_return)
    return dict(islice(alike, BATCH_SIZE))
