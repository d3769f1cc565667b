"""Every state of the page, caused by real events, with screenshots in .build/screenshots, each checked with axe."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Browser, WebSocketRoute

import pixelfleet_cli.demo.app as demo
from pixelfleet_cli.demo.settings import Settings
from router.page_files import add_page
from router.settings import PAGE
from tests.e2e.conftest import WEBSOCKET, playing, plays_on
from tests.e2e.portraits import Sitter, sitter
from tests.e2e.script import Message, Script, scripted, serving
from tests.parts import eventually

pytestmark = pytest.mark.e2e

NO_RELAY = """
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(config) { super({ ...config, iceServers: [], iceTransportPolicy: 'relay' }); }
};
"""
"""A network that blocks video: only relays may be used, and there is none."""

NEGOTIATED = """() => {
  const { webRtcController } = window.pixelfleet?.stream ?? {};
  return webRtcController?.peerConnectionController?.peerConnection.remoteDescription;
}"""

WITHOUT_STREAMS = """
const set = RTCPeerConnection.prototype.setRemoteDescription;
RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
  window.offered = sdp.replace(/^a=msid:\\S+/gm, 'a=msid:-').replace(/^a=ssrc:\\d+ msid:.*\\r\\n/gm, '');
  return set.call(this, { type, sdp: window.offered });
};
"""
"""A streamer that adds its tracks without a stream."""

NO_AUTOPLAY = """
HTMLMediaElement.prototype.play = async () => { throw new DOMException('a click is needed', 'NotAllowedError'); };
"""


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    async with scripted() as running:
        yield running


@pytest.fixture
async def running_demo() -> AsyncIterator[demo.Demo]:
    async with demo.running(Settings(port=0, streamer_port=0)) as running:
        yield running


def queued(**place: Any) -> Message:
    return {"type": "matchmaker", "queued": True, "matched": False, "detail": "Waiting for a free streamer", **place}


MATCHED: Message = {"type": "matchmaker", "queued": False, "matched": True, "detail": {"id": "one"}}


@pytest.mark.parametrize(
    ("name", "messages", "phase"),
    [
        ("connecting", [], "connecting"),
        ("queued", [queued(position=3, ahead=2, etaSeconds=130)], "queued"),
        ("queued-next", [queued(position=1, ahead=0, etaSeconds=4)], "queued"),
        ("queued-no-estimate", [queued(position=128, ahead=127)], "queued"),
        ("queued-anywhere", [queued()], "queued"),
        ("queued-unserved", [queued(unserved=True)], "queued"),
        ("starting", [MATCHED], "starting"),
    ],
)
async def test_states_before_the_stream(
    browser: Browser, script: Script, name: str, messages: list[Message], phase: str
) -> None:
    script.messages = messages
    async with sitter(browser, script.url) as page:
        await page.in_state(phase)
        await page.portray(name)


@pytest.mark.parametrize(
    ("name", "close", "cause"),
    [
        ("no-streamer", (4100, "no streamer is available"), "no-streamer"),
        ("full", (4102, "no room for another connection"), "full"),
        ("queue-timeout", (4103, "waited too long for a streamer"), "queue-timeout"),
        ("closing", (4101, "the server is shutting down"), "closing"),
        ("no-service", (4105, "the service cannot be reached"), "no-service"),
    ],
)
async def test_states_of_waiting(
    browser: Browser, script: Script, name: str, close: tuple[int, str], cause: str
) -> None:
    script.closes = close
    async with sitter(browser, script.url) as page:
        await page.in_state("waiting", cause=cause)
        await page.portray(f"waiting-{name}")
        await eventually(lambda: script.players == 2, "the page reconnected automatically")


@pytest.mark.parametrize(
    ("name", "messages", "close", "cause"),
    [
        ("over", [], (4202, "the session is over"), "over"),
        ("left", [], (1011, "the application was closed by its user"), "left"),
        ("kicked", [], (4201, "removed by the host"), "kicked"),
        ("time-over", [], (4209, "the time of this session is over"), "time-over"),
        ("session-full", [], (4213, "the session admits no more people"), "session-full"),
        ("idle", [], (4210, "the session had no input for too long"), "idle"),
        ("not-allowed", [], (4200, "not allowed"), "not-allowed"),
        ("not-found", [], (4206, "no such application or session"), "not-found"),
        ("incompatible", [], (4203, "too many messages that are not understood"), "incompatible"),
        ("refused", [{"type": "subscribeFailed", "message": "the stream is full"}], None, "refused"),
    ],
)
async def test_final_states(
    browser: Browser, script: Script, name: str, messages: list[Message], close: tuple[int, str] | None, cause: str
) -> None:
    script.messages, script.closes = messages, close
    async with sitter(browser, script.url) as page:
        await page.in_state("ended", cause=cause)
        await page.portray(f"ended-{name}")
        assert script.players == 1


async def test_a_refused_upgrade_shows_that_access_is_denied(browser: Browser) -> None:
    app = web.Application()
    await add_page(app, PAGE)

    async def refused(_: web.Request) -> web.Response:
        return web.Response(status=403)

    app.router.add_get("/ws", refused)
    async with serving(app) as port, sitter(browser, f"http://127.0.0.1:{port}/") as page:
        await page.in_state("ended", cause="not-allowed", code=403)


async def test_an_unreachable_server(browser: Browser, script: Script) -> None:
    async with sitter(browser, script.url) as page:
        await page.page.clock.install()
        await page.page.route_web_socket(WEBSOCKET, close_at_once)
        await page.page.route(WEBSOCKET, lambda route: route.abort())  # the page's question for the cause
        await page.page.reload()

        async def lasting() -> bool:
            await page.page.clock.run_for(500)
            return bool(await page.page.evaluate("() => window.pixelfleet?.state.lasting"))

        async def given_up() -> bool:
            await page.page.clock.run_for(11_000)
            return bool(await page.page.evaluate("() => window.pixelfleet?.state.phase === 'ended'"))

        await eventually(lasting, "several attempts failed")
        await page.page.get_by_role("button", name="Try now").wait_for()
        await page.portray("reconnecting-lasting")
        await eventually(given_up, "the page stopped reconnecting")
        await page.in_state("ended", cause="unreachable")
        await page.portray("ended-unreachable")


async def test_a_stream_without_frames(browser: Browser, script: Script) -> None:
    script.messages = [MATCHED]
    async with sitter(browser, script.url) as page:
        await page.page.clock.install()
        await page.page.reload()
        await page.in_state("starting")
        await page.page.clock.run_for(31_000)
        await page.in_state("ended", cause="no-video")
        await page.portray("ended-no-video")


async def test_a_network_that_blocks_video_is_reported(browser: Browser, running_demo: demo.Demo) -> None:
    async with sitter(browser, running_demo.url, NO_RELAY) as page:
        await page.page.clock.install()
        await page.page.reload()
        await page.page.wait_for_function(NEGOTIATED)

        async def given_up() -> bool:
            await page.page.clock.run_for(500)  # in small steps: the server answers the page's heartbeat in real time
            return bool(await page.page.evaluate("() => window.pixelfleet.state.phase === 'ended'"))

        await eventually(given_up, "the page stopped")
        await page.in_state("ended", cause="network")
        await page.portray("ended-network")


async def test_a_link_with_an_unlisted_signalling_host_is_refused(browser: Browser, script: Script) -> None:
    async with sitter(browser, script.url, path="?_ws=wss://elsewhere.test/ws") as page:
        await page.in_state("ended", cause="link")
        await page.portray("ended-link")
        assert script.players == 0


async def test_a_browser_without_webrtc_gets_an_explanation(browser: Browser, script: Script) -> None:
    async with sitter(browser, script.url, "delete window.RTCPeerConnection;") as page:
        await page.in_state("ended", cause="unsupported")
        await page.portray("ended-unsupported")
        assert script.players == 0


async def test_a_browser_without_autoplay_gets_a_play_button(browser: Browser, running_demo: demo.Demo) -> None:
    async with sitter(browser, running_demo.url, NO_AUTOPLAY) as page:
        await page.in_state("blocked")
        await page.portray("blocked")


async def test_playing_with_its_controls(browser: Browser, running_demo: demo.Demo) -> None:
    async with sitter(browser, running_demo.url) as page:
        await playing(page.page)
        await page.in_state("playing")
        await page.page.locator("#unmute").wait_for()
        await page.portray("playing")
        await page.page.keyboard.press("Alt+Shift+C")  # they may have closed in the meantime
        await page.page.get_by_role("button", name="Settings and statistics").click()
        await page.page.get_by_label("Volume").wait_for()
        await page.portray("panel-settings")
        await page.page.get_by_text("Statistics", exact=True).click()
        await page.page.get_by_role("button", name="Test latency").click()
        await page.page.get_by_text("ms encoding").wait_for()
        # A busy machine decodes too slowly for a good one.
        await page.page.get_by_text(re.compile("^(Good|Fair|Poor) connection")).wait_for()
        await page.portray("panel")
        for group in (
            "Statistics",
            "Picture",
            "Sound and devices",
            "Keyboard, mouse and gamepad",
            "Tools",
            "All figures",
        ):
            await page.page.locator("summary").get_by_text(group, exact=True).click()
        await page.portray("panel-groups")
        await page.page.keyboard.press("Escape")
        await page.page.keyboard.press("Escape")
        await page.portray("playing-folded")


async def test_a_video_that_belongs_to_no_stream_is_shown(browser: Browser, running_demo: demo.Demo) -> None:
    async with sitter(browser, running_demo.url, WITHOUT_STREAMS) as page:
        await playing(page.page)
        await page.in_state("playing")
        assert "a=msid:- " in await page.page.evaluate("() => window.offered")


async def test_a_paused_video_gets_a_play_button_over_its_last_frame(browser: Browser, running_demo: demo.Demo) -> None:
    async with sitter(browser, running_demo.url) as page:
        await playing(page.page)
        await page.in_state("playing")
        await page.page.evaluate("() => document.querySelector('video').pause()")
        await page.in_state("blocked", paused=True)
        await page.portray("paused")
        await page.page.get_by_role("button", name="Play", exact=True).click()
        await page.in_state("playing")
        await plays_on(page.page)


async def test_a_paused_video_plays_again_when_its_tab_becomes_visible(
    browser: Browser, running_demo: demo.Demo
) -> None:
    async with sitter(browser, running_demo.url) as page:
        await playing(page.page)
        await page.in_state("playing")
        await page.page.evaluate("() => document.querySelector('video').pause()")
        await page.in_state("blocked", paused=True)
        await page.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
        await page.in_state("playing")


async def test_reconnecting_shows_the_last_frame(browser: Browser, running_demo: demo.Demo) -> None:
    async with sitter(browser, running_demo.url) as page:
        sockets: list[WebSocketRoute] = []

        def pass_the_first(socket: WebSocketRoute) -> None:
            sockets.append(socket)
            if len(sockets) == 1:
                socket.connect_to_server()

        await page.page.route_web_socket(WEBSOCKET, pass_the_first)
        await page.page.reload()
        await playing(page.page)
        await page.in_state("playing")
        await sockets[0].close(code=4000, reason="the streamer left")
        await page.in_state("reconnecting", played=True)
        await page.portray("reconnecting")


async def test_connecting_after_a_failed_first_attempt(browser: Browser, script: Script) -> None:
    script.closes = (4001, "the streamer cannot be reached")
    async with sitter(browser, script.url) as page:
        await page.in_state("reconnecting", played=False)
        await page.portray("reconnecting-early")


async def test_the_server_announces_its_shutdown(browser: Browser, running_demo: demo.Demo) -> None:
    async with sitter(browser, running_demo.url) as page:
        await insert(page, '{"type": "sigterm", "message": "maintenance at six"}')
        await page.in_state("playing", ending=True)
        await page.portray("playing-ending")


@pytest.mark.parametrize("limit", ["idle", "time"])
async def test_the_server_warns_of_the_end_of_the_session(
    browser: Browser, running_demo: demo.Demo, limit: str
) -> None:
    async with sitter(browser, running_demo.url) as page:
        await insert(page, f'{{"type": "sessionLimit", "limit": "{limit}", "remaining": 90}}')
        await page.page.get_by_role("timer").wait_for()
        await page.portray(f"playing-countdown-{limit}")
        assert await page.page.get_by_role("button", name="I am still here").is_visible() is (limit == "idle")


async def insert(page: Sitter, message: str) -> None:
    """Insert a message of the server into a running stream."""
    sockets: list[WebSocketRoute] = []

    def pass_on(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    await page.page.route_web_socket(WEBSOCKET, pass_on)
    await page.page.reload()
    await playing(page.page)
    await page.in_state("playing")
    sockets[-1].send(message)


async def close_at_once(socket: WebSocketRoute) -> None:
    await socket.close(code=4000, reason="gone")
