"""Reads the whole fleet for REST and dashboards, and shares each snapshot between requests."""

import asyncio
from typing import Final

import msgspec

from pixelfleet.fleet.model import FleetSnapshot, Lease, LeaseState
from pixelfleet.fleet.store import FleetStore

MIN_REUSE_SECONDS: Final = 1.0
"""A snapshot is reused at least until it is this old."""

MAX_READ_SHARE: Final = 0.1
"""Share of the time that may be spent on reads: a fleet that takes long to read is read less often."""


class FleetReader:
    """Caches the last snapshot for a short time. Concurrent requests share one read."""

    def __init__(self, store: FleetStore) -> None:
        self._store = store
        self._loop = asyncio.get_running_loop()
        self._lock = asyncio.Lock()
        self._last: FleetSnapshot | None = None
        self._valid_until = 0.0

    async def snapshot(self) -> FleetSnapshot:
        """Return a current or recent snapshot. Raises StoreUnavailableError."""
        async with self._lock:
            started = self._loop.time()
            if self._last is None or started >= self._valid_until:
                self._last = _with_sessions_of_reports(await self._store.snapshot())
                duration = self._loop.time() - started
                self._valid_until = started + max(MIN_REUSE_SECONDS, duration / MAX_READ_SHARE)
            return self._last

    async def server_of(self, session_id: str) -> str | None:
        """Return the id of the server that reports a session without a ticket. Raises StoreUnavailableError."""
        self.invalidate()
        leases = (await self.snapshot()).leases
        return next((lease.streamer.server_id for lease in leases if lease.session_id == session_id), None)

    def invalidate(self) -> None:
        """Discard the cached snapshot, after a change of the fleet."""
        self._valid_until = 0.0


def _with_sessions_of_reports(snapshot: FleetSnapshot) -> FleetSnapshot:
    """Add the sessions that a server reports and the store has no ticket of: players without a session token, and
    players that use the token of a past session again.
    """
    known = {lease.session_id for lease in snapshot.leases}
    found = [
        Lease(session_id=name, replica_id="", streamer=view.report, state=LeaseState.HELD, spectator=spectator)
        for view in snapshot.streamers
        for spectator, names in ((False, view.report.sessions), (True, view.report.spectators))
        for name in names
        if name not in known
    ]
    return msgspec.structs.replace(snapshot, leases=(*snapshot.leases, *found)) if found else snapshot
