"""The contract of the fleet store, for every implementation of it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from pixelfleet.fleet.model import ARRIVAL_SECONDS, CLAIM_SECONDS, EXPIRY_SECONDS, HEARTBEAT_SECONDS, LeaseState
from pixelfleet.fleet.store import FleetStore
from tests.unit.pixelfleet.fleet.stores import Clock, Fleet, streamer, ticket

A_BIT = 0.01

# -- reports ----------------------------------------------------------------------------------------


async def test_an_empty_store_knows_nothing(fleet: Fleet) -> None:
    known = await fleet.snapshot()
    assert (known.streamers, known.leases, known.queue) == ((), (), ())
    assert known.now == pytest.approx(fleet.clock.now)
    assert await fleet.matches() == {}


async def test_a_report_is_known_as_it_was_made(fleet: Fleet) -> None:
    reported = streamer(labels={"region": "eu"}, capacity=3, sessions=("x",), draining=True, ready=False)
    await fleet.reports(reported)
    assert (await fleet.snapshot()).streamers == (reported,)


async def test_a_report_replaces_all_that_was_known_of_its_server_and_nothing_else(fleet: Fleet) -> None:
    await fleet.reports(streamer("s1", "a"), streamer("s1", "b"))
    await fleet.reports(streamer("s2", "a"))
    await fleet.reports(streamer("s1", "c"))
    assert {known.key for known in (await fleet.snapshot()).streamers} == {"s1/c", "s2/a"}


async def test_an_empty_report_says_that_the_server_has_no_streamer(fleet: Fleet) -> None:
    await fleet.reports(streamer("s1"))
    await fleet.reports(streamer("s2"))
    await fleet.reports(server="s1")
    assert [known.key for known in (await fleet.snapshot()).streamers] == ["s2/cam"]


async def test_an_older_report_changes_nothing(store: FleetStore, fleet: Fleet) -> None:
    await store.report([streamer(capacity=2)], server_id="s1", sequence=7)
    await store.report([streamer(capacity=9)], server_id="s1", sequence=6)
    await store.report([], server_id="s1", sequence=5)
    assert [known.capacity for known in (await fleet.snapshot()).streamers] == [2]


async def test_an_older_report_does_not_keep_a_server_alive(store: FleetStore, fleet: Fleet) -> None:
    await store.report([streamer()], server_id="s1", sequence=7)
    fleet.clock.advance(EXPIRY_SECONDS - A_BIT)
    await store.report([streamer()], server_id="s1", sequence=6)
    fleet.clock.advance(2 * A_BIT)
    assert (await fleet.snapshot()).streamers == ()


async def test_each_server_counts_its_own_reports(store: FleetStore, fleet: Fleet) -> None:
    await store.report([streamer("s1")], server_id="s1", sequence=1000)
    await store.report([streamer("s2")], server_id="s2", sequence=1)
    assert len((await fleet.snapshot()).streamers) == 2


async def test_a_report_holds_until_its_expiry(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    fleet.clock.advance(EXPIRY_SECONDS - A_BIT)
    assert len((await fleet.snapshot()).streamers) == 1
    fleet.clock.advance(2 * A_BIT)
    assert (await fleet.snapshot()).streamers == ()


async def test_a_repeated_report_holds_on(fleet: Fleet) -> None:
    for _ in range(5):
        await fleet.reports(streamer())
        fleet.clock.advance(HEARTBEAT_SECONDS * 2)
    assert len((await fleet.snapshot()).streamers) == 1


async def test_an_expired_streamer_is_promised_to_nobody(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.passes(EXPIRY_SECONDS + A_BIT)
    await fleet.joins("p")
    assert await fleet.matches() == {}


async def test_a_server_that_was_forgotten_may_count_from_the_beginning(store: FleetStore, fleet: Fleet) -> None:
    await store.report([streamer()], server_id="s1", sequence=50)
    fleet.clock.advance(EXPIRY_SECONDS + A_BIT)
    assert (await fleet.snapshot()).streamers == ()
    await store.report([streamer()], server_id="s1", sequence=1)
    assert len((await fleet.snapshot()).streamers) == 1


async def test_what_has_expired_is_forgotten_also_when_nobody_has_looked(store: FleetStore, fleet: Fleet) -> None:
    await store.report([streamer()], server_id="s1", sequence=50)
    fleet.clock.advance(EXPIRY_SECONDS + A_BIT)
    await store.report([streamer()], server_id="s1", sequence=1)
    assert len((await fleet.snapshot()).streamers) == 1


# -- the queue --------------------------------------------------------------------------------------


async def test_tickets_wait_in_the_order_of_their_arrival(fleet: Fleet) -> None:
    for session in ("c", "a", "b"):
        await fleet.joins(session)
        await fleet.passes(1.0)
    queue = (await fleet.snapshot()).queue
    assert [(each.ticket.session_id, each.position) for each in queue] == [("c", 1), ("a", 2), ("b", 3)]
    assert [fleet.clock.now - each.since for each in queue] == pytest.approx([3.0, 2.0, 1.0])


async def test_a_ticket_that_joins_again_keeps_its_place(fleet: Fleet) -> None:
    await fleet.joins("a", "b", "a")
    assert await fleet.queue() == ["a", "b"]


@pytest.mark.parametrize("claimed", [False, True])
async def test_a_ticket_that_was_promised_a_streamer_cannot_join_again(fleet: Fleet, *, claimed: bool) -> None:
    await fleet.reports(streamer())
    await fleet.joins("a")
    await fleet.matches()
    if claimed:
        await fleet.claims("a")
    await fleet.joins("a")
    assert await fleet.queue() == []


async def test_tickets_of_a_replica_that_is_no_more_are_dropped(fleet: Fleet) -> None:
    await fleet.store.join(ticket("here", replica="r1"))
    await fleet.store.join(ticket("gone", replica="r2"))
    await fleet.passes(EXPIRY_SECONDS + A_BIT)
    assert await fleet.queue() == ["here"]


async def test_a_replica_that_joins_a_ticket_is_alive(fleet: Fleet) -> None:
    await fleet.store.keep("r1")
    fleet.clock.advance(EXPIRY_SECONDS + A_BIT)
    await fleet.joins("p")
    assert await fleet.queue() == ["p"]


async def test_each_app_has_a_queue_of_its_own(fleet: Fleet) -> None:
    for session, app in (("a1", "a"), ("a2", "a"), ("b1", "b")):
        await fleet.store.join(ticket(session, app=app))
    queue = (await fleet.snapshot()).queue
    assert {each.ticket.session_id: each.position for each in queue} == {"a1": 1, "a2": 2, "b1": 1}


# -- matching ---------------------------------------------------------------------------------------


async def test_first_come_first_served(fleet: Fleet) -> None:
    await fleet.joins("first", "second", "third")
    await fleet.reports(streamer("s1"))
    await fleet.reports(streamer("s2"))
    assert (await fleet.matches()).keys() == {"first", "second"}
    assert await fleet.queue() == ["third"]


async def test_a_match_is_a_promise_with_a_deadline(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("p")
    await fleet.matches()
    lease = (await fleet.leases())["p"]
    assert (lease.state, lease.replica_id, lease.streamer.url) == (LeaseState.MATCHED, "r1", "ws://s1:4000")
    assert lease.deadline == pytest.approx(fleet.clock.now + CLAIM_SECONDS)


async def test_a_promise_is_made_once(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("a", "b")
    assert await fleet.matches() == {"a": "s1/cam"}
    assert await fleet.matches() == {"a": "s1/cam"}


@pytest.mark.parametrize(("capacity", "promised"), [(1, 1), (2, 2), (5, 5), (0, 9)])
async def test_capacity_is_never_exceeded(fleet: Fleet, capacity: int, promised: int) -> None:
    await fleet.reports(streamer(capacity=capacity))
    await fleet.joins(*"abcdefghi")
    assert len(await fleet.matches()) == promised
    assert len(await fleet.queue()) == 9 - promised


async def test_sessions_that_came_without_a_lease_take_up_slots(fleet: Fleet) -> None:
    await fleet.reports(streamer(capacity=3, sessions=("direct-1", "direct-2")))
    await fleet.joins("a", "b")
    assert (await fleet.matches()).keys() == {"a"}


async def test_more_sessions_than_capacity_leave_no_slot(fleet: Fleet) -> None:
    await fleet.reports(streamer(capacity=1, sessions=("x", "y", "z")))
    await fleet.joins("a")
    assert await fleet.matches() == {}


async def test_a_held_session_and_its_lease_are_one(fleet: Fleet) -> None:
    await fleet.reports(streamer(capacity=2))
    await fleet.joins("a", "b", "c")
    await fleet.store.match()
    await fleet.claims("a")
    await fleet.reports(streamer(capacity=2, sessions=("a",)))
    assert (await fleet.matches()).keys() == {"a", "b"}
    assert await fleet.queue() == ["c"]


async def test_a_lowered_capacity_breaks_no_promise(fleet: Fleet) -> None:
    await fleet.reports(streamer(capacity=2))
    await fleet.joins("a", "b", "c")
    await fleet.matches()
    await fleet.reports(streamer(capacity=1))
    assert (await fleet.matches()).keys() == {"a", "b"}


@pytest.mark.parametrize("state", [{"ready": False}, {"draining": True}], ids=["not ready", "draining"])
async def test_only_a_ready_streamer_takes_players(fleet: Fleet, state: dict[str, bool]) -> None:
    await fleet.reports(streamer(ready=state.get("ready", True), draining=state.get("draining", False)))
    await fleet.joins("p")
    assert await fleet.matches() == {}
    await fleet.reports(streamer())
    assert await fleet.matches() == {"p": "s1/cam"}


async def test_a_streamer_that_drains_keeps_its_players(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("p")
    await fleet.matches()
    await fleet.claims("p")
    await fleet.reports(streamer(draining=True, sessions=("p",)))
    assert (await fleet.leases())["p"].state is LeaseState.HELD


async def test_a_ticket_gets_a_streamer_of_its_app(fleet: Fleet) -> None:
    await fleet.reports(streamer("s1", app="a"))
    await fleet.reports(streamer("s2", app="b"))
    await fleet.store.join(ticket("p", app="b"))
    assert await fleet.matches() == {"p": "s2/cam"}


@pytest.mark.parametrize("wanted", ["s2/cam2", "cam2"], ids=["by key", "by endpoint id"])
async def test_a_ticket_can_ask_for_one_streamer(fleet: Fleet, wanted: str) -> None:
    await fleet.reports(streamer("s1", "cam1"))
    await fleet.store.join(ticket("p", wants=wanted))
    assert await fleet.matches() == {}
    await fleet.reports(streamer("s2", "cam2"))
    assert await fleet.matches() == {"p": "s2/cam2"}


async def test_a_ticket_can_ask_for_labels(fleet: Fleet) -> None:
    await fleet.reports(streamer("s1", labels={"region": "eu", "gpu": "a10"}))
    await fleet.reports(streamer("s2", labels={"region": "us", "gpu": "a10"}))
    await fleet.reports(streamer("s3"))
    await fleet.store.join(ticket("p", labels={"gpu": "a10", "region": "us"}))
    await fleet.store.join(ticket("q", labels={"gpu": "h100"}))
    assert await fleet.matches() == {"p": "s2/cam"}
    assert await fleet.queue() == ["q"]


async def test_who_waits_for_what_is_rare_blocks_nobody(fleet: Fleet) -> None:
    await fleet.store.join(ticket("rare", labels={"gpu": "h100"}))
    await fleet.store.join(ticket("other", app="b"))
    await fleet.store.join(ticket("picky", wants="cam9"))
    await fleet.joins("plain")
    await fleet.reports(streamer())
    assert await fleet.matches() == {"plain": "s1/cam"}


async def test_a_slot_goes_to_the_oldest_whom_it_serves(fleet: Fleet) -> None:
    await fleet.store.join(ticket("old", labels={"region": "eu"}))
    await fleet.joins("young")
    await fleet.reports(streamer(labels={"region": "eu"}))
    assert await fleet.matches() == {"old": "s1/cam"}


async def test_the_least_recently_used_streamer_is_chosen(fleet: Fleet) -> None:
    for server in ("s1", "s2", "s3"):
        await fleet.reports(streamer(server, capacity=0))
    chosen = []
    for number in range(6):
        await fleet.joins(f"p{number}")
        chosen.append((await fleet.matches())[f"p{number}"])
        await fleet.passes(0.1)
    assert len(set(chosen[:3])) == 3
    assert chosen[:3] == chosen[3:]


async def test_an_id_may_hold_a_slash(fleet: Fleet) -> None:
    await fleet.reports(streamer("rack/1", "cam/2"))
    await fleet.joins("p")
    assert await fleet.matches() == {"p": "rack/1/cam/2"}


# -- leases -----------------------------------------------------------------------------------------


async def test_a_replica_sees_what_was_promised_to_its_own_tickets(fleet: Fleet) -> None:
    await fleet.reports(streamer(capacity=3))
    await fleet.store.join(ticket("a", replica="r1"))
    await fleet.store.join(ticket("b", replica="r2"))
    await fleet.store.match()
    assert [lease.session_id for lease in await fleet.store.leases_of("r1")] == ["a"]
    assert [lease.session_id for lease in await fleet.store.leases_of("r2")] == ["b"]
    assert await fleet.store.leases_of("r3") == []


async def test_a_claim_is_made_once(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("p")
    await fleet.store.match()
    lease = await fleet.claims("p")
    assert (lease.session_id, lease.state, lease.streamer.key) == ("p", LeaseState.CLAIMED, "s1/cam")
    assert lease.deadline == pytest.approx(fleet.clock.now + ARRIVAL_SECONDS)
    assert (await fleet.leases())["p"].state is LeaseState.CLAIMED
    assert await fleet.store.leases_of("r1") == []
    assert await fleet.store.claim("p") is None


async def test_there_is_nothing_to_claim_without_a_promise(fleet: Fleet) -> None:
    await fleet.joins("waiting")
    assert await fleet.store.claim("waiting") is None
    assert await fleet.store.claim("nobody") is None


async def test_a_promise_that_is_not_claimed_in_time_lapses(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("first", "second")
    await fleet.matches()
    await fleet.passes(CLAIM_SECONDS - A_BIT)
    assert (await fleet.leases()).keys() == {"first"}
    await fleet.passes(2 * A_BIT)
    assert await fleet.store.claim("first") is None
    assert await fleet.leases() == {}
    assert await fleet.queue() == ["first", "second"]


async def test_a_player_that_does_not_arrive_in_time_waits_again_at_the_head(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("first", "second")
    await fleet.matches()
    await fleet.claims("first")
    left = ARRIVAL_SECONDS - A_BIT
    while left > 0:
        await fleet.reports(streamer())
        await fleet.passes(min(left, HEARTBEAT_SECONDS))
        left -= HEARTBEAT_SECONDS
    assert (await fleet.leases()).keys() == {"first"}
    await fleet.passes(2 * A_BIT)
    assert await fleet.queue() == ["first", "second"]
    await fleet.reports(streamer())
    assert (await fleet.matches()).keys() == {"first"}


async def test_players_whose_promises_lapse_together_keep_their_order(fleet: Fleet) -> None:
    await fleet.reports(streamer(capacity=3))
    await fleet.joins("first", "second", "third", "fourth")
    await fleet.matches()
    await fleet.passes(CLAIM_SECONDS + A_BIT)
    assert await fleet.queue() == ["first", "second", "third", "fourth"]


async def test_a_held_session_lasts_as_long_as_its_server_says_so(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("p")
    await fleet.matches()
    await fleet.claims("p")
    for _ in range(10):
        await fleet.reports(streamer(sessions=("p",)))
        await fleet.passes(HEARTBEAT_SECONDS)
        assert (await fleet.leases())["p"].state is LeaseState.HELD
    await fleet.reports(streamer())
    assert await fleet.leases() == {}
    assert await fleet.queue() == []


async def test_a_session_that_arrives_before_it_is_claimed_is_held(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("p")
    await fleet.matches()
    await fleet.reports(streamer(sessions=("p",)))
    assert (await fleet.leases())["p"].state is LeaseState.HELD


async def test_a_report_from_before_the_arrival_takes_no_promise_back(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("p")
    await fleet.matches()
    await fleet.claims("p")
    await fleet.reports(streamer())
    assert (await fleet.leases())["p"].state is LeaseState.CLAIMED


async def test_the_sessions_of_a_server_end_with_its_reports(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("p")
    await fleet.matches()
    await fleet.claims("p")
    await fleet.reports(streamer(sessions=("p",)))
    await fleet.passes(EXPIRY_SECONDS + A_BIT)
    assert await fleet.leases() == {}
    assert await fleet.queue() == []


@pytest.mark.parametrize("claimed", [False, True])
async def test_who_was_promised_a_server_that_is_lost_waits_again(fleet: Fleet, *, claimed: bool) -> None:
    await fleet.reports(streamer("s1"))
    await fleet.passes(EXPIRY_SECONDS - CLAIM_SECONDS / 2)
    await fleet.joins("first", "second")
    assert (await fleet.matches()).keys() == {"first"}
    if claimed:
        await fleet.claims("first")
    await fleet.passes(CLAIM_SECONDS / 2 + A_BIT)
    assert await fleet.queue() == ["first", "second"]
    await fleet.reports(streamer("s2"))
    assert await fleet.matches() == {"first": "s2/cam"}


async def test_who_was_promised_a_streamer_that_left_its_server_waits_again(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("p")
    await fleet.matches()
    await fleet.reports(server="s1")
    await fleet.passes(CLAIM_SECONDS + A_BIT)
    assert await fleet.queue() == ["p"]


async def test_promises_to_a_replica_that_is_no_more_are_given_back(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.store.join(ticket("p", replica="r2"))
    await fleet.matches()
    await fleet.claims("p")
    for _ in range(4):
        await fleet.passes(HEARTBEAT_SECONDS)
        await fleet.reports(streamer())
    await fleet.joins("q")
    assert (await fleet.matches()).keys() == {"q"}
    assert await fleet.queue() == []


# -- requeue ----------------------------------------------------------------------------------------


async def test_who_could_not_be_brought_to_a_streamer_is_next(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("first", "second")
    await fleet.matches()
    await fleet.claims("first")
    await fleet.store.requeue("first")
    assert await fleet.queue() == ["first", "second"]
    assert await fleet.leases() == {}
    assert (await fleet.matches()).keys() == {"first"}


async def test_since_when_somebody_waits_is_not_forgotten(fleet: Fleet) -> None:
    await fleet.joins("p")
    begun = fleet.clock.now
    await fleet.passes(2.0)
    await fleet.reports(streamer())
    await fleet.matches()
    await fleet.claims("p")
    await fleet.store.requeue("p")
    assert [each.since for each in (await fleet.snapshot()).queue] == pytest.approx([begun])


async def test_who_has_left_is_not_put_back(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("p")
    await fleet.matches()
    await fleet.claims("p")
    await fleet.store.leave("p")
    await fleet.store.requeue("p")
    await fleet.store.requeue("nobody")
    assert await fleet.queue() == []
    assert await fleet.leases() == {}


async def test_who_waits_already_is_not_put_first_again(fleet: Fleet) -> None:
    await fleet.joins("first", "second")
    await fleet.store.requeue("second")
    assert await fleet.queue() == ["first", "second"]


# -- leave ------------------------------------------------------------------------------------------


async def test_who_leaves_the_queue_is_gone(fleet: Fleet) -> None:
    await fleet.joins("a", "b", "c")
    await fleet.store.leave("b")
    assert await fleet.queue() == ["a", "c"]


@pytest.mark.parametrize("claimed", [False, True])
async def test_who_leaves_gives_back_what_was_promised(fleet: Fleet, *, claimed: bool) -> None:
    await fleet.reports(streamer())
    await fleet.joins("first", "second")
    await fleet.matches()
    if claimed:
        await fleet.claims("first")
    await fleet.store.leave("first")
    assert await fleet.matches() == {"second": "s1/cam"}


async def test_a_held_slot_is_free_when_its_server_says_so(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("first", "second")
    await fleet.matches()
    await fleet.claims("first")
    await fleet.reports(streamer(sessions=("first",)))
    await fleet.store.leave("first")
    assert "second" not in await fleet.matches()
    await fleet.reports(streamer())
    assert await fleet.matches() == {"second": "s1/cam"}


async def test_who_leaves_twice_or_never_came_changes_nothing(fleet: Fleet) -> None:
    await fleet.joins("a", "b")
    await fleet.store.leave("a")
    await fleet.store.leave("a")
    await fleet.store.leave("nobody")
    assert await fleet.queue() == ["b"]


async def test_who_left_may_come_again_at_the_end(fleet: Fleet) -> None:
    await fleet.joins("a", "b")
    await fleet.store.leave("a")
    await fleet.joins("a")
    assert await fleet.queue() == ["b", "a"]


# -- changed ----------------------------------------------------------------------------------------


async def _prepared(fleet: Fleet) -> None:
    await fleet.reports(streamer(capacity=2))
    await fleet.joins("claimed")
    await fleet.matches()
    await fleet.claims("claimed")
    await fleet.joins("waiting")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda fleet: fleet.reports(streamer("s2")), id="report"),
        pytest.param(lambda fleet: fleet.joins("new"), id="join"),
        pytest.param(lambda fleet: fleet.store.leave("waiting"), id="leave"),
        pytest.param(lambda fleet: fleet.store.match(), id="match"),
        pytest.param(lambda fleet: fleet.store.requeue("claimed"), id="requeue"),
    ],
)
async def test_a_change_wakes_who_waits_for_one(fleet: Fleet, change: Callable[[Fleet], Awaitable[None]]) -> None:
    await _prepared(fleet)
    seen = await fleet.store.changed(-1, 0)
    assert await fleet.store.changed(seen, 0) == seen
    waiting = [asyncio.create_task(fleet.store.changed(seen, 60.0)) for _ in range(3)]
    await asyncio.sleep(0)
    await change(fleet)
    async with asyncio.timeout(5):
        for counted in await asyncio.gather(*waiting):
            assert counted != seen


async def test_who_missed_a_change_hears_of_it_at_once(fleet: Fleet) -> None:
    seen = await fleet.store.changed(-1, 0)
    await fleet.joins("p")
    async with asyncio.timeout(5):
        assert await fleet.store.changed(seen, 60.0) != seen


async def test_in_a_quiet_fleet_the_wait_ends_by_itself(fleet: Fleet) -> None:
    await _prepared(fleet)
    seen = await fleet.store.changed(-1, 0)
    async with asyncio.timeout(5):
        assert await fleet.store.changed(seen, 0.02) == seen


async def test_a_match_that_matches_nobody_is_no_change(fleet: Fleet) -> None:
    await fleet.joins("p")
    seen = await fleet.store.changed(-1, 0)
    await fleet.store.match()
    assert await fleet.store.changed(seen, 0) == seen


async def test_who_gives_up_waiting_disturbs_nobody(fleet: Fleet) -> None:
    seen = await fleet.store.changed(-1, 0)
    task = asyncio.create_task(fleet.store.changed(seen, 60.0))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await fleet.joins("p")
    assert await fleet.queue() == ["p"]


def test_a_clock_stands_still_until_it_is_moved(clock: Clock) -> None:
    before = clock()
    clock.advance(1.5)
    assert clock() == before + 1.5
