"""Players that were lost while they waited, and return to their places in the queue."""

import pytest

from pixelfleet.fleet.bounds import CLAIM_SECONDS, EXPIRY_SECONDS
from pixelfleet.fleet.model import Lease, LeaseState, Ticket, Waiting
from pixelfleet.fleet.store import KickedError, PlaceLostError
from tests.unit.pixelfleet.fleet.stores import Fleet, streamer, ticket

WINDOW = 30


def waiting(session: str, *, replica: str = "r1", person: str = "") -> Ticket:
    """Return the ticket of a player that can return."""
    return ticket(session, replica=replica, person=person, keeps_place=WINDOW)


async def queue_of_three(fleet: Fleet) -> Waiting:
    """Queue three players that can return; return the place of the first."""
    await fleet.renews("r1", "r2")
    first = await fleet.waits(waiting("one"))
    await fleet.waits(waiting("two"))
    await fleet.waits(waiting("three", replica="r2"))
    return first


@pytest.mark.parametrize("replica", ["r1", "r2"])
async def test_a_lost_player_returns_to_its_place_through_any_replica(fleet: Fleet, replica: str) -> None:
    first = await queue_of_three(fleet)
    await fleet.store.leave("one", replica_id="r1", may_return=True)
    assert await fleet.queue() == ["two", "three"]
    await fleet.passes(WINDOW - 1, replicas=("r1", "r2"))
    placed = await fleet.store.join(waiting("one", replica=replica), returns=True)
    assert isinstance(placed, Waiting)
    assert (placed.arrived, placed.ticket.replica_id) == (first.arrived, replica)
    assert await fleet.queue() == ["one", "two", "three"]
    assert not await fleet.read("EXISTS", "place:one")


async def test_a_lost_player_is_not_matched_and_others_are(fleet: Fleet) -> None:
    await queue_of_three(fleet)
    await fleet.store.leave("one", replica_id="r1", may_return=True)
    await fleet.reports(streamer())
    assert await fleet.matches() == {"two": "s1/cam"}


async def test_a_returning_player_gets_a_free_streamer_at_once(fleet: Fleet) -> None:
    await fleet.renews()
    await fleet.waits(waiting("one"))
    await fleet.store.leave("one", replica_id="r1", may_return=True)
    await fleet.reports(streamer())
    placed = await fleet.store.join(waiting("one", replica="r2"), returns=True)
    assert isinstance(placed, Lease)
    assert placed.replica_id == "r2"


async def test_a_player_that_was_lost_on_its_way_to_a_streamer_returns_to_its_place(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.renews()
    lease = await fleet.gets(waiting("one"))
    await fleet.waits(waiting("two"))
    await fleet.store.leave("one", replica_id="r1", may_return=True)
    assert await fleet.matches() == {"two": "s1/cam"}
    placed = await fleet.store.join(waiting("one"), returns=True)
    assert isinstance(placed, Waiting)
    assert placed.arrived == lease.arrived


async def test_the_place_ends_with_its_window(fleet: Fleet) -> None:
    await queue_of_three(fleet)
    await fleet.store.leave("one", replica_id="r1", may_return=True)
    await fleet.passes(WINDOW, replicas=("r1", "r2"))
    with pytest.raises(PlaceLostError):
        await fleet.store.join(waiting("one"), returns=True)
    assert await fleet.queue() == ["two", "three"]


async def test_a_player_that_left_has_no_place(fleet: Fleet) -> None:
    await queue_of_three(fleet)
    await fleet.store.leave("one", replica_id="r1")
    with pytest.raises(PlaceLostError):
        await fleet.store.join(waiting("one"), returns=True)


async def test_a_player_that_cannot_return_leaves_nothing(fleet: Fleet) -> None:
    await fleet.renews()
    await fleet.joins("stock")
    await fleet.store.leave("stock", replica_id="r1", may_return=True)
    assert not await fleet.read("EXISTS", "place:stock")
    with pytest.raises(PlaceLostError):
        await fleet.store.join(ticket("stock"), returns=True)


async def test_the_places_of_a_dead_replica_are_kept(fleet: Fleet) -> None:
    first = await queue_of_three(fleet)
    await fleet.passes(EXPIRY_SECONDS + 1, replicas=("r2",))
    assert await fleet.queue() == ["three"]
    placed = await fleet.store.join(waiting("one", replica="r2"), returns=True)
    assert placed.arrived == first.arrived
    assert await fleet.queue() == ["one", "three"]


async def test_a_player_returns_before_its_dead_replica_expires(fleet: Fleet) -> None:
    first = await queue_of_three(fleet)
    placed = await fleet.store.join(waiting("one", replica="r2"), returns=True)
    assert placed.arrived == first.arrived
    await fleet.passes(EXPIRY_SECONDS + 1, replicas=("r2",))
    assert await fleet.queue() == ["one", "three"]
    assert (await fleet.renews("r2")).sessions == 2


async def test_a_streamer_is_not_held_for_a_player_of_a_dead_replica(fleet: Fleet) -> None:
    await queue_of_three(fleet)
    await fleet.reports(streamer())
    assert (await fleet.leases())["one"].state is LeaseState.MATCHED
    await fleet.passes(EXPIRY_SECONDS + CLAIM_SECONDS, replicas=("r2",), servers=("s1",))
    assert await fleet.matches() == {"three": "s1/cam"}
    assert isinstance(await fleet.store.join(waiting("one", replica="r2"), returns=True), Waiting)


async def test_the_replica_that_a_player_has_left_for_another_is_informed_once(fleet: Fleet) -> None:
    await queue_of_three(fleet)
    await fleet.store.join(waiting("one", replica="r2"), returns=True)
    renewal = await fleet.renews("r1")
    assert (renewal.moved, renewal.end, renewal.sessions) == (("one",), (), 1)
    assert (await fleet.renews("r1")).moved == ()
    await fleet.store.leave("one", replica_id="r1")  # late, by the old replica
    assert await fleet.queue() == ["one", "two", "three"]


async def test_a_kicked_person_does_not_return_to_its_place(fleet: Fleet) -> None:
    await fleet.renews()
    await fleet.waits(waiting("one", person="ada"))
    await fleet.waits(waiting("other", person="ada"))
    await fleet.store.leave("one", replica_id="r1", may_return=True)
    await fleet.store.end("other", kick_seconds=60.0)
    with pytest.raises(KickedError):
        await fleet.store.join(waiting("one", person="ada"), returns=True)


async def test_a_label_cannot_request_a_place(fleet: Fleet) -> None:
    await fleet.renews()
    await fleet.waits(ticket("one", labels={"region": '","keeps_place":99,"'}, wants='"keeps_place":99'))
    await fleet.store.leave("one", replica_id="r1", may_return=True)
    assert not await fleet.read("EXISTS", "place:one")
