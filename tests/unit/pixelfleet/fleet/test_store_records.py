"""Records of ended sessions, in memory and on Redis."""

import pytest
from msgspec import structs

from pixelfleet.fleet.bounds import EXPIRY_SECONDS
from pixelfleet.fleet.model import Ticket
from pixelfleet.fleet.records import End, Origin, SessionFacts, SessionRecord
from tests.unit.pixelfleet.fleet.stores import Fleet, streamer, ticket

DAY = 86_400
LIVE = SessionFacts(first_frame_seconds={"page": 0.5, "picture": 1.25}, path="relayed", resumed=2)
LEFT = structs.replace(LIVE, played_seconds=60.0, ending="left", by="player", code=1000)


def recorded(session: str, **origin: str) -> Ticket:
    return structs.replace(ticket(session, keeps_place=30), origin=Origin(**origin))  # type: ignore[arg-type]


async def records(fleet: Fleet) -> list[SessionRecord]:
    return [each.record for each in await fleet.store.records()]


async def only(fleet: Fleet) -> SessionRecord:
    (record,) = await records(fleet)
    return record


@pytest.fixture
async def keeping(fleet: Fleet) -> Fleet:
    """A fleet that records its sessions, with one streamer."""
    await fleet.store.keep_records(1000, DAY)
    await fleet.renews()
    await fleet.reports(streamer(node="gpu-1"))
    return fleet


async def test_a_session_whose_server_knows_no_fact_any_more_has_a_record(keeping: Fleet) -> None:
    """A limit that no longer applies leaves no fact."""
    await keeping.gets(recorded("first", who="ada"))
    for facts in (SessionFacts(ends_at=1e9), SessionFacts()):
        await keeping.reports(streamer(node="gpu-1", sessions=("first",)), facts={"first": facts})
    await keeping.reports(streamer(node="gpu-1"))
    assert ((await only(keeping)).who, (await only(keeping)).session) == ("ada", "first")


async def test_nothing_is_recorded_unless_it_is_switched_on(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.gets(recorded("first"))
    await fleet.reports(streamer(sessions=("first",)), facts={"first": LIVE})
    await fleet.reports(streamer(), facts={"first": LEFT})
    assert await records(fleet) == []
    assert await fleet.store.count_records() == 0


async def test_a_session_has_a_record_of_its_whole_life(keeping: Fleet) -> None:
    clock = keeping.clock
    await keeping.gets(ticket("before"))
    await keeping.reports(streamer(node="gpu-1", sessions=("before",)))
    clock.advance(1.0)  # no two tickets arrive at the same moment
    queued = clock.now
    await keeping.waits(recorded("first", who="ada", address="1f2e"))
    await keeping.passes(20.0, servers=("s1",))
    await keeping.reports(streamer(node="gpu-1"))
    matched = clock.now
    await keeping.renews()
    await keeping.reports(streamer(node="gpu-1", sessions=("first",)), facts={"first": LIVE})
    assert (await keeping.leases())["first"].facts == LIVE
    assert (await keeping.leases())["first"].origin == Origin(who="ada", address="1f2e")
    await keeping.passes(60.0, servers=("s1",))
    ended = clock.now
    await keeping.reports(streamer(node="gpu-1"), facts={"first": LEFT})
    record = (await records(keeping))[-1]
    assert record == SessionRecord(
        session="first",
        app="app",
        who="ada",
        address="1f2e",
        streamer="s1/cam",
        node="gpu-1",
        queued_at=queued,
        matched_at=matched,
        ended_at=ended,
        first_frame_seconds={"page": 0.5, "picture": 1.25},
        path="relayed",
        resumed=2,
        played_seconds=60.0,
        ending="left",
        by="player",
        code=1000,
    )
    assert (record.waited_seconds, record.started_at, record.seconds_played) == (20.0, ended - 60, 60.0)
    assert (record.server, record.end) == ("s1", End("left", "player"))


async def test_a_repeated_report_adds_no_second_record(keeping: Fleet) -> None:
    await keeping.gets(recorded("first"))
    await keeping.reports(streamer(sessions=("first",)))
    for _ in range(2):
        await keeping.reports(streamer(), ended=("first",), facts={"first": LEFT})
    assert (await only(keeping)).end == End("left", "player")


async def test_a_session_between_two_reports_has_a_record(keeping: Fleet) -> None:
    await keeping.gets(recorded("first"))
    await keeping.reports(streamer(node="gpu-1"), ended=("first",), facts={"first": LEFT})
    record = await only(keeping)
    assert (record.session, record.node, record.played_seconds) == ("first", "gpu-1", 60.0)


@pytest.mark.parametrize(
    ("code", "end"),
    [(None, End("abandoned", "player")), (1001, End("abandoned", "player")), (4103, End("queue_timeout", "server"))],
    ids=["unknown", "closed", "timeout"],
)
async def test_a_player_that_leaves_the_queue_has_a_record(fleet: Fleet, code: int | None, end: End) -> None:
    await fleet.store.keep_records(1000, DAY)
    await fleet.waits(recorded("first", who="ada"))
    fleet.clock.advance(5.0)
    await fleet.store.leave("first", codes={} if code is None else {"first": code})
    record = await only(fleet)
    assert (record.who, record.streamer, record.waited_seconds, record.seconds_played) == ("ada", "", 5.0, 0.0)
    assert record.end == end


async def test_a_lost_player_has_a_record_once_its_place_is_no_longer_kept(fleet: Fleet) -> None:
    await fleet.store.keep_records(1000, DAY)
    await fleet.waits(recorded("first"))
    await fleet.store.leave("first", may_return=True, codes={"first": 1006})
    await fleet.passes(29.0)
    assert await records(fleet) == []
    await fleet.passes(2.0)
    assert (await only(fleet)).end == End("abandoned", "player")
    await fleet.passes(60.0)
    assert len(await records(fleet)) == 1


async def test_a_player_that_returns_to_its_place_has_one_record(fleet: Fleet) -> None:
    await fleet.store.keep_records(1000, DAY)
    await fleet.waits(recorded("first"))
    await fleet.store.leave("first", may_return=True)
    await fleet.passes(10.0)
    await fleet.store.join(recorded("first"), returns=True)
    await fleet.passes(40.0)
    assert await records(fleet) == []
    await fleet.store.leave("first")
    assert (await only(fleet)).waited_seconds == 50.0


async def test_a_session_of_a_lost_server_keeps_its_facts(keeping: Fleet) -> None:
    await keeping.gets(recorded("first"))
    await keeping.reports(streamer(node="gpu-1", sessions=("first",)), facts={"first": LIVE})
    await keeping.passes(EXPIRY_SECONDS + 0.5)
    record = await only(keeping)
    assert (record.path, record.node, record.end) == ("relayed", "gpu-1", End("server_lost", "server"))
    assert record.seconds_played == record.ended_at - 1002.5


async def test_a_session_of_a_lost_streamer_has_a_record(keeping: Fleet) -> None:
    await keeping.gets(recorded("first"))
    await keeping.reports(streamer(sessions=("first",)))
    await keeping.reports(streamer(endpoint="other"))
    assert (await only(keeping)).end == End("streamer_lost", "streamer")


async def test_the_record_of_a_session_names_the_operator_that_ended_it(keeping: Fleet) -> None:
    await keeping.gets(recorded("first"))
    await keeping.reports(streamer(sessions=("first",)))
    assert await keeping.store.end("first", operator='eve "admin" \\')
    await keeping.reports(streamer(), facts={"first": structs.replace(LEFT, ending="kicked", code=4201)})
    record = await only(keeping)
    assert (record.operator, record.end) == ('eve "admin" \\', End("kicked", "operator"))


async def test_a_player_without_a_ticket_has_a_record(keeping: Fleet) -> None:
    await keeping.reports(streamer(sessions=("direct-101", "direct-102"), node="gpu-1"))
    await keeping.reports(streamer(sessions=("direct-102",), node="gpu-1"), facts={"direct-101": LEFT})
    await keeping.reports(server="s1", facts={"direct-102": LEFT})
    for record, session in zip(await records(keeping), ("direct-101", "direct-102"), strict=True):
        assert (record.session, record.app, record.node, record.queued_at) == (session, "app", "gpu-1", None)
        assert (record.waited_seconds, record.started_at) == (None, record.ended_at - 60.0)


async def test_names_of_peers_are_quoted(keeping: Fleet) -> None:
    name = 'c"am\\ \u00e9/"}{'
    await keeping.reports(streamer("s2", name, node='"n"', app="quoted"))
    await keeping.gets(structs.replace(recorded("first", who='"},\\'), app="quoted"))
    await keeping.reports(streamer("s2", name, node='"n"', app="quoted"), ended=("first",))
    record = await only(keeping)
    assert (record.streamer, record.node, record.who) == (f"s2/{name}", '"n"', '"},\\')


async def test_a_store_reset_keeps_the_origin_of_restored_sessions(fleet: Fleet) -> None:
    await fleet.loses_data()
    await fleet.store.keep_records(1000, DAY)
    await fleet.store.restore("r1", [(recorded("first", who="ada"), fleet.clock.now)], [])
    await fleet.store.leave("first")
    assert (await only(fleet)).who == "ada"


async def test_a_store_reset_does_not_lengthen_the_wait_of_a_restored_session(keeping: Fleet) -> None:
    lease = await keeping.gets(recorded("first"))
    await keeping.reports(streamer(sessions=("first",)))
    await keeping.passes(20.0, servers=("s1",))
    await keeping.loses_data()
    await keeping.store.keep_records(1000, DAY)
    await keeping.reports(streamer(sessions=("first",)))
    await keeping.store.restore("r1", [], [(recorded("first", who="ada"), lease)])
    assert (await keeping.leases())["first"].since == lease.since
    await keeping.reports(streamer(), facts={"first": LEFT})
    record = await only(keeping)
    assert (record.who, record.waited_seconds, record.path) == ("ada", 0.0, "relayed")


async def test_records_never_grow_without_bound(fleet: Fleet) -> None:
    await fleet.store.keep_records(200, DAY)
    for start in range(0, 1000, 50):
        names = [f"p{number}" for number in range(start, start + 50)]
        await fleet.joins(*names)
        await fleet.store.leave(*names)
    # Redis removes whole nodes of the stream, of 100 entries at most.
    assert 200 <= await fleet.store.count_records() <= 300
    newest = await fleet.store.records(newest_first=True, limit=2)
    assert [each.record.session for each in newest] == ["p999", "p998"]
    older = await fleet.store.records(newest_first=True, before=newest[-1].id, limit=1)
    assert [each.record.session for each in older] == ["p997"]
    assert await fleet.store.records(after=newest[0].id) == []


async def test_old_records_are_removed_and_all_of_them_when_it_is_switched_off(fleet: Fleet) -> None:
    await fleet.store.keep_records(200, DAY)
    await fleet.joins("first", "second")
    await fleet.store.leave("first")
    await fleet.store.keep_records(200, DAY)
    assert await fleet.store.count_records() == 1
    await fleet.store.keep_records(200, -2)  # as if it were two seconds later
    assert await fleet.store.count_records() == 0
    await fleet.store.leave("second")
    assert await fleet.store.count_records() == 1
    await fleet.store.keep_records(0, DAY)
    assert await fleet.store.count_records() == 0
