"""What only the memory store does; the contract that it keeps is in test_store.py."""

import asyncio

from pixelfleet.fleet.memory import MemoryFleetStore
from tests.unit.pixelfleet.fleet.stores import streamer, ticket


async def test_without_a_clock_it_goes_by_that_of_the_loop() -> None:
    before = asyncio.get_running_loop().time()
    now = (await MemoryFleetStore().snapshot()).now
    assert before <= now <= asyncio.get_running_loop().time()


async def test_two_stores_share_nothing() -> None:
    one, other = MemoryFleetStore(), MemoryFleetStore()
    await one.report([streamer()], server_id="s1", sequence=1)
    await one.join(ticket("p"))
    known = await other.snapshot()
    assert (known.streamers, known.queue) == ((), ())


async def test_a_snapshot_is_not_touched_by_what_comes_after() -> None:
    store = MemoryFleetStore()
    await store.report([streamer()], server_id="s1", sequence=1)
    await store.join(ticket("p"))
    before = await store.snapshot()
    await store.match()
    await store.report([], server_id="s1", sequence=2)
    assert [each.ticket.session_id for each in before.queue] == ["p"]
    assert [each.key for each in before.streamers] == ["s1/cam"]
    assert before.leases == ()


async def test_ten_thousand_can_wait_and_a_match_costs_little() -> None:
    store = MemoryFleetStore()
    for number in range(10_000):
        await store.join(ticket(f"p{number}"))
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for sequence in range(1, 21):
        await store.report([streamer(capacity=sequence)], server_id="s1", sequence=sequence)
        await store.match()
    assert len((await store.snapshot()).leases) == 20
    assert loop.time() - begun < 2.0
