"""The contract of the fleet store, for every implementation: leases, owners, operators and restores."""

import asyncio

import pytest

from pixelfleet.fleet.bounds import (
    ARRIVAL_SECONDS,
    CLAIM_SECONDS,
    EXPIRY_SECONDS,
    FIRST_QUARANTINE_SECONDS,
    HEARTBEAT_SECONDS,
    LONGEST_QUARANTINE_SECONDS,
    PAGE_ARRIVAL_SECONDS,
    UNUSED_SECONDS,
)
from pixelfleet.fleet.model import Lease, LeaseState, StreamerReport, Waiting
from pixelfleet.fleet.store import KickedError
from tests.parts import PATIENCE_SECONDS
from tests.unit.pixelfleet.fleet.stores import Fleet, streamer, ticket

A_BIT = 0.01


async def matched(fleet: Fleet, *sessions: str, capacity: int = 1) -> None:
    """Queue sessions, then match the first of them with one streamer."""
    await fleet.joins(*sessions)
    await fleet.reports(streamer(capacity=capacity))


# -- claims -----------------------------------------------------------------------------------------


async def test_a_match_of_a_waiting_ticket_is_a_lease_with_a_deadline(fleet: Fleet) -> None:
    await matched(fleet, "p")
    lease = (await fleet.leases())["p"]
    assert (lease.state, lease.replica_id) == (LeaseState.MATCHED, "r1")
    assert lease.deadline == pytest.approx(fleet.clock.now + CLAIM_SECONDS)


async def test_a_replica_claims_each_lease_of_its_own_tickets_once(fleet: Fleet) -> None:
    await fleet.store.join(ticket("a", replica="r1"))
    await fleet.store.join(ticket("b", replica="r2"))
    await fleet.reports(streamer(capacity=3))
    renewal = await fleet.renews("r1")
    assert [(lease.session_id, lease.state) for lease in renewal.leases] == [("a", LeaseState.CLAIMED)]
    assert renewal.leases[0].deadline == pytest.approx(fleet.clock.now + ARRIVAL_SECONDS)
    assert (renewal.sessions, (await fleet.renews("r1")).leases) == (1, ())
    assert [lease.session_id for lease in (await fleet.renews("r2")).leases] == ["b"]
    assert (await fleet.renews("r3")).leases == ()


async def test_an_unclaimed_lease_expires_and_its_ticket_keeps_its_place(fleet: Fleet) -> None:
    await matched(fleet, "first", "second")
    fleet.clock.advance(CLAIM_SECONDS - A_BIT)
    begun = (await fleet.leases())["first"].since
    fleet.clock.advance(2 * A_BIT)
    assert list(await fleet.matches()) == ["first"]
    assert (await fleet.leases())["first"].since > begun
    assert await fleet.queue() == ["second"]


async def test_the_ticket_of_a_player_that_does_not_arrive_waits_again_in_its_old_place(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("first", "second")
    await fleet.passes(ARRIVAL_SECONDS - A_BIT, servers=("s1",))
    assert list(await fleet.leases()) == ["first"]
    await fleet.reports(streamer(ready=False))
    await fleet.passes(2 * A_BIT)
    assert await fleet.queue() == ["first", "second"]
    assert await fleet.leases() == {}


async def test_tickets_whose_leases_expire_together_keep_their_order(fleet: Fleet) -> None:
    await matched(fleet, "first", "second", "third", "fourth", capacity=3)
    await fleet.reports(streamer(ready=False))
    fleet.clock.advance(CLAIM_SECONDS + A_BIT)
    assert await fleet.queue() == ["first", "second", "third", "fourth"]


async def test_the_ticket_of_an_expired_lease_gets_another_streamer_at_once(fleet: Fleet) -> None:
    await matched(fleet, "p")
    await fleet.reports(streamer("s2"))
    await fleet.reports(streamer(ready=False))
    fleet.clock.advance(CLAIM_SECONDS + A_BIT)
    assert await fleet.matches() == {"p": "s2/cam"}


# -- held sessions ----------------------------------------------------------------------------------


async def test_a_held_session_lasts_while_its_server_reports_it(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("p")
    for _ in range(10):
        await fleet.reports(streamer(sessions=("p",)))
        await fleet.passes(HEARTBEAT_SECONDS, replicas=())
        lease = (await fleet.leases())["p"]
        assert (lease.state, lease.deadline) == (LeaseState.HELD, 0)
    await fleet.reports(streamer())
    assert await fleet.leases() == {}
    assert await fleet.queue() == []


@pytest.mark.parametrize("claimed", [False, True])
async def test_an_arrived_session_is_held_and_leaves_its_replica(fleet: Fleet, *, claimed: bool) -> None:
    await matched(fleet, "p")
    if claimed:
        await fleet.renews()
    await fleet.reports(streamer(sessions=("p",)))
    assert (await fleet.leases())["p"].state is LeaseState.HELD
    renewal = await fleet.renews()
    assert (renewal.leases, renewal.sessions) == ((), 0)


async def test_a_player_that_arrives_after_its_lease_expired_is_held(fleet: Fleet) -> None:
    await fleet.joins("p", "q")
    await fleet.reports(streamer(sessions=("p",)))
    assert {name: lease.state for name, lease in (await fleet.leases()).items()} == {"p": LeaseState.HELD}
    assert await fleet.queue() == ["q"]


async def test_a_session_that_arrives_elsewhere_frees_its_leased_slot(fleet: Fleet) -> None:
    await fleet.reports(streamer("s1"))
    await fleet.joins("p", "q")
    await fleet.reports(streamer("s2", sessions=("p",)))
    assert await fleet.matches() == {"p": "s2/cam", "q": "s1/cam"}


async def test_a_report_from_before_the_arrival_keeps_the_lease(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("p")
    await fleet.reports(streamer())
    assert (await fleet.leases())["p"].state is LeaseState.CLAIMED


async def test_a_session_that_began_and_ended_between_two_reports_is_over(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("p", "q")
    await fleet.reports(streamer(), ended=("p", "nobody"))
    assert await fleet.matches() == {"q": "s1/cam"}
    assert await fleet.queue() == []


async def test_a_server_cannot_end_a_session_leased_on_another(fleet: Fleet) -> None:
    await fleet.reports(streamer("s1"))
    await fleet.joins("p")
    await fleet.reports(server="s2", ended=("p",))
    assert list(await fleet.matches()) == ["p"]


async def test_the_sessions_of_a_server_end_with_its_reports(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("p")
    await fleet.reports(streamer(sessions=("p",)))
    await fleet.passes(EXPIRY_SECONDS + A_BIT)
    assert await fleet.leases() == {}
    assert await fleet.queue() == []


@pytest.mark.parametrize("lost", ["expired", "no longer reported"])
async def test_a_ticket_whose_leased_streamer_is_lost_waits_again_or_gets_another(fleet: Fleet, lost: str) -> None:
    await fleet.reports(streamer("s1"))
    await fleet.passes(EXPIRY_SECONDS - CLAIM_SECONDS / 2)
    await fleet.joins("first", "second")
    await fleet.reports(streamer("s2", labels={"region": "eu"}, ready=False))
    await fleet.renews()
    if lost == "expired":
        await fleet.passes(CLAIM_SECONDS / 2 + A_BIT)
    else:
        await fleet.reports(server="s1")
    assert await fleet.queue() == ["first", "second"]
    await fleet.reports(streamer("s2"))
    assert await fleet.matches() == {"first": "s2/cam"}


async def test_leases_of_an_expired_replica_go_to_other_tickets(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.gets(ticket("p", replica="r2"))
    await fleet.joins("q")
    await fleet.passes(EXPIRY_SECONDS + A_BIT, servers=("s1",))
    assert list(await fleet.matches()) == ["q"]
    assert await fleet.queue() == []


async def test_a_held_session_outlives_its_replica(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.gets(ticket("p", replica="r2"))
    await fleet.reports(streamer(sessions=("p",)))
    await fleet.passes(EXPIRY_SECONDS + A_BIT, servers=("s1",))
    assert list(await fleet.matches()) == ["p"]


# -- returned leases --------------------------------------------------------------------------------


async def test_the_ticket_of_a_returned_lease_keeps_its_place_and_arrival(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    arrived = (await fleet.gets(ticket("first"))).arrived
    await fleet.joins("second")
    await fleet.reports(streamer(ready=False))
    fleet.clock.advance(0.5)
    placed = await fleet.store.give_back("first", unreachable=False)
    assert isinstance(placed, Waiting)
    assert placed.arrived == arrived
    assert await fleet.queue() == ["first", "second"]
    assert await fleet.store.give_back("first", unreachable=True) == placed
    await fleet.reports(streamer())
    assert list(await fleet.matches()) == ["first"]


async def test_the_ticket_of_a_returned_lease_gets_another_streamer_at_once(fleet: Fleet) -> None:
    await fleet.reports(streamer("s1"))
    await fleet.gets(ticket("p"))
    await fleet.reports(streamer("s2"))
    placed = await fleet.store.give_back("p", unreachable=True)
    assert isinstance(placed, Lease)
    assert (placed.streamer.key, placed.state) == ("s2/cam", LeaseState.CLAIMED)
    assert (await fleet.renews()).leases == ()


async def test_a_repeated_return_of_a_lease_has_no_further_effect(fleet: Fleet) -> None:
    await fleet.reports(streamer("s1"))
    await fleet.gets(ticket("p"))
    await fleet.reports(streamer("s2"))
    first = await fleet.store.give_back("p", "s1/cam", unreachable=True)
    assert await fleet.store.give_back("p", "s1/cam", unreachable=True) == first
    assert await fleet.matches() == {"p": "s2/cam"}


async def test_an_unknown_or_held_session_has_no_lease_to_return(fleet: Fleet) -> None:
    await fleet.reports(streamer(capacity=2))
    await fleet.joins("p", "q")
    await fleet.store.leave("p")
    await fleet.reports(streamer(capacity=2, sessions=("q",)))
    for session in ("p", "q", "nobody"):
        assert await fleet.store.give_back(session, unreachable=True) is None
    assert list(await fleet.matches()) == ["q"]


async def test_an_excluded_streamer_goes_to_other_tickets_and_is_retried_later(fleet: Fleet) -> None:
    await fleet.renews("r1", "r2", "r3")
    await fleet.reports(streamer())
    await fleet.joins("first", "second")
    assert isinstance(await fleet.store.give_back("first", unreachable=True), Waiting)
    assert list(await fleet.matches()) == ["second"], "its replica can reach it"
    await fleet.store.leave("second")
    assert await fleet.queue() == ["first"]
    fleet.clock.advance(FIRST_QUARANTINE_SECONDS + A_BIT)
    assert [lease.session_id for lease in (await fleet.renews()).leases] == ["first"]


async def test_tickets_that_exclude_a_streamer_do_not_block_those_behind_them(fleet: Fleet) -> None:
    await fleet.renews("r1", "r2")
    await fleet.reports(streamer(capacity=20))
    for number in range(20):
        await fleet.joins(f"bad-{number:02}")
    await fleet.store.join(ticket("good", replica="r2"))
    for number in range(20):
        await fleet.store.give_back(f"bad-{number:02}", unreachable=True)
    assert list(await fleet.matches()) == ["good"]


async def test_a_streamer_that_two_replicas_failed_to_reach_is_quarantined_for_a_growing_time(fleet: Fleet) -> None:
    await fleet.renews("r1", "r2", "r3")
    await fleet.reports(streamer(capacity=0))
    await fleet.gets(ticket("a", replica="r1"))
    await fleet.gets(ticket("b", replica="r2"))
    await fleet.store.give_back("a", unreachable=True)
    assert (await fleet.store.totals()).apps["app"].quarantined == 0
    await fleet.store.give_back("b", unreachable=True)
    totals = (await fleet.store.totals()).apps["app"]
    assert (totals.quarantined, totals.available, totals.streamers) == (1, 0, 1)
    assert totals.unusable == 1
    view = await fleet.store.find("cam")
    assert view is not None
    assert view.failures == 2
    assert view.quarantined_until == pytest.approx(fleet.clock.now + 2 * FIRST_QUARANTINE_SECONDS)
    await fleet.waits(ticket("c", replica="r3"))
    await fleet.passes(2 * FIRST_QUARANTINE_SECONDS + A_BIT, replicas=("r1", "r2", "r3"))
    assert sorted(await fleet.matches()) == ["a", "b", "c"]
    await fleet.store.give_back("c", unreachable=True)
    view = await fleet.store.find("cam")
    assert view is not None
    assert view.quarantined_until == pytest.approx(fleet.clock.now + 4 * FIRST_QUARANTINE_SECONDS)


async def test_the_only_replica_can_quarantine_a_streamer(fleet: Fleet) -> None:
    await fleet.reports(streamer(capacity=0))
    await fleet.gets(ticket("a"))
    await fleet.store.give_back("a", unreachable=True)
    await fleet.waits(ticket("b"))


async def test_an_arrived_player_resets_the_count_of_failures(fleet: Fleet) -> None:
    await fleet.renews("r1", "r2")
    await fleet.reports(streamer(capacity=0))
    await fleet.joins("a", "b")
    await fleet.store.give_back("a", unreachable=True)
    await fleet.reports(streamer(capacity=0, sessions=("b",)))
    view = await fleet.store.find("cam")
    assert view is not None
    assert view.failures == 0


async def test_old_failures_do_not_count(fleet: Fleet) -> None:
    await fleet.renews("r1", "r2")
    await fleet.reports(streamer(capacity=0, legacy=True), owner="r1")
    await fleet.joins("a")
    for _ in range(3):
        await fleet.store.give_back("a", unreachable=True)
        await fleet.passes(2 * LONGEST_QUARANTINE_SECONDS + A_BIT, replicas=("r1", "r2"))
        view = await fleet.store.find("cam")
        assert view is not None
        assert view.failures == 1
        assert list(await fleet.matches()) == ["a"]


# -- departures -------------------------------------------------------------------------------------


async def test_a_departure_removes_a_ticket(fleet: Fleet) -> None:
    await fleet.joins("a", "b", "c")
    await fleet.store.leave("b")
    await fleet.store.leave("b")
    await fleet.store.leave("nobody")
    assert await fleet.queue() == ["a", "c"]
    await fleet.joins("b")
    assert await fleet.queue() == ["a", "c", "b"]


async def test_several_departures_in_one_call_are_handled_in_order(fleet: Fleet) -> None:
    await matched(fleet, "first", "second", "third")
    await fleet.store.join(ticket("elsewhere", replica="r2"))
    await fleet.store.leave("first", "second", "nobody", "elsewhere", "first", replica_id="r1")
    assert await fleet.matches() == {"third": "s1/cam"}
    assert await fleet.queue() == ["elsewhere"]
    await fleet.store.leave("third", "elsewhere")
    await fleet.store.leave()
    assert (await fleet.matches(), await fleet.queue()) == ({}, [])


@pytest.mark.parametrize("claimed", [False, True])
async def test_a_departure_gives_the_slot_to_the_next_ticket(fleet: Fleet, *, claimed: bool) -> None:
    await matched(fleet, "first", "second")
    if claimed:
        await fleet.renews()
    await fleet.store.leave("first")
    assert await fleet.matches() == {"second": "s1/cam"}


async def test_a_held_slot_is_free_when_its_server_reports_it_so(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("first", "second")
    await fleet.reports(streamer(sessions=("first",)))
    await fleet.store.leave("first")
    assert list(await fleet.matches()) == ["first"]
    await fleet.reports(streamer())
    assert await fleet.matches() == {"second": "s1/cam"}


# -- legacy servers ---------------------------------------------------------------------------------


async def test_only_reports_over_the_latest_link_to_a_legacy_server_are_accepted(fleet: Fleet) -> None:
    old = await fleet.reports(streamer(legacy=True), owner="r1")
    new = await fleet.reports(streamer(legacy=True), owner="r2")
    assert new.fence > old.fence > 0
    late = await fleet.reports(streamer(legacy=True, players=1), owner="r1", fence=old.fence)
    assert (late.taken, late.fence) == (False, new.fence)
    assert (await fleet.reports(streamer(legacy=True, players=1), owner="r2", fence=new.fence)).taken
    (view,) = (await fleet.snapshot()).streamers
    assert view.report.players == 1


async def test_a_legacy_server_expires_with_the_replica_that_holds_its_link(fleet: Fleet) -> None:
    await fleet.reports(streamer(legacy=True), owner="r2")
    await fleet.passes(3 * EXPIRY_SECONDS, replicas=("r1", "r2"))
    assert len((await fleet.snapshot()).streamers) == 1
    await fleet.passes(EXPIRY_SECONDS + A_BIT, replicas=("r1",))
    assert (await fleet.snapshot()).streamers == ()


async def test_a_lease_on_a_legacy_server_expires_with_its_replica(fleet: Fleet) -> None:
    await fleet.reports(streamer(legacy=True), owner="r1")
    lease = await fleet.gets(ticket("p", replica="r2"))
    assert lease.deadline == 0
    await fleet.waits(ticket("next"))
    await fleet.passes(3 * ARRIVAL_SECONDS, replicas=("r1", "r2"))
    assert list(await fleet.matches()) == ["p"]
    await fleet.passes(EXPIRY_SECONDS + A_BIT, replicas=("r1",))
    assert list(await fleet.matches()) == ["next"]


async def test_a_player_of_a_legacy_server_and_its_lease_count_once(fleet: Fleet) -> None:
    first = await fleet.reports(streamer(legacy=True, capacity=2), owner="r1")
    await fleet.joins("a")
    await fleet.reports(streamer(legacy=True, capacity=2, players=1), owner="r1", fence=first.fence)
    assert (await fleet.store.totals()).apps["app"].used == 1
    await fleet.reports(streamer(legacy=True, capacity=2, players=2), owner="r1", fence=first.fence)
    await fleet.waits(ticket("b"))


async def test_a_lease_on_a_legacy_server_survives_the_loss_of_its_link(fleet: Fleet) -> None:
    await fleet.reports(streamer(legacy=True), owner="r2")
    await fleet.joins("p", "q")
    await fleet.passes(EXPIRY_SECONDS + A_BIT, replicas=("r1",))
    assert (await fleet.snapshot()).streamers == ()
    assert await fleet.matches() == {"p": "s1/cam"}
    assert (await fleet.gets(ticket("p"))).streamer.key == "s1/cam"
    await fleet.reports(streamer(legacy=True), owner="r1")
    assert await fleet.queue() == ["q"]
    await fleet.store.leave("p")
    assert [lease.session_id for lease in (await fleet.renews()).leases] == ["q"]


# -- reservations -----------------------------------------------------------------------------------


async def test_a_reservation_gets_a_free_streamer_or_none(fleet: Fleet) -> None:
    assert await fleet.store.reserve(ticket("page")) is None
    assert await fleet.queue() == []
    await fleet.reports(streamer())
    lease = await fleet.store.reserve(ticket("page"))
    assert lease is not None
    assert lease.replica_id == ""
    assert lease.deadline == pytest.approx(fleet.clock.now + PAGE_ARRIVAL_SECONDS)
    assert await fleet.store.reserve(ticket("page")) == lease
    assert await fleet.store.reserve(ticket("other")) is None


async def test_an_unused_reservation_expires(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.store.reserve(ticket("page"))
    await fleet.joins("p")
    await fleet.passes(PAGE_ARRIVAL_SECONDS + A_BIT, servers=("s1",))
    assert list(await fleet.matches()) == ["p"]
    assert await fleet.queue() == []


@pytest.mark.parametrize("legacy", [False, True])
async def test_a_player_without_a_lease_ends_a_reservation(fleet: Fleet, *, legacy: bool) -> None:
    def has(*names: str) -> StreamerReport:
        return streamer(
            capacity=2, legacy=legacy, players=len(names) if legacy else 0, sessions=() if legacy else names
        )

    owner = "r1" if legacy else ""
    first = await fleet.reports(has(), owner=owner)
    await fleet.store.reserve(ticket("page-1"))
    fleet.clock.advance(0.1)
    await fleet.reports(has("x"), owner=owner, fence=first.fence)
    assert await fleet.leases() == {}
    await fleet.store.reserve(ticket("page-2"))
    await fleet.reports(has("x"), owner=owner, fence=first.fence)
    assert list(await fleet.leases()) == ["page-2"], "a player of an earlier report has not just arrived"
    await fleet.reports(has("x", "y"), owner=owner, fence=first.fence)
    assert await fleet.leases() == {}
    assert (await fleet.store.totals()).apps["app"].used == 2


async def test_a_reservation_can_be_ended_before_its_page_arrives(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.store.reserve(ticket("page"))
    assert await fleet.store.end("page")
    await fleet.gets(ticket("p"))


async def test_the_server_of_a_reservation_that_was_ended_refuses_its_token(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.store.reserve(ticket("page"))
    assert await fleet.store.end("page")
    assert (await fleet.reports(streamer())).end == ("page",)


# -- operators --------------------------------------------------------------------------------------


async def test_an_operator_drain_begins_and_ends(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    assert await fleet.store.set_operator_drain("s1/cam", on=True)
    assert (await fleet.renews()).operator_drained == ("s1/cam",)
    await fleet.waits(ticket("p"))
    await fleet.reports(streamer(capacity=2))
    assert (await fleet.store.totals()).apps["app"].streamers == 0
    view = await fleet.store.find("cam")
    assert view is not None
    assert view.operator_drained
    assert await fleet.store.set_operator_drain("s1/cam", on=False)
    assert list(await fleet.matches()) == ["p"]
    assert not await fleet.store.set_operator_drain("nobody", on=True)


async def test_an_operator_drain_outlives_the_absence_of_its_streamer(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.store.set_operator_drain("s1/cam", on=True)
    fleet.clock.advance(UNUSED_SECONDS - A_BIT)
    await fleet.reports(streamer())
    await fleet.waits(ticket("p"))
    fleet.clock.advance(EXPIRY_SECONDS + A_BIT)
    assert (await fleet.snapshot()).streamers == ()
    fleet.clock.advance(UNUSED_SECONDS + A_BIT)
    await fleet.reports(streamer())
    await fleet.gets(ticket("q"))


async def test_the_end_of_a_session_is_requested_from_its_owner(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("held", "waits")
    await fleet.reports(streamer(sessions=("held",)))
    assert await fleet.store.end("held")
    assert await fleet.store.end("waits")
    assert not await fleet.store.end("nobody")
    assert (await fleet.renews()).end == ("waits",)
    assert (await fleet.renews()).end == ()
    assert (await fleet.reports(streamer(sessions=("held",)))).end == ("held",)
    assert (await fleet.reports(streamer(sessions=("held",)))).end == ()


async def test_a_session_that_only_its_server_knows_can_be_ended(fleet: Fleet) -> None:
    await fleet.reports(streamer(sessions=("again",)))
    assert not await fleet.store.end("again")
    assert not await fleet.store.end("again", server_id="nowhere")
    assert await fleet.store.end("again", server_id="s1")
    assert (await fleet.reports(streamer(sessions=("again",)))).end == ("again",)


@pytest.mark.parametrize("state", ["waits", "claimed", "held", "page"])
async def test_a_kicked_person_is_refused_for_a_time(fleet: Fleet, state: str) -> None:
    session = ticket("p", person="ada", labels={} if state == "page" else {"person": "b0b"})
    if state != "waits":
        await fleet.reports(streamer(capacity=9, labels={"person": "b0b"}))
    if state == "page":
        await fleet.store.reserve(session)
    else:
        await fleet.store.join(session)
    if state == "held":
        await fleet.reports(streamer(capacity=9, labels={"person": "b0b"}, sessions=("p",)))
    assert await fleet.store.end("p", kick_seconds=600.0)
    for call in (fleet.store.join, fleet.store.reserve):
        with pytest.raises(KickedError):
            await call(ticket("q", person="ada"))
    await fleet.store.join(ticket("other", person="b0b"))
    await fleet.store.join(ticket("unknown"))


async def test_without_a_time_nobody_is_refused_after_the_end_of_a_session(fleet: Fleet) -> None:
    await fleet.waits(ticket("p", person="ada"))
    await fleet.waits(ticket("unknown", labels={"person": "ada"}))
    assert await fleet.store.end("p")
    assert await fleet.store.end("unknown", kick_seconds=600.0)
    await fleet.waits(ticket("q", person="ada"))
    await fleet.waits(ticket("r"))


async def test_the_end_of_a_session_on_a_legacy_server_is_requested_from_its_replica(fleet: Fleet) -> None:
    await fleet.reports(streamer(legacy=True), owner="r2")
    await fleet.joins("p")
    assert await fleet.store.end("p")
    assert (await fleet.renews("r1")).end == ("p",)


# -- restores ---------------------------------------------------------------------------------------


async def test_restored_tickets_are_in_the_old_order(fleet: Fleet) -> None:
    arrived = fleet.clock.now - 60
    await fleet.joins("new")
    restored = [
        (ticket("second", labels={"region": "eu"}), arrived + 1),
        (ticket("first", labels={"region": "eu"}), arrived),
    ]
    await fleet.store.restore("r1", [*restored, (ticket("new"), fleet.clock.now)], [])
    assert await fleet.queue() == ["first", "second", "new"]
    await fleet.reports(streamer(labels={"region": "eu"}))
    assert list(await fleet.matches()) == ["first"]


async def test_a_restored_ticket_gets_a_free_streamer(fleet: Fleet) -> None:
    await fleet.reports(streamer(labels={"region": "eu"}))
    await fleet.store.restore("r1", [(ticket("p", labels={"region": "eu"}), fleet.clock.now)], [])
    assert [lease.session_id for lease in (await fleet.renews()).leases] == ["p"]


async def test_sessions_missing_in_a_snapshot_are_dropped(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("leased", "waits", "stays")
    await fleet.store.join(ticket("other", replica="r2"))
    await fleet.store.restore("r1", [(ticket("stays"), fleet.clock.now)], [])
    assert list(await fleet.matches()) == ["stays"]
    assert await fleet.queue() == ["other"]


@pytest.mark.parametrize("first", ["server", "replica"])
@pytest.mark.parametrize("held", [False, True])
async def test_a_lease_is_restored_before_or_after_its_servers_report(fleet: Fleet, first: str, *, held: bool) -> None:
    report = streamer(sessions=("p",) if held else ())
    lease = Lease(session_id="p", replica_id="r1", streamer=report, state=LeaseState.CLAIMED, arrived=900.0)
    if first == "server":
        await fleet.reports(report)
    await fleet.store.restore("r1", [], [(ticket("p"), lease)])
    assert await fleet.matches() == {"p": "s1/cam"}
    if first == "replica":
        await fleet.reports(report)
    restored = (await fleet.leases())["p"]
    assert (restored.state, restored.arrived) == (LeaseState.HELD if held else LeaseState.CLAIMED, 900.0)
    await fleet.waits(ticket("next"))
    assert (await fleet.store.totals()).apps["app"].used == 1


async def test_a_claim_whose_reply_was_lost_is_repeated(fleet: Fleet) -> None:
    await matched(fleet, "p")
    (lost,) = (await fleet.renews()).leases
    await fleet.store.restore("r1", [(ticket("p"), lost.arrived)], [])
    (repeated,) = (await fleet.renews()).leases
    assert (repeated.session_id, repeated.streamer) == ("p", lost.streamer)


@pytest.mark.parametrize("lost", ["lane:app\x1fregion=eu", "lanes", "wait:app", "rt:r1", "sel:app", "t:p"])
async def test_a_restatement_queues_a_ticket_again_whose_keys_are_lost(fleet: Fleet, lost: str) -> None:
    await fleet.store.set_policies({"app": "spread"})
    waiting = await fleet.waits(ticket("p", labels={"region": "eu"}))
    await fleet.waits(ticket("other", replica="r2"))
    assert await fleet.read("DEL", lost) == 1
    await fleet.reports(streamer("s1", labels={"region": "eu"}, ready=False))
    await fleet.store.restore("r1", [(waiting.ticket, waiting.arrived)], [], complete=False)
    assert (await fleet.renews()).sessions == 1
    assert (await fleet.store.totals()).apps["app"].waiting == (2 if lost != "wait:app" else 1)
    await fleet.reports(streamer("s1", labels={"region": "eu"}))
    assert await fleet.matches() == {"p": "s1/cam"}


async def test_a_restatement_matches_a_ticket_with_a_streamer_that_is_free(fleet: Fleet) -> None:
    waiting = await fleet.waits(ticket("p"))
    await fleet.read("DEL", "lane:app\x1f")
    await fleet.reports(streamer())
    assert await fleet.matches() == {}
    await fleet.store.restore("r1", [(waiting.ticket, waiting.arrived)], [], complete=False)
    assert [lease.session_id for lease in (await fleet.renews()).leases] == ["p"]


async def test_a_restatement_drops_and_changes_nothing_that_is_there(fleet: Fleet) -> None:
    await fleet.reports(streamer("s1"))
    claimed = await fleet.gets(ticket("claimed"))
    first, second = await fleet.waits(ticket("first")), await fleet.waits(ticket("second"))
    before = await fleet.snapshot()
    await fleet.store.restore("r1", [(second.ticket, second.arrived)], [], complete=False)
    assert await fleet.queue() == ["first", "second"]
    await fleet.store.restore("r1", [(first.ticket, first.arrived)], [(ticket("claimed"), claimed)], complete=False)
    assert (await fleet.snapshot()) == before


async def test_a_moved_session_is_not_restored_by_its_old_replica(fleet: Fleet) -> None:
    await fleet.joins("p")
    await fleet.store.join(ticket("p", replica="r2"))
    await fleet.store.restore("r1", [(ticket("p"), 900.0)], [])
    await fleet.store.restore("r1", [], [])
    assert await fleet.queue() == ["p"]
    assert (await fleet.renews("r2")).sessions == 1


# -- announcements ----------------------------------------------------------------------------------


async def quiet(fleet: Fleet, replica: str) -> None:
    """Wait until a replica is subscribed and has no pending announcement."""
    while await fleet.store.wait(replica, 0.05):
        pass


async def test_a_replica_is_woken_by_a_match(fleet: Fleet) -> None:
    await fleet.store.join(ticket("p", replica="r1"))
    await quiet(fleet, "r1")
    waiting = asyncio.create_task(fleet.store.wait("r1", 60.0))
    await fleet.reports(streamer())
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await waiting
    assert not await fleet.store.wait("r1", 0.05)


async def test_a_replica_is_woken_when_another_of_its_sessions_returns_a_lease(fleet: Fleet) -> None:
    await fleet.renews("r1", "r2")
    await fleet.reports(streamer())
    await fleet.joins("first", "second")
    await quiet(fleet, "r1")
    await fleet.store.give_back("first", unreachable=True)
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await fleet.store.wait("r1", 60.0)


async def test_a_replica_is_not_woken_by_its_own_reply(fleet: Fleet) -> None:
    await fleet.renews("r1")
    await quiet(fleet, "r1")
    await fleet.reports(streamer("s1"))
    await fleet.gets(ticket("p"))
    await fleet.store.give_back("p", unreachable=False)
    assert not await fleet.store.wait("r1", 0.05)


async def test_a_cancelled_wait_has_no_effect(fleet: Fleet) -> None:
    task = asyncio.create_task(fleet.store.wait("r1", 60.0))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await fleet.joins("p")
    assert await fleet.queue() == ["p"]
