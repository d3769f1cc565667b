"""A Redis whose memory is full, with the policy noeviction: it refuses new players, and everything else continues."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pixelfleet.fleet.store import FleetStore, StoreUnavailableError
from tests.parts import eventually
from tests.unit.pixelfleet.fleet.redis_servers import RedisServer, ask, redis_server
from tests.unit.pixelfleet.fleet.stores import Clock, Fleet, empty_store, streamer, ticket

ROOM_BYTES = 200_000
MOST_JOINS = 5_000

WITHOUT_FUNCTIONS = ("--rename-command", "FUNCTION", "")


@pytest.fixture(params=[(), WITHOUT_FUNCTIONS], ids=["functions", "scripts"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    """A server that runs the scripts as functions, and one that runs them one by one."""
    with redis_server(tmp_path, "--maxmemory-policy", "noeviction", *request.param) as opened:
        yield opened


@asynccontextmanager
async def fleet_on(server: RedisServer) -> AsyncIterator[Fleet]:
    async with empty_store(server.url, clock := Clock()) as store:
        yield Fleet(store, clock)


async def limit_memory(server: RedisServer, more_bytes: int) -> None:
    """Limit the server to the memory that it uses now, and some more."""
    used = next(line for line in str(await ask(server.url, "INFO", "memory")).split(",") if "'used_memory'" in line)
    await ask(server.url, "CONFIG", "SET", "maxmemory", int(used.partition(":")[2]) + more_bytes)


async def join_until_refused(store: FleetStore) -> list[str]:
    """Join until the store refuses; return the sessions that wait."""
    joined: list[str] = []
    for number in range(MOST_JOINS):
        try:
            await store.join(ticket(f"more-{number}"))
        except StoreUnavailableError:
            return joined
        joined.append(f"more-{number}")
    raise AssertionError("the store was never full")


async def test_a_full_store_recovers_when_its_players_leave(server: RedisServer) -> None:
    async with fleet_on(server) as fleet:
        store = fleet.store
        # The server allocates latency statistics at the first use of each command, and keeps them.
        await fleet.waits(ticket("first"))
        await store.leave("first")
        await limit_memory(server, ROOM_BYTES)
        joined = await join_until_refused(store)
        await store.leave(*joined)
        assert await fleet.queue() == []
        await fleet.waits(ticket("later"))


async def test_a_full_store_keeps_its_fleet_and_ends_sessions(server: RedisServer) -> None:
    async with fleet_on(server) as fleet:
        store = fleet.store
        await fleet.reports(streamer("s1"))
        await fleet.reports(streamer("s2"))
        held, claimed = await fleet.gets(ticket("held")), await fleet.gets(ticket("claimed"))
        await fleet.reports(streamer("s1", sessions=("held",)))
        for session in ("a", "b", "c", "d"):
            await fleet.waits(ticket(session))
        await ask(server.url, "CONFIG", "SET", "maxmemory", "1")
        with pytest.raises(StoreUnavailableError, match="memory"):
            await store.join(ticket("new"))
        with pytest.raises(StoreUnavailableError, match="memory"):
            await store.redeem("new", fleet.clock.now + 10)

        await fleet.passes(20.0, servers=("s1", "s2"))
        assert set(await fleet.matches()) >= {held.session_id}, "heartbeats are accepted"
        assert await store.end("held")
        assert (await fleet.reports(streamer("s1", sessions=("held",)))).end == ("held",)
        await fleet.reports(streamer("s1"), ended=("held",))
        assert (await fleet.matches())["a"], "a freed slot goes to the next player"
        await store.give_back("a", unreachable=True)
        await store.set_operator_drain("s2/cam", on=True)
        await store.leave("a", "b", "c", "d", claimed.session_id)
        assert await fleet.queue() == []


async def test_a_replica_connects_to_a_full_store_and_restores(server: RedisServer) -> None:
    async with fleet_on(server) as fleet:
        await fleet.waits(ticket("stays"))
        await fleet.waits(ticket("gone"))
        stays = (await fleet.snapshot()).queue[0]
        await ask(server.url, "CONFIG", "SET", "maxmemory", "1")
        connection = (await fleet.renews()).connection
        await ask(server.url, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        renewal = await eventually(fleet.renews, "the store is back", tolerating=(StoreUnavailableError,))
        assert renewal.connection != connection
        await fleet.store.restore("r1", [(stays.ticket, stays.arrived)], [])
        assert await fleet.queue() == ["stays"]
