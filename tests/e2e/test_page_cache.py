"""A page that waits and is left is kept in Chromium's back/forward cache, with its websocket open."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, async_playwright

from benchmarks.chromium import CHROMIUM_OPTIONS
from router.settings import PAGE
from tests.e2e.conftest import new_page
from tests.integration.conftest import Chain, running_chain
from tests.integration.peers import negotiate, player, streamer
from tests.parts import eventually, require_part

pytestmark = pytest.mark.e2e

STAYS = "() => { window.stays = true; }"
"""A mark in the page that a new load would not have."""


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """A page of a browser whose back/forward cache is on, as it is without a driver."""
    chromium = require_part("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium,
            args=CHROMIUM_OPTIONS,
            ignore_default_args=["--disable-back-forward-cache"],
        )
        async with new_page(browser) as page:
            yield page
        await browser.close()


@pytest.fixture
async def chain() -> AsyncIterator[Chain]:
    async with running_chain(PAGE, matches={"confirm_seconds": 3.0}) as running:
        yield running


async def is_waiting(chain: Chain, players: int) -> None:
    await eventually(lambda: chain.matches.queue == players, f"{players} players wait")


async def back(page: Page) -> None:
    """Go back to a page in the cache, which has no `load` event."""
    await page.go_back(wait_until="commit")
    assert await page.evaluate("() => window.stays"), "the page comes from the cache"


async def test_the_page_leaves_the_queue_and_joins_it_again_when_it_is_shown(page: Page, chain: Chain) -> None:
    await page.goto(chain.page_url)
    await is_waiting(chain, 1)
    await page.evaluate(STAYS)
    for _ in range(2):
        await page.goto(f"{chain.page_url}/livez")
        await is_waiting(chain, 0)
        await back(page)
        await is_waiting(chain, 1)
    async with streamer(chain.streamer_url, "cam") as source:
        await source.receive("playerConnected")


async def test_a_stock_page_in_the_cache_is_passed_over_and_the_next_player_gets_its_streamer(
    page: Page, chain: Chain, stock_page: str
) -> None:
    await page.goto(f"{stock_page}?ss={chain.player_url}")
    await is_waiting(chain, 1)
    await page.evaluate(STAYS)
    await page.goto(f"{chain.page_url}/livez")
    async with player(chain.player_url) as second:
        await is_waiting(chain, 2)
        async with streamer(chain.streamer_url, "cam") as source:
            await negotiate(second, source, "default")
            await back(page)
            await is_waiting(chain, 1)
