"""What one player leaves in the application, and whether the next player sees it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page

import pixelfleet_cli.demo.app as demo
import teststreamer.app
import teststreamer.settings
from pixelfleet_cli.demo.settings import Settings
from tests.e2e.conftest import new_page, playing
from tests.parts import eventually

pytestmark = pytest.mark.e2e

PLACE = (640, 66)
"""A part of the picture that shows only the background, in its pixels."""

COLOUR = """([x, y]) => {
  const video = [...document.querySelectorAll('video')].find((v) => v.videoWidth > 0);
  const canvas = document.createElement('canvas');
  canvas.width = 1280;
  canvas.height = 720;
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0, 1280, 720);
  return [...context.getImageData(x, y, 1, 1).data].slice(0, 3);
}"""
"""The colour of one pixel of the video's present frame: red, green and blue, 0 to 255."""


async def is_marked(page: Page) -> bool:
    """Return whether the mark of a click, which is amber, is at its place in the video."""
    red, green, blue = await page.evaluate(COLOUR, list(PLACE))
    return bool(red > 150 and green > 100 and blue < 120)


async def leaves_a_mark(browser: Browser, running: demo.Demo) -> None:
    """Play a session with a click, see the mark in the video, and close the page."""
    async with new_page(browser) as page:
        await page.goto(running.url)
        await playing(page)
        assert not await is_marked(page)

        async def marked() -> bool:
            await page.mouse.click(*PLACE)  # until the data channel is open
            return await is_marked(page)

        await eventually(marked, "the video shows the mark of the click")
        await page.mouse.move(10, 700)
    await eventually(lambda: not running.signalserver.players, "the session has ended")


async def next_player_sees_it(browser: Browser, running: demo.Demo) -> bool:
    async with new_page(browser) as page:
        await page.goto(running.url)
        await playing(page)
        return await is_marked(page)


@asynccontextmanager
async def lasting_streamer() -> AsyncIterator[demo.Demo]:
    """A demo whose test streamer keeps its state from session to session, as an application does."""
    async with demo.running(Settings(port=0, streamer_port=0, streamers=0)) as running:
        url = f"ws://127.0.0.1:{running.signalserver.streamer_port}"
        async with teststreamer.app.running(teststreamer.settings.Settings(url=url, keep_marks=True)) as streamer:
            await streamer.connected.wait()
            yield running


async def test_the_next_player_sees_no_mark_of_the_last_one(browser: Browser) -> None:
    async with demo.running(Settings(port=0, streamer_port=0, fresh_app="restart")) as running:
        await leaves_a_mark(browser, running)
        assert not await next_player_sees_it(browser, running)


async def test_without_a_fresh_application_the_next_player_sees_the_mark(browser: Browser) -> None:
    """Shows that the test above can fail."""
    async with lasting_streamer() as running:
        await leaves_a_mark(browser, running)
        assert await next_player_sees_it(browser, running)
