"""What the contract of the fleet store is tested with: the implementations, a clock, and reports and tickets."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from pixelfleet.fleet.memory import MemoryFleetStore
from pixelfleet.fleet.model import FleetSnapshot, Lease, StreamerReport, Ticket
from pixelfleet.fleet.store import FleetStore


class Clock:
    """The store's clock; it moves when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@asynccontextmanager
async def memory(clock: Clock) -> AsyncIterator[FleetStore]:
    yield MemoryFleetStore(clock)


IMPLEMENTATIONS: Final[Mapping[str, Callable[[Clock], AbstractAsyncContextManager[FleetStore]]]] = {"memory": memory}
"""Every implementation that must keep the contract, each as an empty store on the given clock."""


def streamer(
    server: str = "s1",
    endpoint: str = "cam",
    *,
    sequence: int = 1,
    app: str = "app",
    capacity: int = 1,
    sessions: tuple[str, ...] = (),
    labels: Mapping[str, str] | None = None,
    ready: bool = True,
    draining: bool = False,
) -> StreamerReport:
    return StreamerReport(
        server_id=server,
        endpoint_id=endpoint,
        app=app,
        url=f"ws://{server}:4000",
        capacity=capacity,
        sessions=sessions,
        labels=dict(labels or {}),
        ready=ready,
        draining=draining,
        sequence=sequence,
    )


def ticket(
    session: str, *, replica: str = "r1", app: str = "app", wants: str = "", labels: Mapping[str, str] | None = None
) -> Ticket:
    return Ticket(session_id=session, replica_id=replica, app=app, streamer=wants, labels=dict(labels or {}))


class Fleet:
    """A store as its owners use it, each call in a word."""

    def __init__(self, store: FleetStore, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self._sequence = 0

    async def reports(self, *streamers: StreamerReport, server: str = "s1") -> None:
        """Report, newer than all before, the streamers of one server, which is named by them if there are any."""
        self._sequence += 1
        name = streamers[0].server_id if streamers else server
        await self.store.report(streamers, server_id=name, sequence=self._sequence)

    async def joins(self, *sessions: str) -> None:
        for session in sessions:
            await self.store.join(ticket(session))

    async def passes(self, seconds: float, *, alive: bool = True) -> None:
        """Let time pass; the replica that holds the tickets says that it is alive, unless it is not."""
        left = seconds
        while left > 0:
            step = min(left, 0.5)
            self.clock.advance(step)
            left -= step
            if alive:
                await self.store.keep("r1")

    async def snapshot(self) -> FleetSnapshot:
        return await self.store.snapshot()

    async def queue(self) -> list[str]:
        """Return the waiting sessions, next first."""
        waiting = (await self.snapshot()).queue
        return [each.ticket.session_id for each in sorted(waiting, key=lambda each: each.position)]

    async def leases(self) -> dict[str, Lease]:
        return {lease.session_id: lease for lease in (await self.snapshot()).leases}

    async def matches(self) -> dict[str, str]:
        """Match; return every lease there is then, as session -> key of its streamer."""
        await self.store.match()
        return {session: lease.streamer.key for session, lease in (await self.leases()).items()}

    async def claims(self, session: str) -> Lease:
        lease = await self.store.claim(session)
        assert lease is not None, f"{session} was promised nothing"
        return lease
