"""The contract of the fleet store, for every implementation: reports, the queue, and matching."""

import pytest

from pixelfleet.fleet.bounds import ARRIVAL_SECONDS, EXPIRY_SECONDS, HEARTBEAT_SECONDS, MAX_SELECTORS, UNUSED_SECONDS
from pixelfleet.fleet.model import Lease, LeaseState, Policy, ServerReport, Waiting
from pixelfleet.fleet.store import FleetStore, TooManyChoicesError
from tests.unit.pixelfleet.fleet.stores import Clock, Fleet, streamer, ticket

A_BIT = 0.01

# -- reports ----------------------------------------------------------------------------------------


async def test_an_empty_store_has_no_content(fleet: Fleet) -> None:
    known = await fleet.snapshot()
    assert (known.streamers, known.leases, known.queue) == ((), (), ())
    assert known.now == pytest.approx(fleet.clock.now)
    assert (await fleet.store.totals()).apps == {}
    assert await fleet.store.find("s1/cam") is None


async def test_a_report_is_stored_unchanged(fleet: Fleet) -> None:
    reported = streamer(labels={"region": "eu"}, capacity=3, sessions=("x",), draining=True, ready=False, node="n")
    assert (await fleet.reports(reported)).taken
    (view,) = (await fleet.snapshot()).streamers
    assert (view.report, view.used, view.leased) == (reported, 0, 0)
    assert view.seen == pytest.approx(fleet.clock.now)
    assert await fleet.store.find("s1/cam") == view
    assert await fleet.store.find("cam") == view


async def test_a_duplicate_endpoint_id_finds_no_streamer(fleet: Fleet) -> None:
    await fleet.reports(streamer("s1"))
    await fleet.reports(streamer("s2"))
    assert await fleet.store.find("cam") is None
    assert await fleet.store.find("s2/cam") is not None


async def test_a_report_replaces_the_streamers_of_its_server_only(fleet: Fleet) -> None:
    await fleet.reports(streamer("s1", "a"), streamer("s1", "b"))
    await fleet.reports(streamer("s2", "a"))
    await fleet.reports(streamer("s1", "c"))
    assert [view.report.key for view in (await fleet.snapshot()).streamers] == ["s1/c", "s2/a"]


async def test_an_empty_report_removes_the_streamers_of_its_server(fleet: Fleet) -> None:
    await fleet.reports(streamer("s1"))
    await fleet.reports(streamer("s2"))
    await fleet.reports(server="s1")
    assert [view.report.key for view in (await fleet.snapshot()).streamers] == ["s2/cam"]


@pytest.mark.parametrize("sequence", [7, 6, 1])
async def test_an_old_report_changes_nothing(store: FleetStore, fleet: Fleet, sequence: int) -> None:
    await store.report(ServerReport(server_id="s1", sequence=7, streamers=(streamer(capacity=2),)))
    late = await store.report(ServerReport(server_id="s1", sequence=sequence, streamers=(streamer(capacity=9),)))
    assert not late.taken
    assert [view.report.capacity for view in (await fleet.snapshot()).streamers] == [2]


async def test_an_old_report_does_not_renew_a_server(store: FleetStore, fleet: Fleet) -> None:
    await store.report(ServerReport(server_id="s1", sequence=7, streamers=(streamer(),)))
    fleet.clock.advance(EXPIRY_SECONDS - A_BIT)
    await store.report(ServerReport(server_id="s1", sequence=6, streamers=(streamer(),)))
    fleet.clock.advance(2 * A_BIT)
    assert (await fleet.snapshot()).streamers == ()


async def test_a_repeated_report_postpones_its_expiry(fleet: Fleet) -> None:
    for _ in range(3):
        await fleet.reports(streamer())
        fleet.clock.advance(EXPIRY_SECONDS - A_BIT)
        assert len((await fleet.snapshot()).streamers) == 1
    fleet.clock.advance(2 * A_BIT)
    assert (await fleet.snapshot()).streamers == ()
    await fleet.joins("p")
    assert await fleet.matches() == {}


async def test_an_expired_server_may_restart_its_sequence(store: FleetStore, fleet: Fleet) -> None:
    await store.report(ServerReport(server_id="s1", sequence=50, streamers=(streamer(),)))
    fleet.clock.advance(EXPIRY_SECONDS + A_BIT)
    assert (await store.report(ServerReport(server_id="s1", sequence=1, streamers=(streamer(),)))).taken
    assert len((await fleet.snapshot()).streamers) == 1


async def test_a_streamer_with_another_app_is_a_new_streamer(fleet: Fleet) -> None:
    await fleet.reports(streamer(app="a"))
    await fleet.reports(streamer(app="b"))
    await fleet.waits(ticket("p", app="a"))
    assert (await fleet.gets(ticket("q", app="b"))).streamer.app == "b"


async def test_an_id_may_contain_a_slash(fleet: Fleet) -> None:
    await fleet.reports(streamer("rack/1", "cam/2"))
    assert (await fleet.gets(ticket("p"))).streamer.key == "rack%2F1/cam/2"


async def test_ids_with_slashes_do_not_collide(fleet: Fleet) -> None:
    await fleet.reports(streamer("rack", "1/cam"))
    await fleet.reports(streamer("rack/1", "cam"))
    await fleet.joins("p", "q", "waits")
    assert sorted(await fleet.matches()) == ["p", "q"]
    await fleet.reports(server="rack")
    assert [view.report.server_id for view in (await fleet.snapshot()).streamers] == ["rack/1"]


# -- the queue --------------------------------------------------------------------------------------


async def test_tickets_wait_in_the_order_of_their_arrival(fleet: Fleet) -> None:
    for session in ("c", "a", "b"):
        await fleet.joins(session)
        await fleet.passes(1.0)
    queue = (await fleet.snapshot()).queue
    assert [each.ticket.session_id for each in queue] == ["c", "a", "b"]
    assert [fleet.clock.now - each.arrived for each in queue] == pytest.approx([3.0, 2.0, 1.0])


async def test_tickets_of_the_same_moment_keep_the_order_of_their_calls(fleet: Fleet) -> None:
    await fleet.joins("c", "a", "b")
    assert await fleet.queue() == ["c", "a", "b"]


async def test_a_ticket_that_joins_again_keeps_its_place(fleet: Fleet) -> None:
    first = await fleet.waits(ticket("a"))
    await fleet.joins("b")
    await fleet.passes(0.3)
    assert await fleet.waits(ticket("a")) == first
    assert await fleet.queue() == ["a", "b"]


async def test_a_ticket_that_joins_again_keeps_its_lease(fleet: Fleet) -> None:
    await fleet.reports(streamer(capacity=2))
    lease = await fleet.gets(ticket("p"))
    assert await fleet.gets(ticket("p")) == lease
    assert (await fleet.store.totals()).apps["app"].used == 1


async def test_a_ticket_that_joins_again_claims_a_match_made_meanwhile(fleet: Fleet) -> None:
    await fleet.joins("p")
    await fleet.reports(streamer())
    lease = await fleet.gets(ticket("p"))
    assert lease.state is LeaseState.CLAIMED
    assert (await fleet.renews()).leases == ()


async def test_a_session_that_returns_through_another_replica_keeps_its_place_and_moves(fleet: Fleet) -> None:
    await fleet.joins("p", "q")
    placed = await fleet.waits(ticket("p", replica="r2"))
    assert placed.ticket.replica_id == "r2"
    await fleet.store.leave("p", replica_id="r1")
    assert await fleet.queue() == ["p", "q"]
    await fleet.passes(EXPIRY_SECONDS + A_BIT, replicas=("r2",))
    assert await fleet.queue() == ["p"]
    await fleet.reports(streamer())
    assert [lease.session_id for lease in (await fleet.renews("r2")).leases] == ["p"]


async def test_a_match_for_the_old_replica_is_claimed_by_the_new_one(fleet: Fleet) -> None:
    await fleet.joins("p")
    await fleet.reports(streamer())
    assert (await fleet.gets(ticket("p", replica="r2"))).replica_id == "r2"
    assert (await fleet.renews("r1")).leases == ()
    assert (await fleet.renews("r1")).sessions == 0
    assert (await fleet.renews("r2")).sessions == 1


async def test_tickets_of_an_expired_replica_are_dropped(fleet: Fleet) -> None:
    await fleet.store.join(ticket("here", replica="r1"))
    await fleet.store.join(ticket("gone", replica="r2"))
    await fleet.passes(EXPIRY_SECONDS + A_BIT)
    assert await fleet.queue() == ["here"]


async def test_a_higher_priority_is_served_first(fleet: Fleet) -> None:
    await fleet.joins("early")
    await fleet.store.join(ticket("important", priority=2))
    await fleet.store.join(ticket("also-important", priority=2))
    assert await fleet.queue() == ["important", "also-important", "early"]
    await fleet.reports(streamer())
    assert await fleet.matches() == {"important": "s1/cam"}


async def test_the_number_of_selectors_of_an_app_is_limited(fleet: Fleet) -> None:
    for number in range(MAX_SELECTORS):
        await fleet.waits(ticket(f"p{number}", labels={"region": f"{number:02}"}))
    with pytest.raises(TooManyChoicesError):
        await fleet.store.join(ticket("one-more", labels={"region": "other"}))
    await fleet.waits(ticket("known", labels={"region": "07"}))
    await fleet.waits(ticket("none"))
    await fleet.waits(ticket("elsewhere", app="b", labels={"region": "other"}))
    await fleet.store.leave("p3")
    await fleet.waits(ticket("one-more", labels={"region": "other"}))
    await fleet.reports(streamer(labels={"region": "other"}))
    assert list(await fleet.matches()) == ["none"]
    await fleet.store.leave("none")
    assert list(await fleet.matches()) == ["one-more"]


async def test_a_dropped_selector_is_registered_again_when_its_ticket_waits_again(fleet: Fleet) -> None:
    await fleet.reports(streamer(labels={"region": "eu"}))
    await fleet.gets(ticket("p", labels={"region": "eu"}))
    for number in range(MAX_SELECTORS):
        fleet.clock.advance(0.001)
        await fleet.waits(ticket(f"p{number}", labels={"region": f"{number:02}"}))
    await fleet.reports(streamer(labels={"region": "eu"}, ready=False))
    assert isinstance(await fleet.store.give_back("p", unreachable=False), Waiting)
    await fleet.reports(streamer(labels={"region": "eu"}))
    assert await fleet.matches() == {"p": "s1/cam"}


# -- matching ---------------------------------------------------------------------------------------


async def test_a_join_claims_a_free_streamer_at_once(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    lease = await fleet.gets(ticket("p"))
    assert (lease.session_id, lease.replica_id, lease.streamer.url) == ("p", "r1", "ws://s1:4000")
    assert (lease.state, lease.spectator) == (LeaseState.CLAIMED, False)
    assert lease.deadline == pytest.approx(fleet.clock.now + ARRIVAL_SECONDS)
    assert await fleet.leases() == {"p": lease}


async def test_first_come_first_served(fleet: Fleet) -> None:
    await fleet.joins("first", "second", "third")
    await fleet.reports(streamer("s1"))
    await fleet.reports(streamer("s2"))
    assert await fleet.matches() == {"first": "s1/cam", "second": "s2/cam"}
    assert await fleet.queue() == ["third"]


@pytest.mark.parametrize(("capacity", "leased"), [(1, 1), (2, 2), (5, 5), (0, 9)])
@pytest.mark.parametrize("first", ["players", "streamer"])
async def test_capacity_is_never_exceeded(fleet: Fleet, capacity: int, leased: int, first: str) -> None:
    if first == "players":
        await fleet.joins(*"abcdefghi")
    await fleet.reports(streamer(capacity=capacity))
    await fleet.joins(*"abcdefghi")
    assert list(await fleet.matches()) == list("abcdefghi"[:leased])
    assert len(await fleet.queue()) == 9 - leased


async def test_more_tickets_wait_for_a_streamer_without_a_limit_than_one_call_matches(fleet: Fleet) -> None:
    sessions = [f"p{number:03}" for number in range(150)]
    await fleet.joins(*sessions)
    await fleet.reports(streamer(capacity=0))
    assert sorted(await fleet.matches()) == sessions
    await fleet.gets(ticket("late"))


async def test_sessions_without_a_lease_occupy_slots(fleet: Fleet) -> None:
    await fleet.reports(streamer(capacity=3, sessions=("direct-1", "direct-2")))
    await fleet.joins("a", "b")
    assert list(await fleet.matches()) == ["a"]


async def test_more_sessions_than_capacity_leave_no_slot(fleet: Fleet) -> None:
    await fleet.reports(streamer(capacity=1, sessions=("x", "y", "z")))
    await fleet.waits(ticket("a"))


async def test_a_held_session_and_its_lease_count_once(fleet: Fleet) -> None:
    await fleet.reports(streamer(capacity=2))
    await fleet.joins("a", "b", "c")
    await fleet.reports(streamer(capacity=2, sessions=("a",)))
    assert list(await fleet.matches()) == ["a", "b"]
    assert await fleet.queue() == ["c"]
    assert (await fleet.store.totals()).apps["app"].used == 2


async def test_a_lowered_capacity_keeps_leases(fleet: Fleet) -> None:
    await fleet.reports(streamer(capacity=2))
    await fleet.joins("a", "b", "c")
    await fleet.reports(streamer(capacity=1))
    assert list(await fleet.matches()) == ["a", "b"]
    await fleet.store.leave("a")
    assert list(await fleet.matches()) == ["b"]


@pytest.mark.parametrize("state", [{"ready": False}, {"draining": True}], ids=["not ready", "draining"])
async def test_only_a_ready_streamer_is_matched(fleet: Fleet, state: dict[str, bool]) -> None:
    await fleet.reports(streamer(ready=state.get("ready", True), draining=state.get("draining", False)))
    await fleet.waits(ticket("p"))
    assert (await fleet.store.totals()).apps["app"].streamers == 0
    await fleet.reports(streamer())
    assert await fleet.matches() == {"p": "s1/cam"}


async def test_a_draining_streamer_keeps_its_sessions(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("p")
    await fleet.reports(streamer(draining=True, sessions=("p",)))
    assert (await fleet.leases())["p"].state is LeaseState.HELD


async def test_a_ticket_gets_a_streamer_of_its_app(fleet: Fleet) -> None:
    await fleet.reports(streamer("s1", app="a"))
    await fleet.reports(streamer("s2", app="b"))
    assert (await fleet.gets(ticket("p", app="b"))).streamer.key == "s2/cam"


async def test_a_selector_matches_labels(fleet: Fleet) -> None:
    await fleet.reports(streamer("s1", labels={"region": "eu", "gpu": "a10"}))
    await fleet.reports(streamer("s2", labels={"region": "us", "gpu": "a10"}))
    await fleet.reports(streamer("s3"))
    assert (await fleet.gets(ticket("p", labels={"gpu": "a10", "region": "us"}))).streamer.key == "s2/cam"
    await fleet.waits(ticket("q", labels={"gpu": "h100"}))
    assert (await fleet.gets(ticket("r", labels={"region": "eu"}))).streamer.key == "s1/cam"


async def test_a_ticket_without_a_matching_streamer_blocks_no_other(fleet: Fleet) -> None:
    await fleet.store.join(ticket("rare", labels={"gpu": "h100"}))
    await fleet.store.join(ticket("other", app="b"))
    await fleet.store.join(ticket("picky", wants="cam9"))
    await fleet.joins("plain")
    await fleet.reports(streamer())
    assert await fleet.matches() == {"plain": "s1/cam"}


async def test_a_slot_goes_to_the_oldest_ticket_that_it_matches(fleet: Fleet) -> None:
    await fleet.store.join(ticket("old", labels={"region": "eu"}))
    await fleet.joins("new")
    await fleet.reports(streamer(labels={"region": "eu"}))
    assert await fleet.matches() == {"old": "s1/cam"}
    await fleet.store.leave("old")
    assert await fleet.matches() == {"new": "s1/cam"}


# -- policies ---------------------------------------------------------------------------------------


async def test_spread_chooses_the_least_recently_used(fleet: Fleet) -> None:
    for server in ("s1", "s2", "s3"):
        await fleet.reports(streamer(server, capacity=0))
    fleet.clock.advance(0.1)
    chosen = []
    for number in range(6):
        chosen.append((await fleet.gets(ticket(f"p{number}"))).streamer.key)
        fleet.clock.advance(0.1)
    assert len(set(chosen[:3])) == 3
    assert chosen[:3] == chosen[3:]


async def test_spread_chooses_a_returned_streamer_last(fleet: Fleet) -> None:
    for server in ("s1", "s2"):
        await fleet.reports(streamer(server))
    fleet.clock.advance(0.1)
    await fleet.reports(server="s1")
    await fleet.reports(streamer("s1"))
    assert (await fleet.gets(ticket("p"))).streamer.key == "s2/cam"


async def test_pack_fills_one_machine_before_the_next(fleet: Fleet) -> None:
    await fleet.store.set_policies({"app": "pack"})
    for number in range(6):
        await fleet.reports(streamer(f"s{number}", node=f"n{number % 2}"))
    nodes = [(await fleet.gets(ticket(f"p{number}"))).streamer.node for number in range(6)]
    assert nodes[:3] == [nodes[0]] * 3
    assert len(set(nodes)) == 2
    await fleet.store.leave("p0")
    await fleet.store.leave("p4")
    await fleet.store.leave("p5")
    assert (await fleet.gets(ticket("again"))).streamer.node == nodes[0], "it is the fuller one"


async def test_pack_fills_streamers_without_a_machine(fleet: Fleet) -> None:
    await fleet.store.set_policies({"app": "pack"})
    await fleet.reports(streamer("s1", capacity=2))
    await fleet.reports(streamer("s2", capacity=2))
    keys = [(await fleet.gets(ticket(f"p{number}"))).streamer.key for number in range(4)]
    assert keys == ["s1/cam", "s1/cam", "s2/cam", "s2/cam"]


async def test_oldest_chooses_the_first_registered(fleet: Fleet) -> None:
    await fleet.store.set_policies({"app": "oldest"})
    for server in ("s3", "s1", "s2"):
        await fleet.reports(streamer(server, capacity=2))
        fleet.clock.advance(0.1)
    keys = [(await fleet.gets(ticket(f"p{number}"))).streamer.key for number in range(4)]
    assert keys == ["s3/cam", "s3/cam", "s1/cam", "s1/cam"]


@pytest.mark.parametrize(("policy", "expected"), [("oldest", "s1/cam"), ("spread", "s2/cam"), ("pack", "s1/cam")])
async def test_a_changed_policy_applies_at_once(fleet: Fleet, policy: Policy, expected: str) -> None:
    for server in ("s1", "s2"):
        await fleet.reports(streamer(server, capacity=0, node=server))
        fleet.clock.advance(0.1)
    await fleet.joins("p")
    fleet.clock.advance(0.1)
    policies: list[Policy] = ["pack", "spread", "oldest", policy]
    for each in policies:
        await fleet.store.set_policies({"app": each})
    assert (await fleet.gets(ticket("q"))).streamer.key == expected


async def test_an_app_whose_policy_is_removed_has_spread(fleet: Fleet) -> None:
    await fleet.store.set_policies({"app": "oldest"})
    for server in ("s1", "s2"):
        await fleet.reports(streamer(server, capacity=0))
        fleet.clock.advance(0.1)
    await fleet.joins("p")
    await fleet.store.set_policies({})
    assert (await fleet.gets(ticket("q"))).streamer.key == "s2/cam"


# -- spectators -------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", ["s2/cam2", "cam2"], ids=["by key", "by endpoint id"])
async def test_a_ticket_can_want_one_streamer(fleet: Fleet, wanted: str) -> None:
    await fleet.reports(streamer("s1", "cam1"))
    await fleet.waits(ticket("p", wants=wanted))
    await fleet.reports(streamer("s2", "cam2"))
    assert await fleet.matches() == {"p": "s2/cam2"}


async def test_a_ticket_that_may_share_spectates_when_no_slot_is_free(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.gets(ticket("player"))
    await fleet.waits(ticket("may-not", wants="cam"))
    lease = await fleet.gets(ticket("spectator", wants="cam", may_share=True))
    assert (lease.spectator, lease.streamer.key) == (True, "s1/cam")
    assert (await fleet.store.totals()).apps["app"].used == 1
    await fleet.reports(streamer(sessions=("player",), spectators=("spectator",)))
    assert {each.state for each in (await fleet.leases()).values()} == {LeaseState.HELD}
    assert (await fleet.store.totals()).apps["app"].used == 1


async def test_a_ticket_that_may_share_gets_a_free_slot(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    assert not (await fleet.gets(ticket("p", wants="cam", may_share=True))).spectator


async def test_a_spectator_occupies_no_free_slot(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    for number, wants in enumerate(("cam", "s1/cam", "*")):
        assert (await fleet.gets(ticket(f"spectator{number}", wants=wants, spectator=True))).spectator
    assert (await fleet.store.totals()).apps["app"].available == 1
    assert not (await fleet.gets(ticket("player"))).spectator


async def test_a_spectator_and_a_player_waiting_for_the_same_streamer_both_get_it(fleet: Fleet) -> None:
    for number in range(2):
        await fleet.waits(ticket(f"spectator{number}", wants="cam", spectator=True))
    await fleet.waits(ticket("player", wants="cam"))
    await fleet.reports(streamer())
    assert {name: lease.spectator for name, lease in (await fleet.leases()).items()} == {
        "spectator0": True,
        "spectator1": True,
        "player": False,
    }


async def test_a_spectator_waits_for_an_unknown_streamer(fleet: Fleet) -> None:
    await fleet.waits(ticket("spectator", wants="cam", may_share=True))
    await fleet.reports(streamer(sessions=("x",)))
    assert (await fleet.leases())["spectator"].spectator


@pytest.mark.parametrize("held", [False, True])
async def test_a_running_session_can_be_spectated_by_its_id(fleet: Fleet, *, held: bool) -> None:
    await fleet.reports(streamer("s1"))
    await fleet.reports(streamer("s2"))
    key = (await fleet.gets(ticket("player"))).streamer.key
    if held:
        await fleet.reports(streamer(key.partition("/")[0], sessions=("player",)))
    lease = await fleet.gets(ticket("spectator", wants="player", may_share=True))
    assert (lease.spectator, lease.streamer.key) == (True, key)
    waiting = await fleet.waits(ticket("other", wants="player"))
    assert waiting.ticket.wants == key, "it is in the lane of that streamer"
    await fleet.waits(ticket("elsewhere", app="b", wants="player", may_share=True))


async def test_a_session_that_begins_later_can_be_spectated_by_its_id(fleet: Fleet) -> None:
    await fleet.waits(ticket("spectator", wants="player", may_share=True))
    await fleet.reports(streamer())
    await fleet.gets(ticket("player"))
    assert [lease.session_id for lease in (await fleet.renews()).leases] == ["spectator"]


async def test_a_star_wants_a_free_streamer_or_the_one_with_the_fewest_spectators(fleet: Fleet) -> None:
    await fleet.reports(streamer("s1", sessions=("x",), spectators=("o",)))
    await fleet.reports(streamer("s2", sessions=("y",)))
    await fleet.waits(ticket("may-not", wants="*"))
    assert (await fleet.gets(ticket("a", wants="*", may_share=True))).streamer.key == "s2/cam"
    await fleet.reports(streamer("s3"))
    assert (await fleet.leases())["may-not"].streamer.key == "s3/cam"
    keys = [(await fleet.gets(ticket(each, wants="*", may_share=True))).streamer.key for each in "bcd"]
    assert sorted(keys) == ["s1/cam", "s2/cam", "s3/cam"]


async def test_a_player_becomes_a_spectator_when_its_server_reports_it_so(fleet: Fleet) -> None:
    await fleet.reports(streamer(capacity=2))
    await fleet.joins("a")
    await fleet.reports(streamer(capacity=2, sessions=("a",)))
    await fleet.reports(streamer(capacity=2, sessions=("b",), spectators=("a",)))
    assert (await fleet.leases())["a"].spectator


# -- numbers ----------------------------------------------------------------------------------------


async def test_lanes_have_length_head_and_marks(fleet: Fleet) -> None:
    for number in range(120):
        await fleet.joins(f"p{number:03}")
    await fleet.store.join(ticket("other", labels={"region": "eu"}))
    whole, region, empty = await fleet.store.lanes(["app\x1f", "app\x1fregion=eu", "b\x1f"])
    assert (whole.lane, whole.length, region.length, empty.length) == ("app\x1f", 120, 1, 0)
    assert whole.head == tuple(f"p{number:03}" for number in range(50))
    ranks = {each.ticket.session_id: each.rank for each in (await fleet.snapshot()).queue}
    places = [place for _, place in whole.marks]
    assert (places[0], places[-1], places == sorted(set(places))) == (51, 120, True)
    assert [rank for rank, _ in whole.marks] == [ranks[f"p{place - 1:03}"] for place in places]
    assert region.head == ("other",)
    assert await fleet.store.lanes([]) == []


async def test_lanes_have_the_rate_of_ended_sessions(fleet: Fleet) -> None:
    await fleet.reports(streamer(capacity=0))
    (view,) = await fleet.store.lanes(["app\x1f"])
    assert view.ends_per_second == 0
    for number in range(4):
        await fleet.joins(f"p{number}")
        await fleet.reports(streamer(capacity=0, sessions=(f"p{number}",)))
        await fleet.reports(streamer(capacity=0))
        fleet.clock.advance(2.0)
        (view,) = await fleet.store.lanes(["app\x1f"])
        assert view.ends_per_second == pytest.approx(0.5 if number else 0.0)


async def test_the_rate_of_ended_sessions_stays_until_the_next_end(fleet: Fleet) -> None:
    await fleet.reports(streamer(capacity=0))
    for number in range(3):
        await fleet.joins(f"p{number}")
        await fleet.reports(streamer(capacity=0, sessions=(f"p{number}",)))
        await fleet.reports(streamer(capacity=0))
        fleet.clock.advance(2.0)
    (before,) = await fleet.store.lanes(["app\x1f"])
    for _ in range(100):
        fleet.clock.advance(1.0)
        await fleet.reports(streamer(capacity=0))
        assert await fleet.store.lanes(["app\x1f"]) == [before]


async def test_totals_count_the_fleet(fleet: Fleet) -> None:
    await fleet.reports(streamer("s1", capacity=2, sessions=("x",)))
    await fleet.reports(streamer("s2", draining=True))
    await fleet.reports(streamer("s3", app="b", capacity=0))
    await fleet.joins("a", "waits")
    fleet.clock.advance(1.5)
    totals = await fleet.store.totals()
    app, other = totals.apps["app"], totals.apps["b"]
    assert (app.streamers, app.slots, app.used, app.available, app.waiting) == (1, 2, 2, 0, 1)
    assert app.oldest_wait == pytest.approx(1.5)
    assert (other.slots, other.available, other.oldest_wait) == (float("inf"), 1, 0)
    assert totals.now == pytest.approx(fleet.clock.now)


async def test_an_app_is_kept_for_some_time_after_its_last_use(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    fleet.clock.advance(HEARTBEAT_SECONDS + EXPIRY_SECONDS)
    assert (await fleet.store.totals()).apps["app"].streamers == 0
    fleet.clock.advance(UNUSED_SECONDS)
    assert (await fleet.store.totals()).apps == {}
    await fleet.reports(streamer())
    assert isinstance(await fleet.store.join(ticket("p")), Lease)


def test_the_test_clock_moves_only_on_request(clock: Clock) -> None:
    before = clock()
    clock.advance(1.5)
    assert clock() == before + 1.5
