"""What only the memory store does; the contract that it keeps is in test_store.py and test_store_leases.py."""

import time

from pixelfleet.fleet.memory import MemoryFleetStore
from pixelfleet.fleet.model import ServerReport
from tests.unit.pixelfleet.fleet.stores import streamer, ticket


async def test_without_a_clock_it_tells_unix_time() -> None:
    before = time.time()
    now = (await MemoryFleetStore().snapshot()).now
    assert before - 1 < now < time.time() + 1


async def test_it_is_never_young_and_has_one_epoch() -> None:
    store = MemoryFleetStore()
    first, second = await store.keep("r1", ""), await store.keep("r1", "another")
    assert (first.young, second.young) == (False, False)
    assert first.epoch == second.epoch != ""


async def test_two_stores_share_nothing() -> None:
    one, other = MemoryFleetStore(), MemoryFleetStore()
    await one.report(ServerReport(server_id="s1", sequence=1, streamers=(streamer(),)))
    await one.join(ticket("p"))
    known = await other.snapshot()
    assert (known.streamers, known.leases, known.queue) == ((), (), ())


async def test_a_snapshot_is_not_touched_by_what_comes_after() -> None:
    store = MemoryFleetStore()
    await store.join(ticket("p"))
    before = await store.snapshot()
    await store.report(ServerReport(server_id="s1", sequence=1, streamers=(streamer(),)))
    assert [each.ticket.session_id for each in before.queue] == ["p"]
    assert (before.streamers, before.leases) == ((), ())


async def test_what_was_announced_before_somebody_waits_is_heard() -> None:
    store = MemoryFleetStore()
    await store.join(ticket("p"))
    await store.report(ServerReport(server_id="s1", sequence=1, streamers=(streamer(),)))
    assert await store.wait("r1", 0)
    assert not await store.wait("r1", 0)
