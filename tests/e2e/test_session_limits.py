"""The limits of a session in a real browser, through a router and a matchmaker."""

import pytest
from playwright.async_api import Browser, Page

from tests.e2e.conftest import new_page, playing
from tests.e2e.resuming_fleet import fleet

pytestmark = pytest.mark.e2e

WARNED = "() => window.pixelfleet.state.warning?.limit === 'idle'"
NOT_WARNED = "() => window.pixelfleet.state.phase === 'playing' && !('warning' in window.pixelfleet.state)"
ENDED = "() => window.pixelfleet.state.phase === 'ended'"


async def ended_state(page: Page) -> dict[str, object]:
    await page.wait_for_function(ENDED)
    state: dict[str, object] = await page.evaluate("() => window.pixelfleet.state")
    return state


async def test_an_idle_page_is_warned_stays_when_asked_to_and_ends_otherwise(browser: Browser) -> None:
    async with fleet(limits={"idle_seconds": 15, "warn_seconds": 12}) as running, new_page(browser) as page:
        sockets: list[str] = []
        page.on("websocket", lambda socket: sockets.append(socket.url))
        await page.goto(running.url)
        await playing(page)
        await page.wait_for_function(WARNED)
        await page.get_by_role("button", name="I am still here").click()
        await page.wait_for_function(NOT_WARNED)
        assert await ended_state(page) == {"phase": "ended", "cause": "idle", "code": 4210}
        assert (await page.locator("#detail").inner_text()).startswith("There was no input")
        assert not any(running.players)
        before = len(sockets)
        async with page.expect_websocket():
            await page.get_by_role("button", name="Play again").click()
        await page.wait_for_function(NOT_WARNED)
        await playing(page)
        assert len(sockets) == before + 1
