"""Resets and failovers, which only the store on Redis has, and the keys that remain."""

from pathlib import Path

import pytest
from redis.asyncio import Redis

from pixelfleet.fleet.bounds import ARRIVAL_SECONDS, UNUSED_SECONDS, WARM_UP_SECONDS
from pixelfleet.fleet.model import Lease, LeaseState, Ticket
from pixelfleet.fleet.store import FleetStore, StoreUnavailableError
from tests.parts import eventually
from tests.unit.pixelfleet.fleet.redis_servers import RedisServer, redis_server
from tests.unit.pixelfleet.fleet.stores import Clock, Fleet, empty_store, streamer, ticket

A_BIT = 0.01


async def flush(server: RedisServer) -> None:
    async with Redis.from_url(server.url) as redis:
        await redis.flushall()


async def back_again(store: FleetStore) -> None:
    await eventually(store.totals, "the store is back", tolerating=(StoreUnavailableError,))


async def restore(fleet: Fleet, waiting: list[tuple[Ticket, float]], *leases: Lease) -> None:
    await fleet.store.restore("r1", waiting, [(ticket(lease.session_id), lease) for lease in leases])


async def test_a_new_store_warms_up(own_redis: RedisServer) -> None:
    async with empty_store(own_redis.url, clock := Clock()) as store:
        fleet = Fleet(store, clock)
        await flush(own_redis)
        fleet.clock.advance(A_BIT)
        await fleet.reports(streamer())
        await fleet.waits(ticket("p"))
        assert (await fleet.renews()).warming_up
        fleet.clock.advance(WARM_UP_SECONDS - A_BIT)
        assert (await store.totals()).warming_up
        assert await store.reserve(ticket("page")) is None
        fleet.clock.advance(2 * A_BIT)
        assert not (await store.totals()).warming_up
        assert await fleet.matches() == {"p": "s1/cam"}


async def test_after_a_flush_the_fleet_is_restored_in_the_old_order(own_redis: RedisServer) -> None:
    async with empty_store(own_redis.url, clock := Clock()) as store:
        fleet = Fleet(store, clock)
        await fleet.reports(streamer("s1"))
        await fleet.reports(streamer("s2"))
        held, claimed = await fleet.gets(ticket("held")), await fleet.gets(ticket("claimed"))
        await fleet.reports(streamer("s1", sessions=("held",)))
        waiting = []
        for session in ("first", "second", "third"):
            placed = await fleet.waits(ticket(session))
            waiting.append((placed.ticket, placed.arrived))
            clock.advance(0.2)
        epoch = (await fleet.renews()).epoch

        await flush(own_redis)
        clock.advance(0.2)
        renewal = await store.renew("r1", epoch)
        assert (renewal.epoch != epoch, renewal.warming_up, renewal.sessions) == (True, True, 0)
        assert await fleet.waits(ticket("late"))
        late = (await fleet.snapshot()).queue[0]
        await restore(fleet, [*reversed(waiting), (late.ticket, late.arrived)], held, claimed)
        await fleet.reports(streamer("s1", sessions=("held",)))
        await fleet.reports(streamer("s2"))
        assert await fleet.queue() == ["first", "second", "third", "late"]
        states = {name: lease.state for name, lease in (await fleet.leases()).items()}
        assert states == {"held": LeaseState.HELD, "claimed": LeaseState.CLAIMED}
        assert (await store.totals()).apps["app"].used == 2

        begun = clock.now
        while clock.now < begun + WARM_UP_SECONDS:
            assert (await store.renew("r1", epoch)).warming_up
            assert await fleet.queue() == ["first", "second", "third", "late"]
            await fleet.reports(streamer("s1", sessions=("held",)))
            await fleet.reports(streamer("s2", sessions=("claimed",)))
            await fleet.reports(streamer("s3"))
            clock.advance(0.5)
        assert [lease.session_id for lease in (await store.renew("r1", renewal.epoch)).leases] == ["first"]


async def test_tickets_of_many_lanes_are_all_matched_after_the_warm_up(own_redis: RedisServer) -> None:
    async with empty_store(own_redis.url, clock := Clock()) as store:
        fleet = Fleet(store, clock)
        await flush(own_redis)
        clock.advance(A_BIT)
        for number in range(200):
            await fleet.reports(streamer(f"s{number:03}", f"cam{number:03}"))
            await fleet.waits(ticket(f"p{number:03}", wants=f"cam{number:03}"))
        clock.advance(WARM_UP_SECONDS + A_BIT)
        for _ in range(5):
            await store.totals()
        assert len(await fleet.matches()) == 200


async def test_a_restarted_redis_begins_a_new_epoch(own_redis: RedisServer) -> None:
    async with empty_store(own_redis.url, clock := Clock()) as store:
        epoch = (await store.renew("r1", "")).epoch
        own_redis.kill()
        with pytest.raises(StoreUnavailableError):
            await store.renew("r1", epoch)
        own_redis.start()
        clock.advance(A_BIT)
        await back_again(store)
        renewal = await store.renew("r1", epoch)
        assert renewal.epoch != epoch
        assert renewal.warming_up


async def test_a_restarted_redis_with_data_warms_up(tmp_path: Path) -> None:
    with redis_server(tmp_path, "--appendonly", "yes", "--appendfsync", "always") as server:
        async with empty_store(server.url, clock := Clock()) as store:
            fleet = Fleet(store, clock)
            epoch = (await store.renew("r1", "")).epoch
            await fleet.reports(streamer(ready=False))
            await fleet.joins("p")
            server.kill()
            server.start()
            clock.advance(A_BIT)
            await back_again(store)
            renewal = await store.renew("r1", epoch)
            assert (renewal.epoch != epoch, renewal.warming_up, renewal.sessions) == (True, True, 1)
            await fleet.reports(streamer())
            await fleet.passes(WARM_UP_SECONDS - A_BIT, servers=("s1",))
            assert await fleet.queue() == ["p"]
            await fleet.passes(2 * A_BIT, servers=("s1",))
            assert list(await fleet.matches()) == ["p"]


@pytest.mark.parametrize("first", ["the server", "the replica"])
async def test_an_operator_drain_is_restored_after_a_flush(own_redis: RedisServer, first: str) -> None:
    async with empty_store(own_redis.url, clock := Clock()) as store:
        fleet = Fleet(store, clock)
        await fleet.reports(streamer("s1"))
        await store.set_operator_drain("s1/cam", on=True)
        renewal = await fleet.renews()
        assert renewal.operator_drained == ("s1/cam",)
        await flush(own_redis)
        clock.advance(0.2)
        if first == "the server":
            await fleet.reports(streamer("s1"))
        assert (await store.renew("r1", renewal.epoch)).operator_drained == ()
        await store.restore("r1", [], [], [], renewal.operator_drained)
        await fleet.reports(streamer("s1"))
        await fleet.passes(ARRIVAL_SECONDS, servers=("s1",))
        await fleet.waits(ticket("p"))
        await store.set_operator_drain("s1/cam", on=False)
        # After its recovery the store does not restore operator drains.
        await store.restore("r2", [], [], [], renewal.operator_drained)
        assert await fleet.matches() == {"p": "s1/cam"}
        assert (await fleet.renews()).operator_drained == ()


async def test_the_end_of_a_session_of_a_dropped_app_leaves_no_key(own_redis: RedisServer) -> None:
    async with empty_store(own_redis.url, clock := Clock()) as store:
        fleet = Fleet(store, clock)
        reported = await fleet.reports(streamer(legacy=True), owner="r2")
        await fleet.gets(ticket("p"))
        await fleet.reports(server="s1", owner="r2", fence=reported.fence)
        for _ in range(int(UNUSED_SECONDS / 4)):
            clock.advance(5.0)
            await fleet.renews("r1", "r2")
        assert not (await store.totals()).apps
        assert list(await fleet.leases()) == ["p"]
        await store.leave("p")
        async with Redis.from_url(own_redis.url) as redis:
            assert not await redis.keys("*:ends:*")


async def test_data_of_the_previous_release_are_read(own_redis: RedisServer) -> None:
    """It writes neither the policies nor renewals into `epoch`, and no `end` flag of a server."""
    async with empty_store(own_redis.url, clock := Clock()) as store:
        fleet = Fleet(store, clock)
        await store.set_policies({"app": "oldest"})
        await fleet.reports(streamer("s1"))
        clock.advance(A_BIT)
        await fleet.reports(streamer("s2"))
        await fleet.gets(ticket("p"))
        await store.end((await fleet.gets(ticket("q"))).session_id)
        await fleet.reports(streamer("s1", sessions=("p",)))
        await store.end("p")
        async with Redis.from_url(own_redis.url) as redis:
            (epoch,) = await redis.keys("*:epoch")
            (server,) = await redis.keys("*:v:s1")
            await redis.hdel(epoch, "pol", "r:r1")
            assert await redis.hdel(server, "end") == 1
        assert (await fleet.reports(streamer("s1", sessions=("p",)))).end == ("p",)
        await store.leave("q")
        await fleet.reports(streamer("s1"))
        assert (await fleet.gets(ticket("next"))).streamer.key == "s1/cam"


async def test_no_key_outlives_its_owner(own_redis: RedisServer) -> None:
    async with empty_store(own_redis.url, clock := Clock()) as store:
        fleet = Fleet(store, clock)
        await store.set_policies({"app": "pack"})
        await fleet.reports(streamer("s1", capacity=3, node="n1", labels={"region": "eu"}))
        await fleet.reports(streamer("s2", "other", node="n2", legacy=True), owner="r2")
        for session in ("held", "claimed", "leaves", "waits"):
            await store.join(ticket(session, labels={"region": "eu"}))
        await store.join(ticket("legacy", wants="other"))
        await store.join(ticket("spectator", wants="cam", may_share=True))
        await store.reserve(ticket("page"))
        await fleet.reports(
            streamer("s1", capacity=3, node="n1", labels={"region": "eu"}, sessions=("held",)), server="s1"
        )
        await store.give_back("claimed", unreachable=True)
        await store.set_operator_drain("s1/cam", on=True)
        await store.join(ticket("kicked", person="ada"))
        await store.end("held", server_id="s1", kick_seconds=1.0)
        for session in ("waits", "kicked"):
            await store.end(session, kick_seconds=0.001)
        await store.leave("leaves")
        lease = (await fleet.leases())["legacy"]
        await store.restore("r3", [(ticket("restored", replica="r3"), 900.0)], [(ticket("far", replica="r3"), lease)])
        for _ in range(4):
            clock.advance(3700)
            await store.totals()
        async with Redis.from_url(own_redis.url) as redis:
            remaining = {str(key).partition("}:")[2].rstrip("'") for key in await redis.keys("*")}
    assert remaining == {"epoch", "policies"}
