"""The reports to the fleet store."""

import asyncio
from time import perf_counter

import pytest

from pixelfleet.fleet.memory import MemoryFleetStore
from pixelfleet.fleet.model import Reported, ServerReport
from pixelfleet.fleet.store import StoreUnavailableError
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.people import Invite
from pixelfleet.service.lifecycle import background
from signalserver.core.roster import Admission
from signalserver.core.session_time import SessionRules
from signalserver.core.state import Rules
from signalserver.drain import Drain
from signalserver.reporter import Reporter
from signalserver.settings import Settings
from tests.parts import eventually
from tests.unit.signalserver.hubs import Made, make_hub

URL = "ws://10.0.0.7:4000"


def reporter(made: Made, store: MemoryFleetStore | None = None) -> tuple[Reporter, Drain]:
    drain = Drain(made.hub, made.metrics, spread_seconds=0, grace_seconds=60)
    settings = Settings(app="game", capacity=2, labels={"region": "eu"})
    return Reporter(
        store or MemoryFleetStore(), made.hub, drain, made.watch, made.metrics, settings, "pod-1", URL
    ), drain


async def test_a_report_has_the_streamers_and_their_sessions() -> None:
    made = make_hub()
    made.streamer("cam")
    made.streamer()  # has no id yet: nobody can have it
    leased, direct = made.player(Admission("session-1", "cam", "game")), made.player()
    direct.send("subscribe", streamerId="cam")
    (report,) = reporter(made)[0].report().streamers
    assert (report.key, report.app, report.url, report.dialect) == ("pod-1/cam", "game", URL, "5.5")
    assert (report.capacity, report.labels) == (2, {"region": "eu"})
    assert (report.ready, report.draining) == (True, False)
    # A leased player counts once connected, before it subscribes.
    assert report.sessions == ("session-1", f"direct-{direct.connection.peer_id}")
    leased.leave()
    (report,) = reporter(made)[0].report().streamers
    assert report.sessions == (f"direct-{direct.connection.peer_id}",)


async def test_a_report_has_the_sessions_that_are_warned_of_a_limit() -> None:
    made = make_hub(rules=Rules(session=SessionRules(session_seconds=600, warn_seconds=60)))
    made.streamer("cam")
    made.player(Admission("long", "cam", "game"))
    made.player(Admission("free", "cam", "game", rules=SessionRules()))
    reports = reporter(made)[0]
    assert reports.report().streamers[0].warned == ()
    made.hub.execute(made.hub.switchboard.tick(perf_counter() + 570))
    assert reports.report().streamers[0].warned == ("long time",)


async def test_a_report_has_the_end_by_the_limits_of_a_person_on_a_server_without_limits() -> None:
    made = make_hub()
    made.streamer("cam")
    made.player(Admission("ada", "cam", "game", seconds=600))
    made.player(Admission("bob", "cam", "game"))
    made.hub.execute(made.hub.switchboard.tick(perf_counter()))
    facts = reporter(made)[0].report().facts
    assert list(facts) == ["ada"]
    assert facts["ada"].ends_at is not None


async def test_a_report_has_the_sessions_of_away_players_and_marks_them() -> None:
    made = make_hub()
    made.streamer("cam")
    made.player(Admission("present", "cam", "game"))
    away = made.player(Admission("away", "cam", "game"))
    watcher = made.player(Admission("watcher", "cam", "game", spectator=True))
    reports = reporter(made)[0]
    assert reports.report().streamers[0].away == ()
    for player in (away, watcher):
        made.hub.execute(made.hub.switchboard.away(player.connection.socket, 0.0, 30))
    (report,) = reports.report().streamers
    assert (report.sessions, report.spectators) == (("present", "away"), ("watcher",))
    assert report.away == ("away", "watcher")
    assert reports.report().ended == ()


async def test_a_report_has_the_guests_and_whether_a_streamer_gives_input_to_spectators() -> None:
    made = make_hub()
    source = made.streamer("cam")
    made.player(Admission("host", "cam", "game"))
    invite = Invite(session="host", role="guest", app="game", id="1")
    made.player(Admission("guest", "cam", "game", invite=invite, shares=True))
    watcher = made.player(Admission("watcher", "cam", "game", spectator=True))
    reports = reporter(made)[0]
    (report,) = reports.report().streamers
    assert (report.sessions, report.spectators, report.guests) == (("host",), ("guest", "watcher"), ("guest",))
    assert not report.gives_input
    watcher.send("subscribe", streamerId="cam")
    source.send("offer", sdp="v=0\r\nm=application 9 x y\r\n", playerId=watcher.connection.peer_id)
    assert reports.report().streamers[0].gives_input


async def test_a_report_has_readiness_and_drain() -> None:
    made = make_hub()
    made.streamer("cam")
    reports, drain = reporter(made)
    made.watch.trouble = "the application does not answer its players"
    drain.begin()
    (report,) = reports.report().streamers
    assert (report.ready, report.draining) == (False, True)


async def test_each_report_is_newer_than_the_last_also_after_a_restart() -> None:
    made = make_hub()
    made.streamer("cam")
    before, after = reporter(made)[0], reporter(made)[0]
    numbers = [before.report().sequence, before.report().sequence, after.report().sequence]
    assert numbers[0] < numbers[1]
    assert numbers[2] > numbers[0]


async def test_a_session_between_two_reports_is_reported_as_ended() -> None:
    made, store = make_hub(), MemoryFleetStore()
    made.streamer("cam")
    reports = reporter(made, store)[0]
    player = made.player(Admission("session-1", "cam", "game"))
    reports.report()
    player.leave()
    assert reports.report().ended == ("session-1",)
    # It is reported until the store accepts the report.
    assert reports.report().ended == ("session-1",)
    await reports._send(reports.report())
    assert reports.report().ended == ()


async def test_a_session_that_an_operator_ended_is_closed() -> None:
    class EndingStore(MemoryFleetStore):
        async def report(self, report: ServerReport) -> Reported:
            return Reported(taken=True, end=("session-1",))

    made = make_hub()
    made.streamer("cam")
    player, other = made.player(Admission("session-1", "cam", "game")), made.player()
    reports = reporter(made, EndingStore())[0]
    await reports._send(reports.report())
    assert [code for code, _ in player.socket.closes] == [close_codes.KICKED.code]
    assert other.socket.closes == []


async def test_a_session_is_extended_at_the_request_of_the_store() -> None:
    class ExtendingStore(MemoryFleetStore):
        async def report(self, report: ServerReport) -> Reported:
            return Reported(taken=True, extend=(("session-1", 600.0), ("unknown", 600.0)))

    made = make_hub(Rules(session=SessionRules(session_seconds=60)))
    made.streamer("cam")
    made.player(Admission("session-1", "cam", "game"))
    made.player(Admission("session-2", "cam", "game"))
    reports = reporter(made, ExtendingStore())[0]
    await reports._send(reports.report())
    assert [player.time.extended for player in made.hub.switchboard.players()] == [600.0, 0.0]


async def test_changes_and_the_end_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signalserver.reporter.HEARTBEAT_SECONDS", 600.0)
    made, store = make_hub(), MemoryFleetStore()

    async def known() -> list[str]:
        return [view.report.endpoint_id for view in (await store.snapshot()).streamers]

    async def reported() -> bool:
        return await known() == ["cam"]

    async with background(reporter(made, store)[0].run()):
        made.streamer("cam")
        await eventually(reported, "the store has the streamer")
    assert await known() == []


class AwayStore(MemoryFleetStore):
    """A store that is unavailable until the test releases it."""

    away = True

    async def report(self, report: ServerReport) -> Reported:
        if self.away:
            raise StoreUnavailableError("away")
        return await super().report(report)


async def test_after_a_store_failure_the_report_is_repeated_before_the_next_heartbeat(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("signalserver.reporter.HEARTBEAT_SECONDS", 600.0)
    made, store = make_hub(), AwayStore()
    made.streamer("cam")
    indicator = "signalserver_matchmaker_socket_open_indicator"
    async with background(reporter(made, store)[0].run()):
        await asyncio.sleep(0)
        assert made.gauge(indicator) == 0
        store.away = False
        await eventually(lambda: made.gauge(indicator) == 1, "the store is in reach")
        assert len((await store.snapshot()).streamers) == 1
