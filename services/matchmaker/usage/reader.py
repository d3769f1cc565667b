"""Reads the records of the fleet store into the usage by day: each record once, in chunks."""

import asyncio
from typing import Final

from matchmaker.usage.days import DAY_SECONDS, Days
from pixelfleet.fleet.bounds import RECORDS_CHUNK
from pixelfleet.fleet.store import FleetStore

CHUNKS_AT_ONCE: Final = 10
"""Chunks that one request reads; the next request continues. Other requests are answered between two chunks."""


class UsageReader:
    """The usage by day, as far as the records have been read. A request reads only what is new since the last one."""

    def __init__(self, store: FleetStore) -> None:
        self._store = store
        self._lock = asyncio.Lock()
        self._after = ""
        """The id of the last record that was read."""
        self.days = Days()
        self.complete = False
        """Whether all records had been read at the last request."""

    async def read(self) -> None:
        """Read further records, at most CHUNKS_AT_ONCE chunks. Raises StoreUnavailableError."""
        async with self._lock:
            await self._forget()
            self.complete = False
            for _ in range(CHUNKS_AT_ONCE):
                chunk = await self._store.records(after=self._after)
                for stored in chunk:
                    self.days.add(stored.record)
                if chunk:
                    self._after = chunk[-1].id
                if len(chunk) < RECORDS_CHUNK:
                    self.complete = True
                    break
                await asyncio.sleep(0)
            for usage in self.days.unsettled():
                if usage.needs_peak:
                    _ = usage.peak  # of one day at a time: each may take some milliseconds
                    await asyncio.sleep(0)

    async def _forget(self) -> None:
        """Remove the days whose records are no longer kept; begin anew if the store has lost those that were read."""
        oldest = await self._store.records(limit=1)
        if not oldest:
            self.days, self._after = Days(), ""
            return
        if self._after:
            self.days.drop_before(int(oldest[0].record.ended_at // DAY_SECONDS))
            newest = await self._store.records(newest_first=True, limit=1)
            if newest and _order(newest[0].id) < _order(self._after):
                self.days, self._after = Days(), ""


def _order(record_id: str) -> tuple[int, int]:
    millis, _, number = record_id.partition("-")
    return int(millis), int(number)
