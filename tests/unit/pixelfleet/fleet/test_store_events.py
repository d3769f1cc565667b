"""The contract of the fleet store, for every implementation: events, and the turns of their senders."""

from typing import Any, Final

from pixelfleet.fleet.bounds import AWAY_SECONDS, EVENTS_LAST_SECONDS, EXPIRY_SECONDS
from pixelfleet.fleet.events import Position, StoredEvent, Turn, Turned
from tests.unit.pixelfleet.fleet.stores import Fleet, streamer, ticket

START: Final = Position()


async def turn(fleet: Fleet, webhook: str = "", sender: str = "one", lead: float = 10.0, **words: Any) -> Turned:
    return await fleet.store.take_turn(
        Turn(webhook=webhook, sender=sender, lead_seconds=lead, **{"keep": 1000, **words})
    )


async def all_events(fleet: Fleet) -> list[StoredEvent]:
    found: list[StoredEvent] = []
    while batch := await fleet.store.events(found[-1].position if found else START):
        found += batch
    return found


async def types(fleet: Fleet, subject: str) -> list[str]:
    return [each.event.type for each in await all_events(fleet) if each.subject == subject]


async def test_nothing_is_written_unless_a_sender_asks_for_it(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    await fleet.joins("first", "second")
    assert await fleet.store.events(START) == []
    assert await fleet.store.events(None) == []
    assert await fleet.read("EXISTS", "events") == 0
    await turn(fleet)
    await fleet.store.leave("second")
    assert await types(fleet, "second") == ["session.ended"]


async def test_events_stop_a_day_after_the_last_sender(fleet: Fleet) -> None:
    await turn(fleet)
    fleet.clock.advance(EVENTS_LAST_SECONDS - 1)
    await fleet.joins("early")
    fleet.clock.advance(2)
    await fleet.joins("late")
    assert {each.subject for each in await all_events(fleet)} == {"early"}


async def test_a_session_has_an_event_for_each_change(fleet: Fleet) -> None:
    await turn(fleet)
    await fleet.store.join(ticket("waits", person="ab12"))
    fleet.clock.advance(1.5)
    await fleet.reports(streamer())
    await fleet.renews()
    await fleet.reports(streamer(sessions=("waits",)))
    await fleet.reports(streamer(sessions=("waits",), away=("waits",)))
    await fleet.reports(streamer(sessions=("waits",)))
    await fleet.reports(streamer())
    found = [each for each in await all_events(fleet) if each.subject == "waits"]
    assert [each.event.type for each in found] == [
        "session.queued",
        "session.matched",
        "session.playing",
        "session.away",
        "session.resumed",
        "session.ended",
    ]
    queued, matched, *_, ended = (each.event.data for each in found)
    assert (queued.session, queued.app, queued.streamer, queued.person) == ("waits", "app", "", "ab12")
    assert (matched.streamer, matched.waited_seconds) == ("s1/cam", 1.5)
    assert (ended.state, ended.streamer, ended.spectator) == ("playing", "s1/cam", False)
    numbers = [each.position.number for each in await all_events(fleet)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len({each.event.id for each in await all_events(fleet)}) == len(numbers)
    assert (await fleet.store.events(None))[0] == (await all_events(fleet))[-1]


async def test_the_end_of_a_session_has_its_record_while_records_are_kept(fleet: Fleet) -> None:
    await turn(fleet)
    await fleet.store.keep_records(100, 86_400)
    await fleet.reports(streamer())
    await fleet.joins("plays", "waits")
    await fleet.store.leave("waits")
    await fleet.reports(streamer(sessions=("plays",)))
    await fleet.reports(streamer())
    ended = [each.event.data for each in await all_events(fleet) if each.event.type == "session.ended"]
    assert [data.session for data in ended] == ["waits", "plays"]
    assert [data.record for data in ended] == [each.record for each in await fleet.store.records()]


async def test_a_session_that_is_matched_at_once_was_not_queued(fleet: Fleet) -> None:
    await turn(fleet)
    await fleet.reports(streamer())
    await fleet.joins("quick")
    assert await types(fleet, "quick") == ["session.matched"]


async def test_a_session_between_two_reports_played_and_ended(fleet: Fleet) -> None:
    await turn(fleet)
    await fleet.reports(streamer())
    await fleet.joins("short")
    await fleet.reports(streamer(), ended=("short",))
    assert await types(fleet, "short") == ["session.matched", "session.playing", "session.ended"]
    assert (await all_events(fleet))[-1].event.data.state == "playing"


async def test_a_lost_lease_queues_its_session_again(fleet: Fleet) -> None:
    await turn(fleet)
    await fleet.reports(streamer())
    await fleet.joins("unlucky")
    await fleet.store.give_back("unlucky", unreachable=True)
    await fleet.store.leave("unlucky")
    found = [each.event for each in await all_events(fleet) if each.subject == "unlucky"]
    assert [each.type for each in found] == ["session.matched", "session.queued", "session.ended"]
    assert found[1].data.again
    assert found[2].data.state == "waiting"


async def test_a_reservation_that_expires_has_ended(fleet: Fleet) -> None:
    await turn(fleet)
    await fleet.reports(streamer())
    assert await fleet.store.reserve(ticket("page", replica=""))
    await fleet.passes(60, servers=("s1",))
    assert await types(fleet, "page") == ["session.matched", "session.ended"]


async def test_a_player_that_returns_to_its_place_is_queued_again(fleet: Fleet) -> None:
    await turn(fleet)
    await fleet.store.join(ticket("back", keeps_place=AWAY_SECONDS))
    await fleet.store.leave("back", may_return=True)
    await fleet.store.join(ticket("back"), returns=True)
    found = [each.event for each in await all_events(fleet)]
    assert [(each.type, each.data.again) for each in found] == [
        ("session.queued", False),
        ("session.ended", False),
        ("session.queued", True),
    ]


async def test_the_warnings_of_a_session(fleet: Fleet) -> None:
    await turn(fleet)
    await fleet.reports(streamer())
    await fleet.joins("long")
    for warned in ((), ("long idle",), ("long idle",), ("long time",), ()):
        await fleet.reports(streamer(sessions=("long",), warned=warned))
    warnings = [each.event.data.limit for each in await all_events(fleet) if each.event.type == "session.warning"]
    assert warnings == ["idle", "time"]


async def test_streamers_are_up_quarantined_and_down(fleet: Fleet) -> None:
    await turn(fleet)
    await fleet.reports(streamer(node="big"))
    await fleet.renews()
    await fleet.joins("unlucky")
    await fleet.store.give_back("unlucky", unreachable=True)
    fleet.clock.advance(EXPIRY_SECONDS + 1)
    await fleet.renews()
    found = [each.event for each in await all_events(fleet) if each.subject == "s1/cam"]
    assert [each.type for each in found] == ["streamer.up", "streamer.quarantined", "streamer.down"]
    assert (found[0].data.streamer, found[0].data.node, found[0].data.app) == ("s1/cam", "big", "app")
    assert found[1].data.until is not None
    assert found[1].data.until > 1000


async def test_only_the_latest_events_are_kept(fleet: Fleet) -> None:
    await turn(fleet, keep=3)
    await fleet.joins("a", "b", "c", "d")
    assert [each.position.number for each in await all_events(fleet)] == [2, 3, 4]


async def test_one_sender_has_the_lead(fleet: Fleet) -> None:
    assert (await turn(fleet, "hook", "one")).leads
    assert not (await turn(fleet, "hook", "two")).leads
    assert (await turn(fleet, "other", "two")).leads, "each webhook has its own"
    fleet.clock.advance(9)
    assert (await turn(fleet, "hook", "one")).leads
    fleet.clock.advance(9)
    assert not (await turn(fleet, "hook", "two")).leads
    fleet.clock.advance(2)
    assert (await turn(fleet, "hook", "two")).leads, "the first one was killed"
    assert not (await turn(fleet, "hook", "one")).leads


async def test_a_sender_gives_up_the_lead(fleet: Fleet) -> None:
    await turn(fleet, "hook", "one")
    assert not (await turn(fleet, "hook", "one", lead=0)).leads
    assert (await turn(fleet, "hook", "two")).leads


async def test_the_position_survives_its_sender(fleet: Fleet) -> None:
    await turn(fleet)
    await fleet.joins("before")
    first = await turn(fleet, "hook", "one")
    assert (first.position.number, first.latest) == (1, 1), "a new webhook begins after the latest event"
    await fleet.joins("a", "b")
    (a, b) = await fleet.store.events(first.position)
    await turn(fleet, "hook", "one", known=a.position, delivered=True)
    fleet.clock.advance(11)
    second = await turn(fleet, "hook", "two")
    assert second.position == a.position
    late = await turn(fleet, "hook", "one", known=b.position, delivered=True)
    assert (late.leads, late.position) == (False, a.position), "a sender without the lead moves nothing"


async def test_a_store_reports_that_it_has_lost_a_position(fleet: Fleet) -> None:
    await turn(fleet, "hook", "one")
    await fleet.joins("a")
    (a,) = await fleet.store.events(START)
    await turn(fleet, "hook", "one", known=a.position, delivered=True)
    await fleet.loses_data()
    answer = await turn(fleet, "hook", "one", known=a.position, delivered=True)
    assert answer == Turned(True, Position(), 0, True)
    assert not (await turn(fleet, "hook", "one", known=START, delivered=True)).lost_position
