"""Players whose cookie brings them back to a session that is away."""

from typing import Any

import pytest
from msgspec import structs

from pixelfleet.fleet.bounds import AWAY_SECONDS
from pixelfleet.fleet.model import Lease, LeaseState, Ticket, Waiting
from pixelfleet.fleet.store import KickedError, Placed
from tests.unit.pixelfleet.fleet.stores import Fleet, streamer, ticket

ADA = "ada0"


def stock(session: str, *, by_cookie: bool = True, person: str = ADA, **fields: Any) -> Ticket:
    """Return the ticket of a page without a token."""
    return structs.replace(ticket(session, person=person, **fields), by_cookie=by_cookie)


async def away(fleet: Fleet, first: Ticket) -> None:
    """Let a player arrive at the only streamer, and be away."""
    await fleet.renews()
    await fleet.reports(streamer())
    await fleet.gets(first)
    await fleet.reports(streamer(sessions=(first.session_id,)))
    await fleet.reports(streamer(sessions=(first.session_id,), away=(first.session_id,)))


async def brought_back(fleet: Fleet, second: Ticket) -> Lease | None:
    """Join; return the lease of the first session, or None for another answer."""
    placed: Placed = await fleet.store.join(second)
    if isinstance(placed, Waiting) or placed.session_id == second.session_id:
        return None
    return placed


async def test_a_cookie_brings_its_player_back_to_its_away_session(fleet: Fleet) -> None:
    await away(fleet, stock("first"))
    lease = await brought_back(fleet, stock("second", replica="r2"))
    assert lease is not None
    assert (lease.session_id, lease.state, lease.streamer.key) == ("first", LeaseState.HELD, "s1/cam")
    assert list(await fleet.leases()) == ["first"]
    assert await fleet.queue() == []


async def test_a_session_is_given_back_once(fleet: Fleet) -> None:
    await away(fleet, stock("first"))
    assert await brought_back(fleet, stock("second")) is not None
    assert await brought_back(fleet, stock("third")) is None


async def test_a_session_that_is_not_away_any_more_is_not_taken(fleet: Fleet) -> None:
    await away(fleet, stock("first"))
    await fleet.reports(streamer(sessions=("first",)))
    assert await brought_back(fleet, stock("second")) is None


@pytest.mark.parametrize("ended", [True, False])
async def test_a_session_that_has_ended_is_not_taken(fleet: Fleet, *, ended: bool) -> None:
    await away(fleet, stock("first"))
    await fleet.reports(streamer() if ended else streamer(endpoint="other"))
    assert await brought_back(fleet, stock("second")) is None


@pytest.mark.parametrize(
    "second",
    [
        stock("second", person="bob0"),
        stock("second", by_cookie=False),
        stock("second", app="other"),
        stock("second", wants="cam"),
        stock("second", labels={"region": "eu"}),
    ],
    ids=["person", "page with tokens", "app", "wanted streamer", "labels"],
)
async def test_a_session_is_taken_only_by_the_same_person_for_the_same(fleet: Fleet, second: Ticket) -> None:
    await away(fleet, stock("first"))
    assert await brought_back(fleet, second) is None
    assert await brought_back(fleet, stock("third")) is not None


async def test_the_session_of_a_page_with_tokens_is_not_taken(fleet: Fleet) -> None:
    await away(fleet, stock("first", by_cookie=False))
    assert await brought_back(fleet, stock("second")) is None


async def test_a_kicked_person_is_not_brought_back(fleet: Fleet) -> None:
    await away(fleet, stock("first"))
    await fleet.store.end("first", kick_seconds=60.0)
    with pytest.raises(KickedError):
        await brought_back(fleet, stock("second"))


async def test_an_away_session_is_forgotten_after_a_time(fleet: Fleet) -> None:
    await away(fleet, stock("first"))
    assert await fleet.time_to_live(f"away:{ADA}") == AWAY_SECONDS == 120
