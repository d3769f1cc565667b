"""Properties of the store in memory only; ../test_store.py and ../test_store_leases.py test the common contract."""

import asyncio
import time

import pytest

from pixelfleet.fleet.bounds import READ_CHUNK
from pixelfleet.fleet.memory import MemoryFleetStore
from pixelfleet.fleet.model import ServerReport
from tests.unit.pixelfleet.fleet.stores import streamer, ticket


async def test_the_default_clock_is_unix_time() -> None:
    before = time.time()
    now = (await MemoryFleetStore().snapshot()).now
    assert before - 1 < now < time.time() + 1


async def test_it_never_warms_up_and_has_one_epoch() -> None:
    store = MemoryFleetStore()
    first, second = await store.renew("r1", ""), await store.renew("r1", "another")
    assert (first.warming_up, second.warming_up) == (False, False)
    assert first.epoch == second.epoch != ""


async def test_two_stores_share_nothing() -> None:
    one, other = MemoryFleetStore(), MemoryFleetStore()
    await one.report(ServerReport(server_id="s1", sequence=1, streamers=(streamer(),)))
    await one.join(ticket("p"))
    known = await other.snapshot()
    assert (known.streamers, known.leases, known.queue) == ((), (), ())


async def test_a_snapshot_does_not_change_later() -> None:
    store = MemoryFleetStore()
    await store.join(ticket("p"))
    before = await store.snapshot()
    await store.report(ServerReport(server_id="s1", sequence=1, streamers=(streamer(),)))
    assert [each.ticket.session_id for each in before.queue] == ["p"]
    assert (before.streamers, before.leases) == ((), ())


async def test_an_announcement_before_a_wait_ends_it_at_once() -> None:
    store = MemoryFleetStore()
    await store.join(ticket("p"))
    await store.report(ServerReport(server_id="s1", sequence=1, streamers=(streamer(),)))
    assert await store.wait("r1", 0)
    assert not await store.wait("r1", 0)


async def test_a_snapshot_of_a_large_fleet_lets_other_tasks_run() -> None:
    store, others = MemoryFleetStore(lambda: 1_000_000.0), 0  # nothing expires, however slow the machine is
    streamers = tuple(streamer(endpoint=f"cam{number}", app="b") for number in range(10_000))
    await store.report(ServerReport(server_id="s1", sequence=1, streamers=streamers))
    for number in range(2_000):
        await store.join(ticket(f"p{number}"))

    async def turn() -> None:
        nonlocal others
        while True:
            others += 1
            await asyncio.sleep(0)

    turning = asyncio.create_task(turn())
    known = await store.snapshot()
    turning.cancel()
    assert (len(known.streamers), len(known.queue)) == (10_000, 2_000)
    assert others >= (10_000 + 2_000) / READ_CHUNK


async def test_changes_during_a_snapshot_are_no_error() -> None:
    store = MemoryFleetStore()
    streamers = tuple(streamer(endpoint=f"cam{number:04}") for number in range(2_000))
    await store.report(ServerReport(server_id="s1", sequence=1, streamers=streamers))
    taking = asyncio.create_task(store.snapshot())
    for _ in range(4):
        await asyncio.sleep(0)
    assert not taking.done()
    await store.report(ServerReport(server_id="s1", sequence=2))
    known = await taking
    assert 0 < len(known.streamers) < 2_000


async def test_each_replica_of_a_process_has_its_own_announcements() -> None:
    store = MemoryFleetStore()
    await store.join(ticket("p", replica="r2"))
    await store.report(ServerReport(server_id="s1", sequence=1, streamers=(streamer(),)))
    assert not await store.wait("r1", 0)
    assert await store.wait("r2", 0)


async def test_an_unencodable_text_fails_only_its_own_call() -> None:
    store = MemoryFleetStore()
    with pytest.raises(UnicodeEncodeError):
        await store.leave("\ud800")
    await store.join(ticket("p"))


async def test_the_clock_never_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryFleetStore()
    before = (await store.totals()).now
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert (await store.totals()).now >= before
