"""The launcher between a hub and an application that is only pretended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter

import pytest

from pixelfleet.protocol import close_codes
from pixelfleet.service.lifecycle import background
from signalserver.core.roster import Admission
from signalserver.launcher.launcher import Launcher
from signalserver.launcher.lifecycle import Lifecycle
from signalserver.launcher.means import EndError
from tests.parts import PATIENCE_SECONDS, eventually
from tests.unit.signalserver.hubs import Made, make_hub
from tests.unit.signalserver.pages import Page, make_server

RESTARTED = "the application is restarted"
STARTING = "the application is starting"


@dataclass
class Pretended:
    """An application whose every step waits for the test."""

    starts: int = 0
    notices: int = 0
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the application is to end."""
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by the test: the application has ended as requested."""
    crash: asyncio.Event = field(default_factory=asyncio.Event)
    refusals: int = 0
    """The number of attempts to end it that fail."""
    closed: bool = False

    async def start(self) -> None:
        self.starts += 1
        for event in (self.ending, self.gone, self.crash):
            event.clear()

    async def connected(self) -> None:
        self.notices += 1

    async def crashed(self) -> None:
        await self.crash.wait()

    async def end(self) -> None:
        if self.refusals:
            self.refusals -= 1
            raise EndError("it cannot be signalled")
        self.ending.set()
        await self.gone.wait()

    async def close(self) -> None:
        self.closed = True


@dataclass
class Running:
    made: Made
    launcher: Launcher
    means: Pretended

    def series(self, name: str, **labels: str) -> float | None:
        return self.made.metrics.registries.all.get_sample_value(name, labels)

    def accepts_streamers(self) -> bool:
        return self.launcher.accepts_streamers

    def trouble(self) -> str | None:
        return self.launcher.trouble

    async def ended(self) -> None:
        """Wait until the application is to end, and end it."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.means.ending.wait()
        self.means.gone.set()


@asynccontextmanager
async def running(
    *, fresh: bool = True, retry: float = 0.0, start_seconds: float = 600.0, made: Made | None = None
) -> AsyncIterator[Running]:
    made, means = made or make_hub(capacity=0), Pretended()
    lifecycle = Lifecycle(perf_counter(), start_seconds, fresh=fresh)
    launcher = Launcher(made.hub, made.metrics, lifecycle, chance=lambda: 0.0, retry=lambda *_: retry)
    async with background(launcher.run(means)):
        await eventually(lambda: means.starts, "the application is started")
        yield Running(made, launcher, means)
    assert means.closed


async def test_after_the_last_session_the_old_streamer_is_closed_and_a_new_one_is_awaited() -> None:
    async with running() as app:
        assert app.trouble() == STARTING
        old = app.made.streamer("cam")
        assert app.trouble() is None
        first, second = (app.made.player(Admission(name, "cam", "game")) for name in ("one", "two"))
        for player in (first, second):
            player.send("subscribe", streamerId="cam")
        assert app.launcher.session == "one"
        first.leave()
        assert app.trouble() is None  # a session is left
        second.leave()
        # At once, in the same step of the loop, nobody else gets the used application.
        assert app.launcher.refuses(matched=True) == RESTARTED
        assert app.launcher.refuses(matched=False) == RESTARTED
        assert app.accepts_streamers() is False
        await app.means.ending.wait()
        assert old.socket.closes == [(close_codes.RESTARTING.code, close_codes.RESTARTING.reason)]
        assert [source.endpoint_id for source in app.launcher.awaited] == ["cam"]
        assert app.launcher.session == "two"
        app.means.gone.set()
        await eventually(lambda: app.means.starts == 2, "the application is started again")
        assert app.trouble() == STARTING
        assert app.launcher.refuses(matched=False) is None  # it may wait for the streamer
        assert app.accepts_streamers()
        app.made.streamer("cam")
        assert app.trouble() is None
        assert not app.launcher.awaited
        assert app.series("signalserver_application_restarts_total", cause="session") == 1
        assert app.series("signalserver_application_ready_seconds_count") == 1


async def test_a_page_that_negotiates_again_keeps_the_application() -> None:
    """The page leaves as one player and arrives as the next in one step of the loop."""
    async with running() as app:
        app.made.streamer("cam")
        player = app.made.player()
        player.send("subscribe", streamerId="cam")
        player.leave()
        again = app.made.player()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert app.trouble() is None
        again.send("subscribe", streamerId="cam")
        assert app.trouble() is None
        again.leave()
        await app.ended()


async def test_a_connected_player_that_subscribes_later_does_not_keep_the_application() -> None:
    async with running() as app:
        app.made.streamer("cam")
        waiting = app.made.player()
        player = app.made.player()
        player.send("subscribe", streamerId="cam")
        player.leave()
        waiting.send("subscribe", streamerId="cam")  # in the same step of the loop
        await app.ended()
        assert waiting.kinds()[-1] != "offer"
        assert waiting.socket.closes == [(close_codes.STREAMER_LEFT.code, close_codes.STREAMER_LEFT.reason)]


async def test_a_spectator_is_closed_with_the_last_session_that_it_watches() -> None:
    async with running() as app:
        app.made.streamer("cam")
        host, guest = (
            app.made.player(Admission(name, "cam", "game", spectator=name == "guest")) for name in ("host", "guest")
        )
        for player in (host, guest):
            player.send("subscribe", streamerId="cam")
        host.leave()
        await app.ended()
        assert guest.socket.closes == [(close_codes.STREAMER_LEFT.code, close_codes.STREAMER_LEFT.reason)]


async def test_a_spectator_alone_uses_the_application_until_it_leaves() -> None:
    async with running() as app:
        app.made.streamer("cam")
        guest = app.made.player(Admission("guest", "cam", "game", spectator=True))
        guest.send("subscribe", streamerId="cam")
        await asyncio.sleep(0)
        assert app.trouble() is None
        guest.leave()
        await app.ended()


async def test_a_crash_closes_what_is_left_of_it_and_is_followed_by_a_delay() -> None:
    async with running(fresh=False) as app:
        streamer = app.made.streamer("cam")
        app.means.crash.set()
        await eventually(lambda: app.trouble() == "the application crashed and is started again", "a crash")
        assert streamer.socket.closes
        assert app.series("signalserver_application_restarts_total", cause="crash") == 1
        await eventually(lambda: app.means.starts == 2, "the application is started again")


async def test_an_application_that_cannot_be_ended_gets_no_further_session() -> None:
    async with running(retry=0.01) as app:
        app.means.refusals = 3
        app.made.streamer("cam")
        player = app.made.player(Admission("one", "cam", "game"))
        player.send("subscribe", streamerId="cam")
        player.leave()
        await eventually(lambda: app.trouble() == "it cannot be signalled", "the reason is shown")
        assert app.launcher.refuses(matched=True) == "it cannot be signalled"
        await app.ended()
        await eventually(lambda: app.means.starts == 2, "the application is started again")
        assert app.series("signalserver_application_end_failures_total") == 3
        assert app.trouble() == STARTING


async def test_an_application_that_does_not_connect_is_ended() -> None:
    async with running(fresh=False, start_seconds=0.0) as app:
        await app.ended()
        assert app.series("signalserver_application_restarts_total", cause="stuck") == 1


async def test_a_program_that_cannot_be_started_is_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(means: Pretended) -> None:
        means.starts += 1
        raise OSError("no memory")

    monkeypatch.setattr(Pretended, "start", fails)
    async with running() as app:
        await eventually(lambda: app.series("signalserver_application_restarts_total", cause="crash") == 1, "a crash")


async def test_a_streamer_is_noticed_when_it_connects() -> None:
    async with running() as app:
        app.made.streamer("cam")
        await eventually(lambda: app.means.notices == 1, "the streamer is noticed")


async def test_a_session_with_launch_parameters_waits_for_a_process_that_has_them() -> None:
    async with running() as app:
        app.made.streamer("cam")
        assert app.launcher.prepare({}, "one") is None
        waits = app.launcher.prepare({"map": "desert"}, "one")
        assert waits is not None
        waiting = asyncio.create_task(waits)
        assert app.launcher.refuses(matched=True) == RESTARTED
        await app.ended()
        await eventually(lambda: app.means.starts == 2, "the application is started with the parameters")
        assert app.launcher.launch == {"map": "desert"}
        assert not waiting.done()
        app.made.streamer("cam")
        await waiting
        assert app.series("signalserver_application_restarts_total", cause="launch") == 1
        # Others that join the session get its process.
        player = app.made.player(Admission("one", "cam", "game"))
        player.send("subscribe", streamerId="cam")
        assert app.launcher.prepare({"map": "sea"}, "two") is None
        player.leave()
        await app.ended()
        await eventually(lambda: app.means.starts == 3, "the next session gets a process without them")
        assert app.launcher.launch == {}


async def test_launch_parameters_with_which_the_application_crashes_are_not_tried_again() -> None:
    async with running() as app:
        app.made.streamer("cam")
        waits = app.launcher.prepare({"map": "none"}, "one")
        assert waits is not None
        waiting = asyncio.create_task(waits)
        await app.ended()
        await eventually(lambda: app.means.starts == 2, "the application is started with the parameters")
        app.means.crash.set()
        await eventually(lambda: app.means.starts == 3, "the application is started again")
        assert app.launcher.launch == {}
        app.made.streamer("cam")
        await waiting


@pytest.mark.parametrize("session", ["session-1", None], ids=["matched", "direct"])
async def test_a_page_that_returns_to_its_session_keeps_the_application(session: str | None) -> None:
    server = make_server()
    async with running(made=server.made) as app:
        page = server.arrive(session)
        assert page is not None
        page.send({"type": "subscribe", "streamerId": "cam" if session is None else "game"})
        _deliver(page)
        assert server.connected()
        assert page.link is not None
        page.link.end(1006)  # the player is away
        await asyncio.sleep(0)
        assert app.trouble() is None
        page.negotiate()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert app.trouble() is None
        page.send({"type": "subscribe", "streamerId": "cam" if session is None else "game"})
        _deliver(page)
        assert server.connected()
        assert page.link is not None
        page.link.end(1006)
        server.expire()
        await app.ended()


def _deliver(page: Page) -> None:
    """Deliver what the page and the server have sent to each other."""
    while page.read() or (page.link is not None and page.link.deliver()):
        pass
