"""Video plays through a matchmaker on stand-ins for stock servers, in Pixelfleet's page and in Epic's."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from playwright.async_api import Page
from websockets.asyncio.server import serve

import matchmaker.app
import matchmaker.settings
import router.app
import router.settings
import teststreamer.app
import teststreamer.settings
from tests.e2e.conftest import playing, plays_on
from tests.parts import eventually
from tests.standins.cirrus import GENERATIONS, UE_4_27, UE_5_0, UE_5_2, UE_5_4, Cirrus, Generation, running_cirrus
from tests.standins.cirrus_streamers import StreamerPort

pytestmark = pytest.mark.e2e

HOST = "127.0.0.1"


@asynccontextmanager
async def chain(generation: Generation) -> AsyncIterator[tuple[Cirrus, int]]:
    """Run a router, a matchmaker, and a stand-in with a real streamer; yield the stand-in and the router's port."""
    rules = ["legacy"] if generation is UE_4_27 else ["5.0"]
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        matches = await enter(
            matchmaker.app.running(
                matchmaker.settings.Settings(host=HOST, port=0, metrics_port=0, legacy_port=0, legacy_dialect=rules)
            )
        )
        entry = await enter(
            router.app.running(
                router.settings.Settings(host=HOST, port=0, metrics_port=0, matchmaker=[f"ws://{HOST}:{matches.port}"])
            )
        )
        legacy = await enter(running_cirrus(generation))
        streamers = StreamerPort(legacy)
        listener = await enter(serve(streamers.serve, HOST, 0, compression=None))
        port = next(iter(listener.sockets)).getsockname()[1]
        await enter(teststreamer.app.running(teststreamer.settings.Settings(url=f"ws://{HOST}:{port}", id="cam")))
        await streamers.named.wait()
        assert matches.link_port is not None
        await legacy.connect(matches.link_port)
        yield legacy, entry.port


@pytest.mark.parametrize("generation", GENERATIONS, ids=lambda generation: generation.name)
async def test_the_page_plays_on_a_legacy_server(page: Page, generation: Generation) -> None:
    async with chain(generation) as (legacy, port):
        await page.goto(f"http://{HOST}:{port}/")
        await playing(page)
        await plays_on(page)
        if generation.pings:
            await legacy.ping_players()
            await eventually(lambda: any(each["type"] == "pong" for each in legacy.received), "the page answers it")
        assert set(legacy.unknown) <= ({"listStreamers", "subscribe"} if generation is UE_5_0 else set())
        assert legacy.dialled == 1


@pytest.mark.parametrize("generation", [UE_5_0, UE_5_2, UE_5_4], ids=lambda generation: generation.name)
async def test_epics_page_plays_on_a_legacy_server(page: Page, stock_page: str, generation: Generation) -> None:
    async with chain(generation) as (legacy, port):
        await page.goto(f"{stock_page}?ss=ws://{HOST}:{port}/ws")
        await playing(page)
        await plays_on(page)
        assert legacy.dialled == 1
