"""A report that only repeats the last one renews it with a short call; whatever the store lacks is sent again."""

from typing import Any

import pytest

from pixelfleet.fleet.bounds import EXPIRY_SECONDS, HEARTBEAT_SECONDS, WARM_UP_SECONDS
from pixelfleet.fleet.model import ServerReport
from pixelfleet.fleet.records import SessionFacts
from pixelfleet.fleet.store import StoreUnavailableError
from tests.unit.pixelfleet.fleet.stores import Fleet, streamer, ticket

A_BIT = 0.01


def names(calls: list[tuple[Any, ...]]) -> list[str]:
    """Return the names of the scripts that were called."""
    return [script for script, *_ in calls]


async def test_an_unchanged_report_sends_no_facts(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    await fleet.reports(streamer(sessions=("p1",)))
    calls = fleet.count_calls(monkeypatch, "run")
    assert (await fleet.reports(streamer(sessions=("p1",)))).taken
    assert names(calls) == ["beat"]


async def test_unchanged_reports_keep_a_server(fleet: Fleet) -> None:
    for _ in range(5):
        await fleet.reports(streamer())
        fleet.clock.advance(HEARTBEAT_SECONDS)
    assert len((await fleet.snapshot()).streamers) == 1


async def test_a_server_expires_after_its_last_unchanged_report(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    fleet.clock.advance(HEARTBEAT_SECONDS)
    await fleet.reports(streamer())
    fleet.clock.advance(EXPIRY_SECONDS - A_BIT)
    assert len((await fleet.snapshot()).streamers) == 1
    fleet.clock.advance(2 * A_BIT)
    assert (await fleet.snapshot()).streamers == ()


async def test_two_lost_heartbeats_do_not_lose_a_server(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    await fleet.reports(streamer())
    await fleet.gets(ticket("p1"))
    await fleet.reports(streamer(sessions=("p1",)))
    fleet.clock.advance(3 * HEARTBEAT_SECONDS - A_BIT)
    calls = fleet.count_calls(monkeypatch, "run")
    assert (await fleet.reports(streamer(sessions=("p1",)))).taken
    assert names(calls) == ["beat"]
    fleet.clock.advance(HEARTBEAT_SECONDS)
    assert await fleet.matches() == {"p1": "s1/cam"}


async def test_an_expired_server_sends_its_facts_again(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    await fleet.reports(streamer())
    fleet.clock.advance(EXPIRY_SECONDS + A_BIT)
    calls = fleet.count_calls(monkeypatch, "run")
    assert (await fleet.reports(streamer())).taken
    assert names(calls) == ["beat", "report"]
    assert len((await fleet.snapshot()).streamers) == 1


async def test_a_store_that_lost_its_data_gets_the_facts_again(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    await fleet.reports(streamer())
    await fleet.reports(streamer())
    await fleet.loses_data()
    calls = fleet.count_calls(monkeypatch, "run")
    assert (await fleet.reports(streamer())).taken
    assert names(calls) == ["beat", "report"]
    fleet.clock.advance(WARM_UP_SECONDS)
    await fleet.gets(ticket("p1"))


async def test_a_changed_report_is_sent_at_once(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    await fleet.reports(streamer())
    calls = fleet.count_calls(monkeypatch, "run")
    await fleet.reports(streamer(draining=True))
    await fleet.reports(streamer(draining=True), ended=("p1",))
    await fleet.reports(streamer(draining=True), facts={"p1": SessionFacts()})
    assert names(calls) == ["report"] * 3


async def test_a_heartbeat_receives_sessions_to_end(fleet: Fleet) -> None:
    await fleet.reports(streamer(sessions=("p1",)))
    await fleet.store.end("p1", server_id="s1")
    assert (await fleet.reports(streamer(sessions=("p1",)))).end == ("p1",)
    assert (await fleet.reports(streamer(sessions=("p1",)))).end == ()


async def test_a_heartbeat_is_refused_after_the_same_report_of_a_later_process(fleet: Fleet) -> None:
    await fleet.reports(streamer())
    later = ServerReport(server_id="s1", sequence=100, streamers=(streamer(),), facts={"p1": SessionFacts()})
    assert (await fleet.store.report(later)).taken
    await fleet.store.report(ServerReport(server_id="s1", sequence=101, streamers=(streamer(),)))
    assert not (await fleet.reports(streamer())).taken


async def test_heartbeats_handle_what_is_due(fleet: Fleet) -> None:
    await fleet.reports(streamer("s1"))
    await fleet.reports(streamer("s2"))
    for _ in range(3):
        fleet.clock.advance(EXPIRY_SECONDS / 3)
        await fleet.reports(streamer("s2"))
    assert await fleet.read("EXISTS", "v:s1") == 0


async def test_after_a_failed_call_the_whole_report_is_sent(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    await fleet.reports(streamer())
    runner = fleet._on_redis._runner

    async def fail(*_words: object) -> None:
        raise StoreUnavailableError("lost")

    with monkeypatch.context() as failing:
        failing.setattr(runner, "run", fail)
        with pytest.raises(StoreUnavailableError):
            await fleet.reports(streamer())
    calls = fleet.count_calls(monkeypatch, "run")
    await fleet.reports(streamer())
    assert names(calls) == ["report"]
