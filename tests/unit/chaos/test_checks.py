"""Each check of the fault tests finds what it is for, and nothing else."""

import pytest

from pixelfleet.fleet.model import (
    FleetSnapshot,
    Lease,
    LeaseState,
    StreamerReport,
    StreamerView,
    Ticket,
    Waiting,
)
from tests.chaos.checks import CAPACITY, FATE, ORDER, Capacity, Fate, Fates, Order, Violations, slots_free

REPORT = StreamerReport(server_id="pod", endpoint_id="cam", app="a", url="ws://pod/", capacity=2)
PATIENCE = 30.0


def snapshot(*sessions: str, leased: int = 0, waiting: int = 0, streamers: int = 1) -> FleetSnapshot:
    """Return a store with one streamer, leases of these sessions, and tickets in the queue."""
    leases = [
        Lease(session_id=name, replica_id="r", streamer=REPORT, state=LeaseState.HELD, spectator=name == "spectator")
        for name in sessions
    ]
    ticket = Ticket(session_id="w", replica_id="r", app="a")
    view = StreamerView(report=REPORT, seen=0.0, used=0.0, leased=leased)
    return FleetSnapshot(
        now=0.0,
        streamers=(view,) * streamers,
        leases=tuple(leases),
        queue=(Waiting(ticket=ticket, arrived=0.0),) * waiting,
    )


@pytest.fixture
def found() -> Violations:
    return Violations()


def test_a_third_player_passes_a_capacity_of_two(found: Violations) -> None:
    capacity = Capacity(2, found)
    for player in ("1", "2"):
        capacity.joined("cam", player)
    capacity.left("cam", "1")
    capacity.joined("cam", "3")
    assert not found.counts
    capacity.joined("cam", "4")
    assert found.counts == {CAPACITY: 1}
    assert capacity.most == 3


def test_a_streamer_that_lost_its_server_has_no_players(found: Violations) -> None:
    capacity = Capacity(1, found)
    capacity.joined("cam", "1")
    capacity.lost("cam")
    capacity.joined("cam", "2")
    assert not found.counts


def test_too_many_leases_count_in_two_snapshots_in_a_row(found: Violations) -> None:
    capacity = Capacity(2, found)
    capacity.leases(snapshot("1", "2", "3"))
    capacity.leases(snapshot("1", "2", "spectator"))
    capacity.leases(snapshot("1", "2", "3"))
    assert not found.counts
    capacity.leases(snapshot("1", "2", "3"))
    assert found.counts == {CAPACITY: 1}


def test_a_player_that_a_server_refused_for_its_slot_is_a_violation(found: Violations) -> None:
    capacity = Capacity(2, found)
    capacity.refused(0.0)
    assert not found.counts
    capacity.refused(2.0)
    assert found.counts == {CAPACITY: 1}


@pytest.mark.parametrize(
    ("numbers", "violations"),
    [((0, 1, 2), 0), ((0, 2), 1), ((0, 1, 1), 1), ((1,), 1), ((0, 2, 1), 2)],
    ids=["complete", "lost", "repeated", "lost at the beginning", "out of order"],
)
def test_numbered_messages_must_be_complete_single_and_in_order(
    found: Violations, numbers: tuple[int, ...], violations: int
) -> None:
    order = Order("up", found)
    for number in numbers:
        order.took("p.1", number)
    assert found.counts[ORDER] == violations


def test_each_negotiation_counts_for_itself(found: Violations) -> None:
    order = Order("up", found)
    for stream in ("p.1", "p.2"):
        order.took(stream, 0)
    assert not found.counts


def test_a_message_that_has_not_arrived_at_rest_is_lost(found: Violations) -> None:
    order = Order("up", found)
    order.took("p.1", 0)
    order.complete("p.1", 1)
    assert not found.counts
    order.complete("p.1", 2)
    assert found.counts == {ORDER: 1}


def test_a_player_may_be_away_for_as_long_as_there_is_a_fault(found: Violations) -> None:
    fates = Fates(found, PATIENCE)
    fates.become("p", Fate.PLAYING, 0.0)
    fates.become("p", Fate.AWAY, 1.0)
    fates.check(100.0, None)
    fates.check(100.0, 90.0)
    assert not found.counts
    fates.check(121.0, 90.0)
    fates.check(122.0, 90.0)
    assert found.counts == {FATE: 1}


@pytest.mark.parametrize("fate", [Fate.WAITING, Fate.PLAYING])
def test_a_player_that_waits_or_plays_may_do_so_for_ever(found: Violations, fate: Fate) -> None:
    fates = Fates(found, PATIENCE)
    fates.become("p", fate, 0.0)
    fates.check(1000.0, 0.0)
    assert not found.counts
    assert fates.settled


def test_attempts_to_connect_do_not_begin_the_patience_anew(found: Violations) -> None:
    fates = Fates(found, PATIENCE)
    for now in range(0, 40, 5):
        fates.become("p", Fate.AWAY if now % 2 else Fate.CONNECTING, float(now))
    fates.check(40.0, 0.0)
    assert found.counts == {FATE: 1}


@pytest.mark.parametrize("code", [4209, 4999])
def test_a_player_that_may_not_connect_again_is_a_violation(found: Violations, code: int) -> None:
    fates = Fates(found, PATIENCE)
    fates.ended("p", code, 0.0)
    assert found.counts == {FATE: 1}
    assert fates.ends == {code: 1}
    assert fates.settled


def test_a_player_that_has_left_is_forgotten(found: Violations) -> None:
    fates = Fates(found, PATIENCE)
    fates.become("p", Fate.CONNECTING, 0.0)
    fates.gone("p")
    fates.check(100.0, 0.0)
    assert not found.counts
    assert fates.count(Fate.CONNECTING) == 0


def test_a_fleet_is_free_with_all_streamers_and_without_sessions_and_tickets() -> None:
    assert slots_free(snapshot(), ["cam"]) == []
    assert slots_free(snapshot(leased=1), ["cam"]) == ["1 slots of cam are occupied"]
    assert slots_free(snapshot(waiting=2), ["cam"]) == ["2 tickets are in the queue"]
    assert slots_free(snapshot(), ["cam", "other"]) == ["other is not in the store"]
    assert slots_free(snapshot(), []) == ["cam is in the store"]
    assert slots_free(snapshot(streamers=0), ["cam"]) == ["cam is not in the store"]
