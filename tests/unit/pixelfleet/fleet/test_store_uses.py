"""The limits of persons and tenants: simultaneous sessions, and time a day."""

import asyncio

import pytest
from msgspec import structs

from pixelfleet.fleet.bounds import EXPIRY_SECONDS
from pixelfleet.fleet.model import Lease, Ticket, UseLimit
from pixelfleet.fleet.store import NoMinutesError, TooManySessionsError
from tests.unit.pixelfleet.fleet.stores import Fleet, streamer, ticket

ADA, ACME = "ada0", "acce"
DAY = 86400


def limited(session: str, *limits: UseLimit, replica: str = "r1") -> Ticket:
    return structs.replace(ticket(session, replica=replica, person=ADA), use_limits=limits)


async def refused(fleet: Fleet, join_request: Ticket) -> type[Exception] | None:
    try:
        await fleet.store.join(join_request)
    except (TooManySessionsError, NoMinutesError) as error:
        return type(error)
    return None


async def plays(fleet: Fleet, join_request: Ticket) -> None:
    """Join, and have the server report the session."""
    await fleet.gets(join_request)
    await fleet.reports(streamer(sessions=(join_request.session_id,), capacity=0))


async def test_a_person_has_a_number_of_sessions(fleet: Fleet) -> None:
    two = UseLimit(ADA, sessions=2)
    await fleet.renews()
    for session in ("one", "two"):
        await fleet.waits(limited(session, two))
    assert await refused(fleet, limited("three", two)) is TooManySessionsError
    assert await refused(fleet, limited("one", two)) is None, "the same session again"
    assert await refused(fleet, limited("other", UseLimit("b0b0", sessions=2))) is None
    assert await refused(fleet, ticket("open")) is None
    await fleet.store.leave("one")
    assert await refused(fleet, limited("three", two)) is None
    assert await refused(fleet, limited("four", two)) is TooManySessionsError


async def test_parallel_joins_exceed_no_limit(fleet: Fleet) -> None:
    await fleet.renews("r1", "r2")
    joins = [limited(f"s{number}", UseLimit(ADA, sessions=3), replica=f"r{number % 2 + 1}") for number in range(20)]
    assert (await asyncio.gather(*(refused(fleet, each) for each in joins))).count(None) == 3


async def test_a_tenant_has_a_number_of_sessions_of_all_its_persons(fleet: Fleet) -> None:
    acme = UseLimit(ACME, sessions=2)
    await fleet.renews()
    await fleet.waits(limited("one", UseLimit(ADA, sessions=1), acme))
    assert await refused(fleet, limited("again", UseLimit(ADA, sessions=1), acme)) is TooManySessionsError
    await fleet.waits(limited("two", UseLimit("b0b0", sessions=1), acme))
    assert await refused(fleet, limited("three", UseLimit("cece", sessions=1), acme)) is TooManySessionsError


async def test_a_session_that_was_refused_does_not_count(fleet: Fleet) -> None:
    one = UseLimit(ADA, sessions=1)
    await fleet.renews()
    await fleet.waits(limited("one", one))
    assert await refused(fleet, limited("two", one)) is TooManySessionsError
    await fleet.store.leave("one")
    assert not await fleet.read("EXISTS", f"use:{ADA}")
    assert await refused(fleet, limited("two", one)) is None


async def test_the_session_of_a_lost_replica_does_not_count(fleet: Fleet) -> None:
    one = UseLimit(ADA, sessions=1)
    await fleet.renews()
    await fleet.waits(limited("one", one))
    await fleet.passes(EXPIRY_SECONDS + 1, replicas=("r2",))
    assert await refused(fleet, limited("two", one, replica="r2")) is None


async def test_only_time_with_a_streamer_counts(fleet: Fleet) -> None:
    hour = UseLimit(ADA, seconds=3600)
    await fleet.renews()
    await fleet.waits(limited("one", hour))
    await fleet.passes(60)
    assert await fleet.store.seconds_left(limited("two", hour)) == 3600
    assert await fleet.store.seconds_left(ticket("open")) is None
    assert await fleet.store.seconds_left(limited("two", UseLimit(ADA, sessions=1))) is None


async def test_the_time_of_running_and_ended_sessions_counts(fleet: Fleet) -> None:
    minute, mine = UseLimit(ADA, seconds=60), limited("one", UseLimit(ADA, seconds=60))
    await fleet.reports(streamer(capacity=0))
    await fleet.renews()
    await plays(fleet, mine)
    await fleet.passes(20, servers=("s1",))
    assert await fleet.store.seconds_left(mine) == 40
    assert await fleet.store.seconds_left(limited("two", minute)) == 40
    await fleet.reports(streamer(capacity=0))  # the session has ended
    assert await fleet.read("HGET", f"day:{ADA}", "used") == b"20000000"
    await fleet.passes(5, servers=("s1",))
    await plays(fleet, limited("two", minute))
    await fleet.passes(40, servers=("s1",))
    assert await fleet.store.seconds_left(limited("two", minute)) == 0
    assert await refused(fleet, limited("three", minute)) is NoMinutesError
    assert await refused(fleet, limited("three", UseLimit(ADA, seconds=61))) is None


async def test_the_next_day_begins_with_the_whole_time(fleet: Fleet) -> None:
    minute = UseLimit(ADA, seconds=60)
    fleet.clock.now += DAY - fleet.clock.now % DAY - 30
    await fleet.renews()
    await fleet.passes(5)
    await fleet.reports(streamer(capacity=0))
    await plays(fleet, limited("one", minute))
    await fleet.passes(35, servers=("s1",))
    assert await fleet.store.seconds_left(limited("one", minute)) == 50, "10 s since midnight"
    await fleet.reports(streamer(capacity=0))
    assert await fleet.store.seconds_left(limited("two", minute)) == 50
    fleet.clock.advance(DAY)
    assert await fleet.store.seconds_left(limited("two", minute)) == 60


async def test_running_sessions_count_after_a_reset_of_the_store(fleet: Fleet) -> None:
    one = UseLimit(ADA, sessions=1)
    await fleet.renews()
    waiting = await fleet.waits(limited("one", one))
    await fleet.loses_data()
    await fleet.store.restore("r1", [(waiting.ticket, waiting.arrived)], [])
    assert await refused(fleet, limited("two", one)) is TooManySessionsError


@pytest.mark.parametrize("text", ['"limits":[["ada0",1,0]]', '\\"limits\\":[[\\"ada0\\",1,0]]'])
async def test_text_of_a_client_is_no_limit(fleet: Fleet, text: str) -> None:
    await fleet.renews()
    await fleet.reports(streamer())
    placed = await fleet.store.join(structs.replace(limited("one", UseLimit("b0b0", sessions=1)), wants=text))
    assert not isinstance(placed, Lease)
    assert not await fleet.read("EXISTS", f"use:{ADA}")
    assert await fleet.read("EXISTS", "use:b0b0")
