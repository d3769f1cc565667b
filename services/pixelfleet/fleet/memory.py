"""The fleet store of a single process: for `pixelfleet demo`, for one box, for tests."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from pixelfleet.fleet.model import (
    ARRIVAL_SECONDS,
    CLAIM_SECONDS,
    EXPIRY_SECONDS,
    FleetSnapshot,
    Lease,
    LeaseState,
    StreamerReport,
    Ticket,
    Waiting,
)


@dataclass(slots=True)
class _Server:
    sequence: int
    expires: float
    streamers: dict[str, StreamerReport] = field(default_factory=dict)


@dataclass(slots=True)
class _Waiter:
    ticket: Ticket
    since: float


class MemoryFleetStore:
    """Keeps everything in dicts; the event loop makes each method atomic, since none awaits in the middle."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or asyncio.get_running_loop().time
        self._servers: dict[str, _Server] = {}
        self._queue: dict[str, _Waiter] = {}
        self._leases: dict[str, Lease] = {}
        self._tickets: dict[str, _Waiter] = {}
        self._used: dict[str, float] = {}
        self._replicas: dict[str, float] = {}
        self._changes = 0
        self._wakeups: set[asyncio.Future[None]] = set()

    async def report(self, reports: Sequence[StreamerReport], *, server_id: str, sequence: int) -> None:
        """Replace what is known of one server's streamers."""
        self._expire()
        now = self._clock()
        known = self._servers.get(server_id)
        if known is not None and sequence <= known.sequence:
            return
        server = _Server(sequence, now + EXPIRY_SECONDS, {report.key: report for report in reports})
        self._servers[server_id] = server
        held = {session for report in reports for session in report.sessions}
        for lease in list(self._leases.values()):
            if lease.streamer.server_id != server_id:
                continue
            if lease.session_id in held:
                self._set_lease(lease, LeaseState.HELD, float("inf"))
            elif lease.state is LeaseState.HELD:
                self._end(lease.session_id)
        self._announce()

    async def join(self, ticket: Ticket) -> None:
        """Put a ticket at the end of its queue."""
        if ticket.session_id in self._tickets:
            return
        waiter = _Waiter(ticket, self._clock())
        self._tickets[ticket.session_id] = waiter
        self._queue[ticket.session_id] = waiter
        self._replicas[ticket.replica_id] = self._clock() + EXPIRY_SECONDS
        self._announce()

    async def keep(self, replica_id: str) -> None:
        """Say that a replica is alive."""
        self._replicas[replica_id] = self._clock() + EXPIRY_SECONDS

    async def leave(self, session_id: str) -> None:
        """Take a ticket out, with what was promised to it."""
        lease = self._leases.get(session_id)
        if lease is not None and lease.state is LeaseState.HELD:
            self._tickets.pop(session_id, None)
        elif self._end(session_id):
            self._announce()

    async def match(self) -> None:
        """Promise free slots to the tickets that have waited longest."""
        self._expire()
        free = {key: slots for key, slots in self._free_slots().items() if slots > 0}
        matched = False
        for session_id, waiter in list(self._queue.items()):
            if not free:
                break
            key = self._choose(waiter.ticket, free)
            if key is None:
                continue
            free[key] -= 1
            if not free[key]:
                del free[key]
            self._promise(waiter.ticket, key)
            del self._queue[session_id]
            matched = True
        if matched:
            self._announce()

    async def leases_of(self, replica_id: str) -> list[Lease]:
        """Return a replica's leases that it has not yet claimed."""
        return [
            lease
            for lease in self._leases.values()
            if lease.replica_id == replica_id and lease.state is LeaseState.MATCHED
        ]

    async def claim(self, session_id: str) -> Lease | None:
        """Turn a match into a dial that is under way."""
        self._expire()
        lease = self._leases.get(session_id)
        if lease is None or lease.state is not LeaseState.MATCHED:
            return None
        return self._set_lease(lease, LeaseState.CLAIMED, self._clock() + ARRIVAL_SECONDS)

    async def requeue(self, session_id: str) -> None:
        """Give a lease back and put its ticket at the head of its queue."""
        self._back_to_head(session_id)
        self._announce()

    async def snapshot(self) -> FleetSnapshot:
        """Return all that the store knows."""
        self._expire()
        places: Counter[str] = Counter()
        queue = []
        for waiter in self._queue.values():
            places[waiter.ticket.app] += 1
            queue.append(Waiting(ticket=waiter.ticket, position=places[waiter.ticket.app], since=waiter.since))
        streamers = tuple(report for server in self._servers.values() for report in server.streamers.values())
        return FleetSnapshot(
            now=self._clock(), streamers=streamers, leases=tuple(self._leases.values()), queue=tuple(queue)
        )

    async def changed(self, since: int, timeout: float) -> int:  # noqa: ASYNC109 - a quiet fleet is not an error
        """Wait for a change."""
        if self._changes == since:
            wakeup = asyncio.get_running_loop().create_future()
            self._wakeups.add(wakeup)
            try:
                await asyncio.wait([wakeup], timeout=timeout)
            finally:
                self._wakeups.discard(wakeup)
        return self._changes

    # -- inside -------------------------------------------------------------------------------------

    def _announce(self) -> None:
        self._changes += 1
        for wakeup in self._wakeups:
            if not wakeup.done():
                wakeup.set_result(None)

    def _free_slots(self) -> dict[str, float]:
        """Return the free slots of every ready streamer; a held session and its lease count once."""
        promised: dict[str, set[str]] = {}
        for lease in self._leases.values():
            promised.setdefault(lease.streamer.key, set()).add(lease.session_id)
        slots = {}
        for server in self._servers.values():
            for key, report in server.streamers.items():
                if report.ready and not report.draining:
                    capacity = report.capacity or float("inf")
                    slots[key] = capacity - len(promised.get(key, set()).union(report.sessions))
        return slots

    def _choose(self, ticket: Ticket, free: dict[str, float]) -> str | None:
        """Return the least recently used free streamer that the ticket can have."""
        fits = [key for key in free if _fits(ticket, self._streamer(key))]
        return min(fits, key=lambda key: self._used.get(key, float("-inf")), default=None)

    def _streamer(self, key: str) -> StreamerReport:
        return next(server.streamers[key] for server in self._servers.values() if key in server.streamers)

    def _promise(self, ticket: Ticket, key: str) -> None:
        now = self._clock()
        self._used[key] = now
        self._leases[ticket.session_id] = Lease(
            session_id=ticket.session_id,
            replica_id=ticket.replica_id,
            streamer=self._streamer(key),
            state=LeaseState.MATCHED,
            deadline=now + CLAIM_SECONDS,
        )

    def _set_lease(self, lease: Lease, state: LeaseState, deadline: float) -> Lease:
        changed = msgspec.structs.replace(lease, state=state, deadline=deadline)
        self._leases[lease.session_id] = changed
        return changed

    def _end(self, session_id: str) -> bool:
        known = self._tickets.pop(session_id, None)
        self._queue.pop(session_id, None)
        return self._leases.pop(session_id, None) is not None or known is not None

    def _back_to_head(self, session_id: str) -> None:
        self._leases.pop(session_id, None)
        waiter = self._tickets.get(session_id)
        if waiter is not None and session_id not in self._queue:
            self._queue = {session_id: waiter, **self._queue}

    def _expire(self) -> None:
        """Forget what its owner no longer repeats."""
        now = self._clock()
        for server_id in [name for name, server in self._servers.items() if server.expires <= now]:
            keys = self._servers.pop(server_id).streamers
            for key in keys:
                self._used.pop(key, None)
            for lease in reversed([lease for lease in self._leases.values() if lease.streamer.server_id == server_id]):
                if lease.state is LeaseState.HELD:
                    self._end(lease.session_id)
                else:
                    self._back_to_head(lease.session_id)
        for replica_id in [name for name, expires in self._replicas.items() if expires <= now]:
            del self._replicas[replica_id]
            for session_id, waiter in list(self._tickets.items()):
                if waiter.ticket.replica_id == replica_id:
                    self._end(session_id)
        # The latest promise first, so that those who were promised something together keep their order.
        for lease in reversed([lease for lease in self._leases.values() if lease.deadline <= now]):
            self._back_to_head(lease.session_id)


def _fits(ticket: Ticket, report: StreamerReport) -> bool:
    if ticket.app != report.app:
        return False
    if ticket.streamer and ticket.streamer not in (report.key, report.endpoint_id):
        return False
    return all(report.labels.get(name) == value for name, value in ticket.labels.items())
