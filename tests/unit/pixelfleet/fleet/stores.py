"""What the contract of the fleet store is tested with: the implementations, a clock, and reports and tickets."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, Final

import pytest

from pixelfleet.fleet.bounds import WARM_UP_SECONDS
from pixelfleet.fleet.memory.link import MemoryLink
from pixelfleet.fleet.model import (
    FleetSnapshot,
    Lease,
    Renewal,
    Reported,
    ServerReport,
    StreamerReport,
    Ticket,
    Waiting,
)
from pixelfleet.fleet.open import open_store
from pixelfleet.fleet.redis.store import RedisFleetStore
from pixelfleet.fleet.store import FleetStore

IMPLEMENTATIONS: Final = ("memory", "redis")
"""Every implementation that must keep the contract."""

_numbers = count(1)


class Clock:
    """The store's clock; it moves when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


def fresh_prefix() -> str:
    """Return a beginning of keys that nobody else uses."""
    return f"{{test-{next(_numbers)}}}:"


@asynccontextmanager
async def empty_store(url: str, clock: Clock) -> AsyncIterator[FleetStore]:
    """Yield a store at a URL, or in memory, that knows nothing and matches already."""
    async with open_store(url, prefix=fresh_prefix(), clock=clock) as store:
        await store.totals()
        clock.advance(WARM_UP_SECONDS)
        assert not (await store.totals()).warming_up
        yield store


def streamer(
    server: str = "s1",
    endpoint: str = "cam",
    *,
    app: str = "app",
    capacity: int = 1,
    sessions: tuple[str, ...] = (),
    spectators: tuple[str, ...] = (),
    labels: Mapping[str, str] | None = None,
    node: str = "",
    ready: bool = True,
    draining: bool = False,
    legacy: bool = False,
    players: int = 0,
) -> StreamerReport:
    return StreamerReport(
        server_id=server,
        endpoint_id=endpoint,
        app=app,
        url=f"ws://{server}:4000",
        capacity=capacity,
        sessions=sessions,
        spectators=spectators,
        labels=dict(labels or {}),
        node=node,
        ready=ready,
        draining=draining,
        legacy=legacy,
        players=players,
    )


def ticket(
    session: str,
    *,
    replica: str = "r1",
    app: str = "app",
    wants: str = "",
    may_share: bool = False,
    spectator: bool = False,
    labels: Mapping[str, str] | None = None,
    priority: int = 0,
) -> Ticket:
    return Ticket(
        session_id=session,
        replica_id=replica,
        app=app,
        wants=wants,
        may_share=may_share,
        spectator=spectator,
        labels=dict(labels or {}),
        priority=priority,
    )


class Fleet:
    """A store as its owners use it, each call in a word."""

    def __init__(self, store: FleetStore, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self._sequence = 0

    # -- owners of streamers ------------------------------------------------------------------------

    async def reports(
        self, *streamers: StreamerReport, server: str = "s1", ended: Sequence[str] = (), owner: str = "", fence: int = 0
    ) -> Reported:
        """Report, newer than all before, the streamers of one server, which is named by them if there are any."""
        self._sequence += 1
        return await self.store.report(
            ServerReport(
                server_id=streamers[0].server_id if streamers else server,
                sequence=self._sequence,
                streamers=streamers,
                ended=tuple(ended),
                owner=owner,
                fence=fence,
            )
        )

    # -- replicas -----------------------------------------------------------------------------------

    async def joins(self, *sessions: str) -> None:
        for session in sessions:
            await self.store.join(ticket(session))

    async def gets(self, join_request: Ticket) -> Lease:
        """Join and be given a streamer at once."""
        placed = await self.store.join(join_request)
        assert isinstance(placed, Lease), f"{join_request.session_id} has to wait"
        return placed

    async def waits(self, join_request: Ticket) -> Waiting:
        """Join and have to wait."""
        placed = await self.store.join(join_request)
        assert isinstance(placed, Waiting), f"{join_request.session_id} does not have to wait"
        return placed

    async def keeps(self, *replicas: str) -> Renewal:
        for replica in replicas or ("r1",):
            renewal = await self.store.renew(replica, "")
        return renewal

    async def passes(self, seconds: float, *, replicas: Sequence[str] = ("r1",), servers: Sequence[str] = ()) -> None:
        """Let time pass, in which only these replicas say that they are alive; servers repeat their last report."""
        left = seconds
        while left > 1e-9:
            step = min(left, 0.5)
            self.clock.advance(step)
            left -= step
            for replica in replicas:
                await self.store.renew(replica, "")
            for server in servers:
                views = (await self.snapshot()).streamers
                await self.reports(*(each.report for each in views if each.report.server_id == server), server=server)

    # -- beneath the interface ----------------------------------------------------------------------

    @property
    def _on_redis(self) -> RedisFleetStore:
        """Every implementation is one, on a server or on commands in memory."""
        assert isinstance(self.store, RedisFleetStore)
        return self.store

    async def run(self, script: str, *words: str | int) -> None:
        """Run a script as it is."""
        await self._on_redis._link.run(script, *words)

    async def read(self, command: str, key: str, *words: str) -> Any:
        """Run one command, which lets nothing lapse as a script would."""
        (reply,) = await self._on_redis._link.read((command, self._on_redis._views._prefix + key, *words))
        return reply

    async def time_to_live(self, key: str) -> int | None:
        """Return after how many seconds a key expires, to the second."""
        link = self._on_redis._link
        if isinstance(link, MemoryLink):
            at = link._keys._expiry.get(key.encode())
            return None if at is None else round(at / 1e6 - self.clock.now)
        left = await self.read("TTL", key)
        return None if left < 0 else int(left)

    def count_calls(self, monkeypatch: pytest.MonkeyPatch, method: str) -> list[tuple[Any, ...]]:
        """Return a list that each further call of a method of the link adds its arguments to."""
        link, calls = self._on_redis._link, list[tuple[Any, ...]]()
        inner = getattr(link, method)

        async def counted(*arguments: Any) -> Any:
            calls.append(arguments)
            return await inner(*arguments)

        monkeypatch.setattr(link, method, counted)
        return calls

    # -- what is known ------------------------------------------------------------------------------

    async def snapshot(self) -> FleetSnapshot:
        return await self.store.snapshot()

    async def queue(self) -> list[str]:
        """Return the waiting sessions, next first."""
        return [each.ticket.session_id for each in (await self.snapshot()).queue]

    async def leases(self) -> dict[str, Lease]:
        return {lease.session_id: lease for lease in (await self.snapshot()).leases}

    async def matches(self) -> dict[str, str]:
        """Return every lease, as session -> key of its streamer."""
        return {session: lease.streamer.key for session, lease in (await self.leases()).items()}
