"""The calls of a replica to the store, also while it is unavailable and after a reset."""

from typing import Any

import pytest

from matchmaker.broker import BATCH_SIZE, CONTACT_SECONDS
from matchmaker.notices import Matched
from pixelfleet.fleet.bounds import ARRIVAL_SECONDS, EXPIRY_SECONDS, RENEW_SECONDS
from pixelfleet.fleet.model import LeaseState, Ticket
from pixelfleet.fleet.store import Placed, StoreUnavailableError
from pixelfleet.service.lifecycle import background
from tests.parts import eventually
from tests.unit.matchmaker.brokers import BrokerDriver, RecordingPlayer, Store, ticket


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
async def driver(store: Store) -> BrokerDriver:
    return BrokerDriver(store)


async def ready(driver: BrokerDriver) -> None:
    assert await driver.renew()


# -- normal operation -------------------------------------------------------------------------------


async def test_a_player_gets_a_free_streamer_and_the_next_one_waits_for_it(driver: BrokerDriver) -> None:
    await ready(driver)
    await driver.store.streamer(legacy=True)
    first, second = await driver.join(2)
    assert (first.events, second.events) == (["matched"], ["waits"])
    assert list(driver.broker.waiting) == [second.ticket.session_id]
    await driver.leave(first.ticket.session_id)
    await driver.renew()
    assert second.events == ["waits", "matched"]
    assert second.leases[0].state is LeaseState.CLAIMED
    assert not driver.broker.waiting


async def test_a_signalling_server_owns_the_session_after_the_arrival(driver: BrokerDriver) -> None:
    await driver.store.streamer()
    (player,) = await driver.join()
    driver.broker.arrived(player.ticket.session_id)
    assert not driver.broker.owns(player.ticket.session_id)
    await driver.leave(player.ticket.session_id)
    assert driver.store.calls_of("leave") == []


async def test_the_replica_owns_a_session_with_a_legacy_server(driver: BrokerDriver) -> None:
    await driver.store.streamer(legacy=True)
    (player,) = await driver.join()
    driver.broker.arrived(player.ticket.session_id)
    assert driver.broker.owns(player.ticket.session_id)
    await driver.leave(player.ticket.session_id)
    assert driver.store.calls_of("leave") == [(player.ticket.session_id, "here", False)]


async def test_an_unreachable_streamer_is_given_back_for_another_one(driver: BrokerDriver) -> None:
    await driver.store.streamer(1)
    await driver.store.streamer(2)
    (player,) = await driver.join()
    lost = player.leases[0].streamer.key
    await driver.give_back(player)
    assert driver.store.calls_of("give_back") == [(player.ticket.session_id, lost, True)]
    assert [lease.streamer.key for lease in player.leases] == [lost, "s1/cam" if lost == "s2/cam" else "s2/cam"]


async def test_a_player_that_gives_back_keeps_its_position(driver: BrokerDriver) -> None:
    await driver.store.streamer()
    first, second = await driver.join(2)
    await driver.give_back(first)
    assert first.events == ["matched", "waits"]
    # With a single replica, a streamer that it cannot reach is quarantined.
    assert await driver.queue() == [first.ticket.session_id, second.ticket.session_id]


async def test_a_store_that_refuses_this_replica_is_known_until_it_answers(driver: BrokerDriver) -> None:
    async def is_refused() -> bool:
        await driver.renew()
        return driver.broker.refused

    driver.store.unavailable = True
    assert not await is_refused()
    driver.store.refuses = True
    assert await is_refused()
    driver.store.unavailable = False
    assert not await is_refused()


async def test_a_session_ended_by_an_operator_is_a_notice(driver: BrokerDriver) -> None:
    (player,) = await driver.join()
    assert await driver.store.inner.end(player.ticket.session_id)
    await driver.renew()
    assert player.events == ["waits", "ended"]


async def test_a_kicked_person_is_refused(driver: BrokerDriver) -> None:
    (player,) = await driver.join(person="ada")
    assert await driver.store.inner.end(player.ticket.session_id, kick_seconds=60.0)
    (again,) = await driver.join(person="ada")
    driver.store.unavailable = True
    (later,) = await driver.join(person="ada")
    driver.store.unavailable = False
    await driver.renew()
    assert again.events == ["kicked"]
    assert later.events == ["waits", "unavailable", "ended"]
    assert not driver.broker.owns(later.ticket.session_id)


async def test_a_lease_of_a_player_that_left_is_returned(driver: BrokerDriver) -> None:
    (player,) = await driver.join()
    session = player.ticket.session_id
    driver.broker.sessions.remove(session)
    await driver.store.streamer()
    await driver.renew()
    assert driver.store.calls_of("leave") == [(session, "here")]
    assert not (await driver.store.inner.snapshot()).leases


async def matched_twice(driver: BrokerDriver) -> RecordingPlayer:
    """Return a player that got a second lease, because its arrival was not reported in time."""

    async def advance(seconds: float) -> None:
        driver.now += seconds
        driver.store.clock.now += seconds
        for number in (1, 2):
            await driver.store.streamer(number, sequence=round(driver.store.clock.now * 1000))

    await ready(driver)
    await advance(0.0)
    (player,) = await driver.join()
    for _ in range(3):
        await advance(ARRIVAL_SECONDS / 4)
        await ready(driver)
    await advance(ARRIVAL_SECONDS / 4 + 0.1)
    return player


async def sessions_in_store(driver: BrokerDriver) -> list[str]:
    """Return the ids of all sessions in the store."""
    snapshot = await driver.store.inner.snapshot()
    return [lease.session_id for lease in snapshot.leases] + await driver.queue()


async def test_a_second_lease_is_returned_before_the_first_is_given_back(driver: BrokerDriver) -> None:
    # Otherwise the return of the second lease would end the session that waits again.
    player = await matched_twice(driver)
    await driver.broker.renew()
    await driver.give_back(player)
    await driver.broker.departures.send()
    assert await sessions_in_store(driver) == [player.ticket.session_id]
    assert player.events == ["matched", "matched"]


async def test_a_second_lease_is_returned_before_the_first_is_restored(driver: BrokerDriver) -> None:
    player = await matched_twice(driver)
    driver.now += EXPIRY_SECONDS
    await driver.renew()
    assert len(driver.store.calls_of("restore")) == 1
    (lease,) = (await driver.store.inner.snapshot()).leases
    assert (lease.session_id, lease.streamer) == (player.ticket.session_id, player.leases[0].streamer)


# -- the store is unavailable -----------------------------------------------------------------------


async def test_deferred_tickets_are_sent_later_in_order(driver: BrokerDriver) -> None:
    await ready(driver)
    before = await driver.join(2)
    driver.store.unavailable = True
    meanwhile = await driver.join(250)
    assert {tuple(player.events) for player in meanwhile} == {("waits", "unavailable")}
    driver.store.unavailable = False
    late = await driver.join(1)
    await driver.renew()
    expected = [player.ticket.session_id for player in [*before, *meanwhile, *late]]
    assert await driver.queue() == expected
    assert {tuple(player.events) for player in meanwhile} == {("waits", "unavailable", "available")}


@pytest.mark.parametrize("fail_after", [1, 2, BATCH_SIZE // 2, BATCH_SIZE + 1, BATCH_SIZE + 7])
async def test_a_second_failure_while_sending_keeps_the_order(driver: BrokerDriver, fail_after: int) -> None:
    driver.store.unavailable = True
    players = await driver.join(250)
    driver.store.unavailable, driver.store.fail_after = False, fail_after
    assert not await driver.renew()
    calls = len(driver.store.calls_of("join"))
    assert calls <= 1 + fail_after + BATCH_SIZE, "the broker does not stop at the failure"
    driver.store.unavailable, driver.store.fail_after = False, None
    assert await driver.renew()
    assert await driver.queue() == [player.ticket.session_id for player in players]


async def test_waiting_players_are_notified_once_per_outage(driver: BrokerDriver) -> None:
    await ready(driver)
    (player,) = await driver.join()
    for _ in range(2):
        driver.store.unavailable = True
        for _ in range(3):
            assert not await driver.renew()
        driver.store.unavailable = False
        await driver.renew()
        await driver.renew()
    assert player.events == ["waits", "unavailable", "available", "unavailable", "available"]


async def test_failed_departures_are_sent_again(driver: BrokerDriver) -> None:
    first, second = await driver.join(2)
    driver.store.unavailable = True
    await driver.leave(first.ticket.session_id)
    assert await driver.queue() == [first.ticket.session_id, second.ticket.session_id]
    driver.store.unavailable = False
    await driver.renew()
    assert await driver.queue() == [second.ticket.session_id]


async def test_a_player_that_leaves_with_a_deferred_ticket_is_never_sent(driver: BrokerDriver) -> None:
    driver.store.unavailable = True
    (player,) = await driver.join()
    await driver.leave(player.ticket.session_id)
    driver.store.unavailable = False
    await driver.renew()
    assert await driver.queue() == []
    assert len(driver.store.calls_of("join")) == 1


async def test_a_failed_give_back_is_deferred(driver: BrokerDriver) -> None:
    await driver.store.streamer()
    (player,) = await driver.join()
    driver.store.unavailable = True
    await driver.give_back(player)
    assert player.events == ["matched", "waits", "unavailable"]
    driver.store.unavailable = False
    await driver.renew()
    assert player.events[-1] == "matched"


async def test_a_refused_ticket_does_not_affect_other_players(driver: BrokerDriver) -> None:
    driver.store.unavailable = True
    await driver.join(3)
    driver.store.unavailable, driver.store.refuse_joins = False, True
    assert await driver.renew()
    assert all(
        player.events == ["waits", "unavailable", "refused: too many different choices"] for player in driver.players
    )
    assert len(driver.broker) == 0
    (late,) = await driver.join()
    assert late.events == ["refused: too many different choices"]


# -- after a store reset ----------------------------------------------------------------------------


@pytest.mark.parametrize(("elapsed", "pause"), [(0.0, RENEW_SECONDS), (2.2, 0.3), (2.5, RENEW_SECONDS)])
async def test_the_heartbeat_after_the_warm_up_is_sent_at_once(
    driver: BrokerDriver, elapsed: float, pause: float
) -> None:
    await driver.store.inner._runner.run("epoch", "another process")
    driver.store.clock.now += elapsed
    async with background(driver.broker.run()):
        await eventually(lambda: driver.store.calls_of("wait"), "the broker waits for its next heartbeat")
    assert driver.store.calls_of("wait")[0] == ("here", pytest.approx(pause, abs=1e-3))


async def test_the_heartbeat_is_repeated_soon_while_the_store_is_unavailable(
    driver: BrokerDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matchmaker.broker.RENEW_SECONDS", 600.0)
    driver.store.unavailable = True
    async with background(driver.broker.run()):
        await eventually(lambda: len(driver.store.calls_of("renew")) > 1, "the broker tries again")
        driver.store.unavailable = False
        await eventually(lambda: driver.store.calls_of("wait"), "the store has answered")


async def test_all_sessions_are_restored_in_order_after_a_store_reset(driver: BrokerDriver) -> None:
    await ready(driver)
    streamer = await driver.store.streamer(legacy=True)
    playing, *waiting = await driver.join(5)
    driver.store.reset()
    await driver.renew()
    assert await driver.queue() == [player.ticket.session_id for player in waiting]
    (lease,) = (await driver.store.inner.snapshot()).leases
    assert (lease.session_id, lease.streamer.key) == (playing.ticket.session_id, streamer.key)
    assert driver.restored == 1
    await driver.renew()
    assert driver.restored == 1


async def test_handed_over_sessions_are_restored_only_after_a_store_reset(driver: BrokerDriver) -> None:
    await ready(driver)
    await driver.store.streamer()
    (player,) = await driver.join()
    session = player.ticket.session_id
    driver.broker.arrived(session)
    driver.now += EXPIRY_SECONDS + 1
    await driver.renew()
    assert driver.store.calls_of("restore") == [("here", [], [], [], ())]
    driver.store.reset()
    await driver.store.streamer(sessions=(session,))
    await driver.renew()
    (lease,) = (await driver.store.inner.snapshot()).leases
    assert (lease.session_id, lease.replica_id, lease.state) == (session, "here", LeaseState.HELD)
    driver.now += EXPIRY_SECONDS + 1
    await driver.renew()
    assert driver.store.calls_of("restore")[-1] == ("here", [], [], [session], ())


@pytest.mark.parametrize("ended_by", ["the player", "an operator"])
async def test_the_end_of_a_restored_session_is_reported(driver: BrokerDriver, ended_by: str) -> None:
    await ready(driver)
    await driver.store.streamer()
    (player,) = await driver.join()
    session = player.ticket.session_id
    driver.broker.arrived(session)
    driver.store.reset()
    await driver.renew()
    assert [lease.session_id for lease in (await driver.store.inner.snapshot()).leases] == [session]
    if ended_by == "an operator":
        assert await driver.store.inner.end(session)
        await driver.renew()
        assert player.events[-1] == "ended"
    await driver.leave(session)
    assert (await driver.store.inner.snapshot()).leases == ()


async def test_operator_drains_are_restored_after_a_store_reset(driver: BrokerDriver) -> None:
    streamer = await driver.store.streamer()
    await driver.store.inner.set_operator_drain(streamer.key, on=True)
    await ready(driver)
    driver.store.reset()
    driver.store.fail_after = 1
    assert not await driver.renew()
    driver.store.unavailable, driver.store.fail_after = False, None
    await driver.renew()
    assert driver.store.calls_of("restore")[-1] == ("here", [], [], [], (streamer.key,))


async def test_expired_sessions_are_restored(driver: BrokerDriver) -> None:
    await ready(driver)
    (player,) = await driver.join()
    driver.store.clock.now += EXPIRY_SECONDS + 1
    driver.now += EXPIRY_SECONDS + 1
    await driver.store.inner.totals()  # any call removes expired sessions
    assert await driver.queue() == []
    await driver.renew()
    assert await driver.queue() == [player.ticket.session_id]


async def test_a_lease_is_used_only_after_recent_contact_with_the_store(driver: BrokerDriver) -> None:
    assert not driver.broker.may_dial()
    await ready(driver)
    assert driver.broker.may_dial()
    driver.now += CONTACT_SECONDS - 0.01
    assert driver.broker.may_dial()
    driver.now += 0.01
    assert not driver.broker.may_dial()
    driver.store.unavailable = True
    await driver.renew()
    assert not driver.broker.may_dial()


# -- shutdown ---------------------------------------------------------------------------------------


async def test_leave_queue_ends_only_waiting_sessions(driver: BrokerDriver) -> None:
    await driver.store.streamer(legacy=True)
    playing, *_ = await driver.join(250)
    await driver.broker.leave_queue()
    assert await driver.queue() == []
    assert driver.broker.owns(playing.ticket.session_id)
    assert driver.broker.has_pending_work
    await driver.leave(playing.ticket.session_id)
    assert not driver.broker.has_pending_work


async def test_a_player_that_leaves_during_its_join_is_removed(
    driver: BrokerDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = ticket()
    join = driver.store.inner.join

    async def join_slowly(ticket: Ticket, **options: Any) -> Placed:
        driver.broker.leave(ticket.session_id)
        return await join(ticket, **options)

    monkeypatch.setattr(driver.store.inner, "join", join_slowly)
    assert await driver.broker.join(waiting) is None
    await driver.broker.departures.send()
    assert await driver.queue() == []
    assert driver.broker.notices.empty()


@pytest.mark.parametrize("answered", [True, False])
async def test_a_lease_delivered_during_a_call_is_its_result_and_no_notice(
    driver: BrokerDriver, monkeypatch: pytest.MonkeyPatch, answered: bool
) -> None:
    await ready(driver)
    join = driver.store.inner.join

    async def join_slowly(ticket: Ticket, **options: Any) -> Placed:
        placed = await join(ticket, **options)
        await driver.store.streamer()
        await driver.broker.renew()
        if not answered:
            raise StoreUnavailableError("the answer was lost")
        return placed

    monkeypatch.setattr(driver.store.inner, "join", join_slowly)
    lease = await driver.broker.join(ticket())
    assert lease is not None
    assert lease.session_id == ticket().session_id
    notices = [driver.broker.notices.get_nowait() for _ in range(driver.broker.notices.qsize())]
    assert not any(isinstance(notice, Matched) for notice in notices)
