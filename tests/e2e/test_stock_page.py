"""Epic's published library without our code plays through the router."""

import asyncio

import pytest
from playwright.async_api import Browser, Page

import pixelfleet_cli.demo.app as demo
from pixelfleet.protocol import close_codes
from pixelfleet_cli.demo.settings import Settings
from tests.e2e.conftest import new_page, playing, plays_on
from tests.parts import eventually

pytestmark = pytest.mark.e2e

QUEUE_SECONDS = 70
"""Longer than two keepalives of the page: without answers it would have disconnected."""


def through(stock_page: str, running: demo.Demo, path: str = "ws") -> str:
    return f"{stock_page}?ss=ws://127.0.0.1:{running.router.port}/{path}"


async def test_it_plays_through_the_root_with_three_streamers(page: Page, stock_page: str) -> None:
    async with demo.running(Settings(port=0, streamer_port=0, streamers=3)) as running:
        await page.goto(through(stock_page, running, path=""))
        await playing(page)


async def test_it_plays_again_after_its_streamer_ended_and_another_was_matched(page: Page, stock_page: str) -> None:
    async with demo.running(Settings(port=0, streamer_port=0, streamers=2)) as running:
        await page.goto(through(stock_page, running))
        await playing(page)
        first = next(streamer for streamer in running.streamers if streamer.players)
        other = next(streamer for streamer in running.streamers if streamer is not first)
        hub = running.signalserver.hub
        source = next(s for s in hub.switchboard.sources() if s.endpoint_id == first.streamer_id)
        hub.execute(hub.switchboard.disconnect(source.peer.key, close_codes.PONG_TIMEOUT))

        def moved() -> bool:
            return len(other.players) == 1

        await eventually(moved, "the player has the other streamer")
        await plays_on(page)


async def test_it_stays_in_the_queue_for_seventy_seconds_and_then_plays(browser: Browser, stock_page: str) -> None:
    async with demo.running(Settings(port=0, streamer_port=0)) as running, new_page(browser) as second:
        dials: list[str] = []
        second.on("websocket", lambda socket: dials.append(socket.url))
        async with new_page(browser) as first:
            await first.goto(through(stock_page, running))
            await playing(first)
            await second.goto(through(stock_page, running))
            await eventually(lambda: running.matchmaker.queue == 1, "the second page is in the queue")
            # The wait is the subject of this test: the page's keepalive comes every 30 s.
            await asyncio.sleep(QUEUE_SECONDS)
            assert running.matchmaker.queue == 1
        await playing(second)
        assert len(dials) == 1
