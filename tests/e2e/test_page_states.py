"""Every state of the page: brought about for real, portrayed in .build/screenshots, and inspected by axe."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Browser, WebSocketRoute

import pixelfleet_cli.demo.app as demo
from pixelfleet_cli.demo.settings import Settings
from router.page_files import add_page
from router.settings import PAGE
from tests.e2e.conftest import playing
from tests.e2e.portraits import Sitter, sitter
from tests.e2e.script import Message, Script, scripted, serving
from tests.parts import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

NO_RELAY = """
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(config) { super({ ...config, iceServers: [], iceTransportPolicy: 'relay' }); }
};
"""
"""A network that lets no video through: only relays may be used, and there is none."""

NEGOTIATED = """() => {
  const { webRtcController } = window.pixelfleet?.stream ?? {};
  return webRtcController?.peerConnectionController?.peerConnection.remoteDescription;
}"""

NO_AUTOPLAY = """
HTMLMediaElement.prototype.play = async () => { throw new DOMException('a click is needed', 'NotAllowedError'); };
"""

WITH_SOUND = """() => {
  const [track] = new AudioContext().createMediaStreamDestination().stream.getAudioTracks();
  document.querySelector('video').srcObject.addTrack(track);
}"""
"""The test streamer sends no sound: gives its stream a silent track."""


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
    ("name", "says", "phase"),
    [
        ("connecting", [], "connecting"),
        ("queued", [queued(position=3, ahead=2, etaSeconds=130)], "queued"),
        ("queued-next", [queued(position=1, ahead=0, etaSeconds=4)], "queued"),
        ("queued-no-estimate", [queued(position=128, ahead=127)], "queued"),
        ("queued-anywhere", [queued()], "queued"),
        ("starting", [MATCHED], "starting"),
    ],
)
async def test_on_the_way_to_a_stream(
    browser: Browser, script: Script, name: str, says: list[Message], phase: str
) -> None:
    script.says = says
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
async def test_what_is_waited_for(
    browser: Browser, script: Script, name: str, close: tuple[int, str], cause: str
) -> None:
    script.closes = close
    async with sitter(browser, script.url) as page:
        await page.in_state("waiting", cause=cause)
        await page.portray(f"waiting-{name}")
        await eventually(lambda: script.players == 2, "the page came back by itself")


@pytest.mark.parametrize(
    ("name", "says", "close", "cause"),
    [
        ("over", [], (4202, "the session is over"), "over"),
        ("left", [], (1011, "the application was closed by its user"), "left"),
        ("kicked", [], (4201, "removed by the host"), "kicked"),
        ("not-allowed", [], (4200, "not allowed"), "not-allowed"),
        ("refused", [{"type": "subscribeFailed", "message": "the stream is full"}], None, "refused"),
    ],
)
async def test_how_it_ends(
    browser: Browser, script: Script, name: str, says: list[Message], close: tuple[int, str] | None, cause: str
) -> None:
    script.says, script.closes = says, close
    async with sitter(browser, script.url) as page:
        await page.in_state("ended", cause=cause)
        await page.portray(f"ended-{name}")
        assert script.players == 1


async def test_a_door_that_refuses_the_upgrade_says_that_one_is_not_allowed(browser: Browser) -> None:
    app = web.Application()
    await add_page(app, PAGE)

    async def refused(_: web.Request) -> web.Response:
        return web.Response(status=403)

    app.router.add_get("/ws", refused)
    async with serving(app) as port, sitter(browser, f"http://127.0.0.1:{port}/") as page:
        await page.in_state("ended", cause="not-allowed", code=403)


async def test_the_server_cannot_be_reached(browser: Browser, script: Script) -> None:
    async with sitter(browser, script.url) as page:
        await page.page.clock.install()
        await page.page.route_web_socket("**/ws", close_at_once)
        await page.page.reload()

        async def given_up() -> bool:
            await page.page.clock.run_for(11_000)
            return bool(await page.page.evaluate("() => window.pixelfleet?.state.phase === 'ended'"))

        await eventually(given_up, "the page gave up", within=60)
        await page.in_state("ended", cause="unreachable")
        await page.portray("ended-unreachable")


async def test_no_picture_arrives(browser: Browser, script: Script) -> None:
    script.says = [MATCHED]
    async with sitter(browser, script.url) as page:
        await page.page.clock.install()
        await page.page.reload()
        await page.in_state("starting")
        await page.page.clock.run_for(31_000)
        await page.in_state("ended", cause="no-video")
        await page.portray("ended-no-video")


async def test_a_network_that_blocks_video_is_called_so(browser: Browser, running_demo: demo.Demo) -> None:
    async with sitter(browser, running_demo.url, NO_RELAY) as page:
        await page.page.clock.install()
        await page.page.reload()
        await page.page.wait_for_function(NEGOTIATED)
        await page.page.clock.run_for(31_000)
        await page.in_state("ended", cause="network")
        await page.portray("ended-network")


async def test_a_link_to_a_server_that_is_not_listed_is_not_followed(browser: Browser, script: Script) -> None:
    async with sitter(browser, script.url, path="?_ws=wss://elsewhere.test/ws") as page:
        await page.page.wait_for_function("() => document.documentElement.dataset.phase === 'ended'")
        await page.portray("ended-link")
        assert script.players == 0


async def test_a_browser_without_webrtc_is_told_so(browser: Browser, script: Script) -> None:
    async with sitter(browser, script.url, "delete window.RTCPeerConnection;") as page:
        await page.page.wait_for_function("() => document.documentElement.dataset.phase === 'ended'")
        await page.portray("ended-unsupported")
        assert script.players == 0


async def test_the_browser_asks_for_a_click(browser: Browser, running_demo: demo.Demo) -> None:
    async with sitter(browser, running_demo.url, NO_AUTOPLAY) as page:
        await page.in_state("blocked")
        await page.portray("blocked")


async def test_playing_with_its_controls(browser: Browser, running_demo: demo.Demo) -> None:
    async with sitter(browser, running_demo.url) as page:
        await playing(page.page)
        await page.in_state("playing")
        await page.page.evaluate(WITH_SOUND)
        await page.page.locator("#unmute").wait_for()
        await page.portray("playing")
        await page.page.keyboard.press("Alt+Shift+C")  # they may have folded up meanwhile
        await page.page.get_by_role("button", name="Quality and statistics").click()
        await page.page.get_by_role("button", name="Test latency").click()
        await page.page.get_by_text("ms encoding").wait_for()
        await page.page.get_by_text("Good connection").wait_for()
        await page.portray("panel")
        await page.page.keyboard.press("Escape")
        await page.page.keyboard.press("Escape")
        await page.portray("playing-folded")


async def test_reconnecting_over_the_last_picture(browser: Browser, running_demo: demo.Demo) -> None:
    async with sitter(browser, running_demo.url) as page:
        sockets: list[WebSocketRoute] = []

        def pass_the_first(socket: WebSocketRoute) -> None:
            sockets.append(socket)
            if len(sockets) == 1:
                socket.connect_to_server()

        await page.page.route_web_socket("**/ws", pass_the_first)
        await page.page.reload()
        await playing(page.page)
        await page.in_state("playing")
        await sockets[0].close(code=4005, reason="the server restarts")
        await page.in_state("reconnecting", played=True)
        await page.portray("reconnecting")


async def test_still_connecting_after_a_first_attempt_that_failed(browser: Browser, script: Script) -> None:
    script.closes = (4001, "the streamer cannot be reached")
    async with sitter(browser, script.url) as page:
        await page.in_state("reconnecting", played=False)
        await page.portray("reconnecting-early")


async def test_the_server_says_that_it_will_go(browser: Browser, running_demo: demo.Demo) -> None:
    async with sitter(browser, running_demo.url) as page:
        await say_sigterm(page)
        await page.in_state("playing", ending=True)
        await page.portray("playing-ending")


async def say_sigterm(page: Sitter) -> None:
    """Slip a message of the server's into a stream that plays."""
    sockets: list[WebSocketRoute] = []

    def pass_on(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    await page.page.route_web_socket("**/ws", pass_on)
    await page.page.reload()
    await playing(page.page)
    await page.in_state("playing")
    sockets[-1].send('{"type": "sigterm", "message": "maintenance at six"}')


async def close_at_once(socket: WebSocketRoute) -> None:
    await socket.close(code=4000, reason="gone")
