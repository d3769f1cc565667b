"""A page whose connection is lost, replaced, or that is loaded again, in a real browser."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Browser, Page, async_playwright

from benchmarks.chromium import CHROMIUM_OPTIONS
from pixelfleet.auth.links import SignedLink, sign
from tests.e2e.conftest import new_page, playing, plays_on
from tests.e2e.portraits import sitter
from tests.e2e.resuming_fleet import KEY, Fleet, fleet
from tests.parts import eventually, require_part

pytestmark = pytest.mark.e2e

RECORD = """
window.connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(config) { super(config); window.connections.push(this); }
};
window.phases = [];
setInterval(() => {
  const state = window.pixelfleet?.state;
  const phase = state && state.phase + (state.away ? ' away' : '');
  if (phase && window.phases.at(-1) !== phase) window.phases.push(phase);
}, 10);
"""
"""Records the peer connections, and the phases of the page."""

LOSE_THE_PATH = """() => {
  const connection = window.connections.at(-1);
  Object.defineProperty(connection, 'iceConnectionState', { get: () => 'failed' });
  connection.dispatchEvent(new Event('iceconnectionstatechange'));
}"""
"""What the browser reports when the path of the media is lost for good."""

STORED = "() => sessionStorage.getItem('pixelfleet.session')?.split(' ')[1]"


@pytest.fixture
async def running() -> AsyncIterator[Fleet]:
    async with fleet() as made:
        yield made


async def opened(page: Page, url: str) -> None:
    """Open the page, and wait until it plays and has the token of its session."""
    await page.add_init_script(RECORD)
    await page.goto(url)
    await settled(page)


async def settled(page: Page) -> None:
    """Wait until the page plays and has the token of its session."""
    await playing(page)
    await page.wait_for_function("() => window.pixelfleet.state.phase === 'playing'")
    assert await page.evaluate(STORED)


async def phases(page: Page) -> list[str]:
    """Return the phases since the page was opened, from the first picture on."""
    found: list[str] = await page.evaluate("() => window.phases")
    return found[found.index("playing") :]


async def alive(page: Page) -> list[str]:
    """Return the states of the peer connections that are not closed."""
    states: list[str] = await page.evaluate("() => window.connections.map((each) => each.connectionState)")
    return [state for state in states if state != "closed"]


async def test_the_picture_goes_on_while_the_page_is_away(browser: Browser, running: Fleet) -> None:
    async with sitter(browser, running.url, RECORD) as page:
        await settled(page.page)
        before = running.players
        running.network.is_down = True
        running.network.cut()
        await page.in_state("playing", away=True)
        await page.page.locator("#away", has_text="Reconnecting").wait_for()
        await plays_on(page.page)
        await page.portray("playing-away")
        running.network.is_down = False
        await page.page.locator("#away").wait_for(state="hidden")
        await plays_on(page.page)
        assert await phases(page.page) == ["playing", "playing away", "playing"]
        assert await alive(page.page) == ["connected"]
        assert running.players == before


async def test_a_silent_connection_is_replaced(page: Page, running: Fleet) -> None:
    await opened(page, running.url)
    before, opened_before = running.players, running.network.opened
    running.network.silence()
    await page.evaluate("() => window.dispatchEvent(new Event('online'))")
    await eventually(lambda: running.network.opened > opened_before, "the page has connected again")
    await page.wait_for_function("() => !window.pixelfleet.state.away")
    await plays_on(page)
    assert set(await phases(page)) <= {"playing", "playing away"}
    assert running.players == before


async def test_a_reloaded_page_gets_its_streamer_back(page: Page, running: Fleet) -> None:
    await opened(page, running.url)
    mine = next(number for number, players in enumerate(running.players) if players)
    for _ in range(3):
        [earlier] = running.players[mine]
        await page.reload()
        await settled(page)
        await eventually(lambda: len(running.players[mine]) == 1, "the earlier player has left the streamer")
        assert earlier not in running.players[mine]
        assert running.players[1 - mine] == {}


async def test_a_single_use_link_survives_a_reload(page: Page) -> None:
    async with fleet(auth="link", link_key=KEY) as running:
        url = f"{running.url}?link={sign(SignedLink(once=True), KEY, 600)}"
        await opened(page, url)
        mine = next(number for number, players in enumerate(running.players) if players)
        opened_before = running.network.opened
        running.network.cut()
        await eventually(lambda: running.network.opened > opened_before, "the page has connected again")
        await page.reload()
        await settled(page)
        await plays_on(page)
        await eventually(lambda: len(running.players[mine]) == 1, "the earlier player has left the streamer")


@pytest.mark.parametrize("host", ["127.0.0.1", "play.test"])
async def test_a_duplicated_tab_gets_a_session_of_its_own(running: Fleet, host: str) -> None:
    """Browsers copy sessionStorage to the duplicate. Only the first host is a secure context, with locks."""
    options = [*CHROMIUM_OPTIONS, "--host-resolver-rules=MAP play.test 127.0.0.1"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=require_part("chromium"), args=options)
        async with new_page(browser) as page:
            await opened(page, running.url.replace("127.0.0.1", host))
            assert await page.evaluate("() => isSecureContext") == (host == "127.0.0.1")
            [original] = [players for players in running.players if players]
            token = await page.evaluate(STORED)
            async with page.expect_popup() as popup:
                await page.evaluate("() => { window.open(location.href); }")
            duplicate = await popup.value
            await settled(duplicate)
            assert [len(players) for players in running.players] == [1, 1]
            assert original in running.players
            assert await page.evaluate(STORED) == token
            assert await phases(page) == ["playing"]
        await browser.close()


async def test_a_session_that_continues_elsewhere_can_be_continued_here(browser: Browser, running: Fleet) -> None:
    async with sitter(browser, running.url, RECORD) as page:
        await settled(page.page)
        token = await page.page.evaluate(STORED)
        ws = f"{running.url.replace('http', 'ws')}ws?resume={token}&fresh=1"
        async with aiohttp.ClientSession() as http, http.ws_connect(ws) as other:
            ending = asyncio.create_task(closed(other))
            await page.in_state("ended", cause="elsewhere", code=4208)
            await page.portray("ended-elsewhere")
            await page.page.get_by_role("button", name="Continue here").click()
            await page.in_state("playing")
            await plays_on(page.page)
            assert await ending == 4208
        assert await alive(page.page) == ["connected"]


async def closed(socket: aiohttp.ClientWebSocketResponse) -> Any:
    """Read a websocket to its end; return the close code."""
    async for _ in socket:
        pass
    return socket.close_code


async def test_a_lost_path_leads_to_a_new_negotiation_with_the_same_streamer(page: Page, running: Fleet) -> None:
    await opened(page, running.url)
    mine = next(number for number, players in enumerate(running.players) if players)
    [earlier] = running.players[mine]
    await page.evaluate(LOSE_THE_PATH)
    await page.wait_for_function("() => window.phases.includes('reconnecting') && window.phases.at(-1) === 'playing'")
    await eventually(lambda: len(running.players[mine]) == 1, "the earlier player has left the streamer")
    assert earlier not in running.players[mine]
    assert running.players[1 - mine] == {}
    assert await phases(page) == ["playing", "playing away", "reconnecting", "starting", "playing"]
    await plays_on(page)
    assert await alive(page) == ["connected"]


async def test_connections_that_the_library_forgets_are_closed(page: Page, running: Fleet) -> None:
    await opened(page, running.url)
    await page.evaluate("() => window.pixelfleet.stream.reconnect()")
    await page.wait_for_function("() => window.phases.includes('ended') && window.phases.at(-1) === 'playing'")
    await plays_on(page)
    assert await alive(page) == ["connected"]
