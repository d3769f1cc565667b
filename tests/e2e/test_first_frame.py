"""What the first frame of a page waits for."""

import asyncio
import json

import pytest
from playwright.async_api import Page, Route, WebSocket

import pixelfleet_cli.demo.app as demo
from pixelfleet_cli.demo.settings import Settings
from tests.e2e.conftest import playing

pytestmark = pytest.mark.e2e


async def test_the_offer_arrives_before_the_script_of_the_page(page: Page) -> None:
    offered = asyncio.Event()
    sent: list[str] = []
    sent_before_the_script: list[list[str]] = []

    def received(data: str | bytes) -> None:
        if json.loads(data)["type"] == "offer":
            offered.set()

    def opened(socket: WebSocket) -> None:
        socket.on("framereceived", received)
        socket.on("framesent", lambda data: sent.append(json.loads(data)["type"]))

    async def hold(route: Route) -> None:
        """Serve a script once the page has the offer."""
        await offered.wait()
        sent_before_the_script.append([*sent])
        await route.continue_()

    page.on("websocket", opened)
    await page.route("**/assets/*.js", hold)
    async with demo.running(Settings(port=0, streamer_port=0)) as running:
        await page.goto(running.url)
        await playing(page)
        assert sent_before_the_script[0] == []
        assert len(running.streamers[0].players) == 1
