"""Reads the whole fleet for people and dashboards, and never twice for what may as well be read once."""

import asyncio
from typing import Final

from pixelfleet.fleet.model import FleetSnapshot
from pixelfleet.fleet.store import FleetStore

FRESH_SECONDS: Final = 1.0
LARGEST_SHARE: Final = 0.1
"""Of the time that may be spent on reading: a fleet that takes long to read is read less often."""


class FleetReader:
    """Keeps the last reading for as long as it is good enough; whoever asks during a reading shares it."""

    def __init__(self, store: FleetStore) -> None:
        self._store = store
        self._loop = asyncio.get_running_loop()
        self._lock = asyncio.Lock()
        self._last: FleetSnapshot | None = None
        self._good_until = 0.0

    async def snapshot(self) -> FleetSnapshot:
        """Return the fleet as it is, or was a moment ago; raise StoreUnavailableError."""
        async with self._lock:
            begun = self._loop.time()
            if self._last is None or begun >= self._good_until:
                self._last = await self._store.snapshot()
                took = self._loop.time() - begun
                self._good_until = begun + max(FRESH_SECONDS, took / LARGEST_SHARE)
            return self._last

    def outdate(self) -> None:
        """Have the next one who asks see what has just been changed."""
        self._good_until = 0.0
