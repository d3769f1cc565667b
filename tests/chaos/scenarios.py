"""The scenarios: what is done to a fleet while players join, play, lose connections, return and leave.

A scenario is a coroutine that begins and ends its faults; the run and its checks are in run.py. All choices are those
of the chain's `chance`, so that a seed repeats them.
"""

import asyncio
import resource
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from benchmarks.matching import processes
from benchmarks.processes import descriptors
from tests.chaos.chain import WATCH, Chain, Part
from tests.chaos.faults import BYTEWISE, LATE, SILENT_DOWN, SILENT_UP, SLOW, Faults, Link

SHORT_SECONDS: Final = (1.5, 3.0)
LONG_SECONDS: Final = (8.0, 10.0)
"""Longer than the expiry of reports, and than the time for which a session is kept."""

SPARE_DESCRIPTORS: Final = 1
MAXMEMORY_SHARE: Final = 0.97


@dataclass(frozen=True)
class Scenario:
    """One scenario."""

    name: str
    faults: str
    """What is done, for the table."""
    run: Callable[[Chain], Awaitable[None]]
    clock: Callable[[Chain], float] | None = None
    """Chooses the seconds by which the clock of each process is ahead."""
    may_refuse: bool = False
    """Whether a server may refuse a player for a taken slot, which then gets another one: the store loses data, or a
    late report is stored, or a server gets a request that its router has given up."""
    loses_data: bool = False
    """Whether the store loses data that it has confirmed: the restored leases and the reported sessions may be more
    than a capacity, until the server reports which sessions have ended."""


async def _pass(chain: Chain, bounds: tuple[float, float] = SHORT_SECONDS) -> None:
    await asyncio.sleep(chain.chance.uniform(*bounds))


# -- links ------------------------------------------------------------------------------------------------


async def _with(faults: Faults, link: Link, chain: Chain) -> None:
    with link.faulty(faults):
        await _pass(chain)


async def _reset(link: Link, chain: Chain) -> None:
    for _ in range(3):
        link.reset()
        await asyncio.sleep(chain.chance.uniform(0.1, 0.6))


async def _half_open(link: Link, chain: Chain) -> None:
    link.half_open()
    await _pass(chain)


LINK_FAULTS: Final[tuple[Callable[[Link, Chain], Awaitable[None]], ...]] = (
    partial(_with, LATE),
    _reset,
    _half_open,
    partial(_with, SILENT_UP),
    partial(_with, SILENT_DOWN),
    partial(_with, BYTEWISE),
    partial(_with, SLOW),
)


async def _faulty_link(kind: str, chain: Chain) -> None:
    """Have each fault on one link of a kind after the other, in any order."""
    for fault in chain.chance.sample(LINK_FAULTS, len(LINK_FAULTS)):
        await fault(chain.chance.choice(chain.links[kind]), chain)
        await asyncio.sleep(chain.chance.uniform(0.2, 0.8))


async def _silent_for_long(kind: str, chain: Chain) -> None:
    """Silence a link in one direction for longer than reports and sessions last."""
    link = chain.chance.choice(chain.links[kind])
    with link.faulty(chain.chance.choice((SILENT_UP, SILENT_DOWN))):
        await _pass(chain, LONG_SECONDS)


# -- processes --------------------------------------------------------------------------------------------


async def _kill(kind: str, chain: Chain) -> None:
    """Kill each part of a kind, one after the other, and start it again some time later."""
    parts = chain.of(kind)
    for part in chain.chance.sample(parts, len(parts)):
        await part.kill()
        await _pass(chain)
        await part.begin()
        await _pass(chain)


async def _suspend(kind: str, chain: Chain) -> None:
    """Suspend one part for a moment, and one for long."""
    for bounds in (SHORT_SECONDS, LONG_SECONDS):
        with _suspended(chain.one(kind)):
            await _pass(chain, bounds)
        await _pass(chain)


@contextmanager
def _suspended(part: Part) -> Iterator[None]:
    assert part.program is not None
    part.program.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        part.program.signal(signal.SIGCONT)


async def _no_descriptors(chain: Chain) -> None:
    """Leave one part of each kind without free descriptors for some time, while connections are cut."""
    for kind in chain.chance.sample(("router", "matchmaker", "signalserver"), 3):
        with _few_descriptors(chain.one(kind).pid):
            for link in (*chain.links["page-router"], *chain.links["router-matchmaker"]):
                link.reset()
            await _pass(chain)
        await _pass(chain)


@contextmanager
def _few_descriptors(pid: int) -> Iterator[None]:
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (descriptors(pid) + SPARE_DESCRIPTORS, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))


# -- Redis ------------------------------------------------------------------------------------------------


async def _redis(chain: Chain, command: str) -> None:
    assert chain.redis.program is not None
    await processes.redis_command(chain.redis.program.facts["port"], command)


async def _lose_data(how: str, chain: Chain) -> None:
    for _ in range(2):
        assert chain.redis.program is not None
        await processes.lose_store(how, chain.redis.program, chain.folder)
        await _pass(chain, (5.0, 6.0))


async def _promote(chain: Chain) -> None:
    await chain.promote_replica()
    await _pass(chain)


async def _full(policy: str, chain: Chain) -> None:
    """Bound the memory of Redis to a little less than it uses, with a policy of eviction, for some time."""
    assert chain.redis.program is not None
    used = await processes.redis_memory(chain.redis.program.facts["port"])
    await _redis(chain, f"CONFIG SET maxmemory-policy {policy}")
    await _redis(chain, f"CONFIG SET maxmemory {round(used * MAXMEMORY_SHARE)}")
    await _pass(chain, (4.0, 5.0))
    await _redis(chain, "CONFIG SET maxmemory 0")
    await _redis(chain, "CONFIG SET maxmemory-policy noeviction")


# -- everything -------------------------------------------------------------------------------------------


async def _clocks(chain: Chain) -> None:
    """Kill a signalling server and a matchmaker; they return with other clocks."""
    for kind in ("signalserver", "matchmaker"):
        part = chain.one(kind)
        await part.kill()
        await _pass(chain)
        await part.begin()


async def _mixture(chain: Chain) -> None:
    """Have faults of all kinds at once, on parts and links that chance chooses."""

    async def links() -> None:
        for _ in range(6):
            kind = chain.chance.choice([kind for kind in chain.links if kind != WATCH])
            await chain.chance.choice(LINK_FAULTS)(chain.chance.choice(chain.links[kind]), chain)

    async def parts() -> None:
        for _ in range(3):
            part = chain.one(chain.chance.choice(("router", "matchmaker", "signalserver")))
            if chain.chance.random() < 0.5:
                await part.kill()
                await _pass(chain)
                await part.begin()
            else:
                with _suspended(part):
                    await _pass(chain)

    async def store() -> None:
        await _pass(chain)
        await _redis(chain, "FLUSHALL")

    async with asyncio.TaskGroup() as group:
        for each in (links(), links(), parts(), store()):
            group.create_task(each)


async def _nothing(chain: Chain) -> None:
    await _pass(chain, (10.0, 12.0))


NO_FAULTS: Final = "no faults"
ALL_FAULTS: Final = "delay with jitter, reset, half-open, silence up, silence down, byte by byte, 16 KiB/s"
SCENARIOS: Final = (
    Scenario(NO_FAULTS, "players lose their connections, leave and are lost, as in all scenarios", _nothing),
    *(
        Scenario(f"link {kind}", ALL_FAULTS, partial(_faulty_link, kind), may_refuse="signalserver" in kind)
        for kind in (
            "page-router",
            "router-matchmaker",
            "router-signalserver",
            "matchmaker-redis",
            "signalserver-redis",
            "streamer-signalserver",
        )
    ),
    Scenario(
        "silence router-signalserver",
        "one direction, 8 to 10 s",
        partial(_silent_for_long, "router-signalserver"),
        may_refuse=True,
    ),
    Scenario(
        "silence signalserver-redis",
        "one direction, 8 to 10 s",
        partial(_silent_for_long, "signalserver-redis"),
        may_refuse=True,
    ),
    Scenario("kill routers", "kill -9 of each, one after the other, and a new start", partial(_kill, "router")),
    Scenario("kill matchmakers", "the same", partial(_kill, "matchmaker")),
    Scenario("kill signalling servers", "the same", partial(_kill, "signalserver")),
    Scenario(
        "suspend a router", "SIGSTOP and SIGCONT, for 2 s and for 9 s", partial(_suspend, "router"), may_refuse=True
    ),
    Scenario("suspend a matchmaker", "the same", partial(_suspend, "matchmaker"), may_refuse=True),
    Scenario("suspend a signalling server", "the same", partial(_suspend, "signalserver"), may_refuse=True),
    Scenario("suspend Redis", "the same", partial(_suspend, "redis"), may_refuse=True),
    Scenario("descriptors", "RLIMIT_NOFILE at what is used and one more, connections reset", _no_descriptors),
    Scenario("Redis flushed", "FLUSHALL, twice", partial(_lose_data, "flush"), may_refuse=True, loses_data=True),
    Scenario(
        "Redis with old data",
        "kill -9, started with data of 0.5 s before, twice",
        partial(_lose_data, "failover"),
        may_refuse=True,
        loses_data=True,
    ),
    Scenario(
        "Redis replica promoted", "kill -9 of the primary, REPLICAOF NO ONE", _promote, may_refuse=True, loses_data=True
    ),
    Scenario(
        "Redis evicts",
        "maxmemory below the used memory, allkeys-random",
        partial(_full, "allkeys-random"),
        may_refuse=True,
        loses_data=True,
    ),
    Scenario("Redis is full", "maxmemory below the used memory, noeviction", partial(_full, "noeviction")),
    Scenario(
        "clocks",
        "wall clocks of the services up to 25 s ahead or behind; kill -9, and a start with another clock",
        _clocks,
        clock=lambda chain: chain.chance.choice((-25.0, -5.0, 5.0, 25.0)),
    ),
    Scenario("all at once", "two links, one part and FLUSHALL", _mixture, may_refuse=True, loses_data=True),
)
