"""Fixtures for the contract of the fleet store: implementations, a clock, reports and tickets."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, Final

import pytest

from pixelfleet.fleet.bounds import WARM_UP_SECONDS
from pixelfleet.fleet.memory.runner import MemoryScriptRunner
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
from pixelfleet.fleet.records import SessionFacts
from pixelfleet.fleet.redis.store import RedisFleetStore
from pixelfleet.fleet.store import FleetStore

IMPLEMENTATIONS: Final = ("memory", "redis")
"""All implementations of the contract."""

_numbers = count(1)


class Clock:
    """The store's clock, which only a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


def fresh_prefix() -> str:
    """Return an unused prefix of keys."""
    return f"{{test-{next(_numbers)}}}:"


@asynccontextmanager
async def empty_store(url: str, clock: Clock) -> AsyncIterator[FleetStore]:
    """Yield an empty store at a URL, or in memory, after its warm-up."""
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
    away: tuple[str, ...] = (),
    warned: tuple[str, ...] = (),
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
        away=away,
        warned=warned,
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
    keeps_place: int = 0,
    client: str = "",
    person: str = "",
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
        keeps_place=keeps_place,
        client=client,
        person=person,
    )


class Fleet:
    """A store with short calls for tests."""

    def __init__(self, store: FleetStore, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self._sequence = 0

    # -- owners of streamers ------------------------------------------------------------------------

    async def reports(
        self,
        *streamers: StreamerReport,
        server: str = "s1",
        ended: Sequence[str] = (),
        owner: str = "",
        fence: int = 0,
        facts: Mapping[str, SessionFacts] | None = None,
    ) -> Reported:
        """Report the streamers of one server, with a new sequence number. `server` names it without streamers."""
        self._sequence += 1
        return await self.store.report(
            ServerReport(
                server_id=streamers[0].server_id if streamers else server,
                sequence=self._sequence,
                streamers=streamers,
                ended=tuple(ended),
                owner=owner,
                fence=fence,
                facts=facts or {},
            )
        )

    # -- replicas -----------------------------------------------------------------------------------

    async def joins(self, *sessions: str) -> None:
        for session in sessions:
            await self.store.join(ticket(session))

    async def gets(self, join_request: Ticket) -> Lease:
        """Join and get a lease at once."""
        placed = await self.store.join(join_request)
        assert isinstance(placed, Lease), f"{join_request.session_id} has to wait"
        return placed

    async def waits(self, join_request: Ticket) -> Waiting:
        """Join and get a place in the queue."""
        placed = await self.store.join(join_request)
        assert isinstance(placed, Waiting), f"{join_request.session_id} does not have to wait"
        return placed

    async def renews(self, *replicas: str) -> Renewal:
        for replica in replicas or ("r1",):
            renewal = await self.store.renew(replica, "")
        return renewal

    async def passes(self, seconds: float, *, replicas: Sequence[str] = ("r1",), servers: Sequence[str] = ()) -> None:
        """Let time pass, in which only these replicas renew, and these servers repeat their last report."""
        remaining = seconds
        while remaining > 1e-9:
            step = min(remaining, 0.5)
            self.clock.advance(step)
            remaining -= step
            for replica in replicas:
                await self.store.renew(replica, "")
            for server in servers:
                views = (await self.snapshot()).streamers
                await self.reports(*(each.report for each in views if each.report.server_id == server), server=server)

    # -- below the interface ------------------------------------------------------------------------

    @property
    def _on_redis(self) -> RedisFleetStore:
        """The store with its true type, which all implementations have."""
        assert isinstance(self.store, RedisFleetStore)
        return self.store

    async def run(self, script: str, *words: str | int) -> None:
        """Run one script."""
        await self._on_redis._runner.run(script, *words)

    async def read(self, command: str, key: str, *words: str) -> Any:
        """Run one command, which expires no facts as a script does."""
        (reply,) = await self._on_redis._runner.read((command, self._on_redis._views._prefix + key, *words))
        return reply

    async def loses_data(self) -> None:
        """Lose all data, as in a flush. A little later the next call begins a new epoch."""
        runner, prefix = self._on_redis._runner, self._on_redis._views._prefix
        if isinstance(runner, MemoryScriptRunner):
            for key in runner._keys.names():
                runner._keys.drop(key)
        else:
            (keys,) = await runner.read(("KEYS", f"{prefix}*"))
            await runner.read(*(("DEL", key) for key in keys))
        self.clock.advance(0.01)

    async def fails_over(self) -> None:
        """Continue on another server process, with the same data and a new epoch."""
        self.clock.advance(0.01)
        await self.run("epoch", f"process {self.clock.now}")

    async def legacy_from(self) -> float:
        """Return the time from which legacy streamers are free, on the store's clock."""
        return int(await self.read("HGET", "epoch", "recovered") or 0) / 1e6

    async def time_to_live(self, key: str) -> int | None:
        """Return the time to live of a key in seconds, rounded; None without one."""
        runner = self._on_redis._runner
        if isinstance(runner, MemoryScriptRunner):
            at = runner._keys._expiry.get(key.encode())
            return None if at is None else round(at / 1e6 - self.clock.now)
        seconds = await self.read("TTL", key)
        return None if seconds < 0 else int(seconds)

    def count_calls(self, monkeypatch: pytest.MonkeyPatch, method: str) -> list[tuple[Any, ...]]:
        """Return a list to which each further call of a method of the runner appends its arguments."""
        runner, calls = self._on_redis._runner, list[tuple[Any, ...]]()
        inner = getattr(runner, method)

        async def counted(*arguments: Any) -> Any:
            calls.append(arguments)
            return await inner(*arguments)

        monkeypatch.setattr(runner, method, counted)
        return calls

    # -- content ------------------------------------------------------------------------------------

    async def snapshot(self) -> FleetSnapshot:
        return await self.store.snapshot()

    async def queue(self) -> list[str]:
        """Return the waiting sessions, next first."""
        return [each.ticket.session_id for each in (await self.snapshot()).queue]

    async def leases(self) -> dict[str, Lease]:
        return {lease.session_id: lease for lease in (await self.snapshot()).leases}

    async def matches(self) -> dict[str, str]:
        """Return every lease, as a map from session to the key of its streamer."""
        return {session: lease.streamer.key for session, lease in (await self.leases()).items()}
