"""Sessions that the store has lost are found and sent again."""

import asyncio

import pytest

from matchmaker.restatement import DIFFERENCE_SECONDS, DIFFERENCES, RESTATE_SECONDS, RESTATED_AT_ONCE
from tests.unit.matchmaker.brokers import BrokerDriver, Store


@pytest.fixture
async def driver() -> BrokerDriver:
    """A broker after its first heartbeat."""
    driver = BrokerDriver(Store())
    assert await driver.renew()
    return driver


def pass_time(driver: BrokerDriver, seconds: float) -> None:
    """Let time pass, during which heartbeats were answered."""
    driver.now += seconds
    driver.broker._last_contact = driver.now


async def lose(driver: BrokerDriver, *keys: str) -> None:
    """Delete keys of the store, as a server does that evicts."""
    for key in keys:
        assert (await driver.store.inner._runner.read(("DEL", key))) == [1]


async def test_a_player_whose_queue_entry_is_lost_is_matched(driver: BrokerDriver) -> None:
    (player,) = await driver.join()
    await lose(driver, "lane:default\x1f", "wait:default")
    await driver.store.streamer()
    await driver.renew()
    assert player.events == ["waits"]
    pass_time(driver, 1.5 * RESTATE_SECONDS)
    await driver.renew()
    await driver.renew()
    assert player.events == ["waits", "matched"]


async def test_lost_sessions_are_sent_again_when_the_store_has_fewer_than_the_replica(driver: BrokerDriver) -> None:
    first, second = await driver.join(2)
    await lose(driver, f"t:{first.ticket.session_id}", "rt:here", "lane:default\x1f")
    for _ in range(DIFFERENCES):
        assert driver.store.calls_of("restore") == []
        await driver.renew()
    ((_, tickets, leases, complete),) = driver.store.calls_of("restore")
    assert [each.session_id for each, _ in tickets] == [first.ticket.session_id, second.ticket.session_id]
    assert (leases, complete) == ([], False)
    assert await driver.queue() == [first.ticket.session_id, second.ticket.session_id]
    for _ in range(DIFFERENCES + 1):
        await driver.renew()
    assert len(driver.store.calls_of("restore")) == 1


async def test_a_lost_lease_is_sent_again(driver: BrokerDriver) -> None:
    await driver.store.streamer(legacy=True)
    (player,) = await driver.join()
    await lose(driver, f"t:{player.ticket.session_id}", "rt:here", "sl:s1/cam")
    for _ in range(DIFFERENCES):
        await driver.renew()
    (lease,) = (await driver.store.inner.snapshot()).leases
    assert lease.session_id == player.ticket.session_id


async def test_a_difference_that_lasts_causes_one_restatement_at_a_time(driver: BrokerDriver) -> None:
    (player,) = await driver.join()

    async def lose_and_renew(times: int) -> None:
        for _ in range(times):
            await driver.store.inner.leave(player.ticket.session_id)
            await driver.renew()

    await lose_and_renew(10)
    assert len(driver.store.calls_of("restore")) == 1
    pass_time(driver, DIFFERENCE_SECONDS)
    await lose_and_renew(DIFFERENCES)
    assert len(driver.store.calls_of("restore")) == 2


async def test_a_session_that_leaves_during_a_heartbeat_is_no_difference(driver: BrokerDriver) -> None:
    players = await driver.join(10)
    for player in players:
        heartbeat = asyncio.create_task(driver.broker.renew())
        driver.broker.leave(player.ticket.session_id)
        await driver.broker.departures.send()
        assert await heartbeat
    assert driver.store.calls_of("restore") == []


async def test_many_waiting_sessions_are_sent_again_in_parts(driver: BrokerDriver) -> None:
    players = await driver.join(RESTATED_AT_ONCE + 2)
    pass_time(driver, 1.5 * RESTATE_SECONDS)
    await driver.renew()
    await driver.leave(players[-1].ticket.session_id)
    await driver.renew()
    await driver.renew()
    assert [len(tickets) for _, tickets, _, _ in driver.store.calls_of("restore")] == [RESTATED_AT_ONCE, 1]
