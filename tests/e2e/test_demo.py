"""Our page on the demo: video plays, and input reaches the streamer."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from playwright.async_api import Browser, Page

import pixelfleet_cli.demo.app as demo
from pixelfleet.fleet.records import SessionFacts, StoredRecord
from pixelfleet.protocol.first_frame import STEPS
from pixelfleet_cli.demo.settings import Settings
from tests.e2e.conftest import new_page, playing, plays_on
from tests.parts import eventually

pytestmark = pytest.mark.e2e


@pytest.fixture
async def running_demo() -> AsyncIterator[demo.Demo]:
    async with demo.running(Settings(port=0, streamer_port=0)) as running:
        yield running


async def test_video_plays_muted_at_full_size(page: Page, running_demo: demo.Demo) -> None:
    complaints: list[str] = []
    elsewhere: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("request", lambda r: elsewhere.append(r.url) if not r.url.startswith(running_demo.url) else None)
    await page.goto(running_demo.url)
    video = await playing(page)
    assert (video["width"], video["height"]) == (1280, 720)
    assert video["muted"]
    await plays_on(page)
    assert complaints == []
    assert elsewhere == []


async def test_the_page_reports_the_steps_to_its_first_frame(page: Page, running_demo: demo.Demo) -> None:
    url = f"http://127.0.0.1:{running_demo.signalserver.metrics_port}/metrics"
    prefix = "signalserver_first_frame_"

    async def shown() -> dict[str, float] | None:
        """Return the sums and counts, once there are any."""
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            lines = [line for line in (await answer.text()).splitlines() if line.startswith(prefix)]
        numbers = {name.removeprefix(prefix): float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}
        return numbers if numbers["seconds_count"] else None

    await page.goto(running_demo.url)
    await playing(page)
    figures = await eventually(shown, "the page has reported its first frame")
    assert figures is not None
    assert figures["seconds_count"] == 1
    steps = [figures[f'step_seconds_sum{{step="{step}"}}'] for step in STEPS.values()]
    assert [figures[f'step_seconds_count{{step="{step}"}}'] for step in STEPS.values()] == [1] * len(STEPS)
    assert sum(steps) == pytest.approx(figures["seconds_sum"])
    elapsed: float = await page.evaluate("() => performance.now() / 1000")
    assert 0 < figures["seconds_sum"] < elapsed


async def test_the_record_of_a_session_has_what_its_page_reports(page: Page, running_demo: demo.Demo) -> None:
    store = running_demo.matchmaker.broker.store
    await page.goto(running_demo.url)
    await playing(page)

    async def reported() -> SessionFacts | None:
        facts = [lease.facts for lease in (await store.snapshot()).leases]
        return next((each for each in facts if each.first_frame_seconds and each.path and each.codec), None)

    facts = await eventually(reported, "the first frame, the path and the codec are in the store")
    assert facts is not None
    assert (facts.path, facts.first_frame_seconds.keys() <= set(STEPS.values())) == ("direct", True)
    await page.goto("about:blank")

    async def recorded() -> list[StoredRecord]:
        return await store.records()

    await eventually(recorded, "the session is recorded")
    ((_, record),) = await recorded()
    assert (record.codec, record.first_frame_seconds) == (facts.codec, facts.first_frame_seconds)
    assert record.end.by == "player"
    assert record.seconds_played > 0


async def test_a_click_a_key_and_an_interaction_reach_the_streamer(page: Page, running_demo: demo.Demo) -> None:
    streamer = running_demo.streamers[0]

    def seen(kind: str) -> bool:
        return any(entry.kind == kind for entry in streamer.inputs)

    await page.goto(running_demo.url)
    await playing(page)
    await page.wait_for_function("() => window.pixelfleet.state.phase === 'playing'")

    async def clicked() -> bool:
        """Click until the streamer has received it: the data channel opens a moment after the first frame."""
        await page.mouse.click(640, 360)
        return seen("MouseDown")

    await eventually(clicked, "the streamer received the click")
    await page.keyboard.press("k")
    await eventually(lambda: seen("KeyDown"), "the streamer received the key")
    answer = await page.evaluate(
        """() => new Promise((resolve) => {
          const { stream } = window.pixelfleet;
          stream.addResponseEventListener('test', resolve);
          stream.emitUIInteraction({ colour: 'teal' });
        })"""
    )
    assert "teal" in answer
    assert seen("UIInteraction")


async def test_a_waiting_player_sees_the_queue_and_then_plays(browser: Browser, running_demo: demo.Demo) -> None:
    async with new_page(browser) as second:
        async with new_page(browser) as first:
            await first.goto(running_demo.url)
            await playing(first)
            await second.goto(running_demo.url)
            await second.wait_for_function("() => window.pixelfleet?.state.phase === 'queued'")
        await playing(second)
