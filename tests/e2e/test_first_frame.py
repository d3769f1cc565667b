"""The round trips between opening a page and its first frame, on a network that is slower than any page."""

from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page

from benchmarks.delay_proxy import delaying
from benchmarks.flights import Entry
from pixelfleet_cli.demo.app import running
from pixelfleet_cli.demo.settings import Settings
from tests.e2e.conftest import playing

pytestmark = pytest.mark.e2e

RTT = 1.0
"""Seconds. A machine that is busy for less than that changes no flight."""


async def test_the_page_answers_the_offer_in_its_fifth_flight(page: Page) -> None:
    async with running(Settings(port=0, streamer_port=0)) as demo, delaying(urlsplit(demo.url).port or 0, RTT) as proxy:
        await page.goto(f"http://localhost:{proxy.port}/")
        await playing(page)
        flights = proxy.flights
        assert flights.of("/") == 2, "after the handshake of TCP"
        (script,) = {entry for entry in flights.entries if entry.label.endswith(".js")}
        assert script.flight == 3, "the only file that the page waits for"
        assert flights.of("/ws") == 4, "dialled with the document, after a handshake of its own"
        assert Entry(4, from_page=False, label="offer") in flights.entries, "with the answer to the upgrade"
        assert flights.of("answer") == 5
