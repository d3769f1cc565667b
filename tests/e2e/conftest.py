"""A real browser and the running demo."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright

from benchmarks.chromium import CHROMIUM_OPTIONS
from tests.parts import PATIENCE_SECONDS, eventually, require_part

WEBSOCKET = re.compile(r"/ws\?")
"""Matches the URL of the page's websocket, and that of its question after a refusal."""

STOCK_PAGE = Path(__file__).parents[1] / "interop" / "dist" / "5.7-library"

VIDEO = """() => {
  const video = [...document.querySelectorAll('video')].find((v) => v.videoWidth > 0);
  if (!video) return null;
  return { width: video.videoWidth, height: video.videoHeight, frames: video.getVideoPlaybackQuality().totalVideoFrames,
           muted: video.muted, paused: video.paused };
}"""


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    chromium = require_part("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_OPTIONS)
        try:
            yield browser
        finally:
            await browser.close()


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    async with new_page(browser) as page:
        yield page


@asynccontextmanager
async def new_page(browser: Browser) -> AsyncIterator[Page]:
    """Open a page of its own browser context."""
    context = await browser.new_context(viewport={"width": 1280, "height": 720})
    try:
        context.set_default_timeout(1000 * PATIENCE_SECONDS)
        yield await context.new_page()
    finally:
        await context.close()


async def playing(page: Page) -> dict[str, Any]:
    """Wait until video has been decoded; return the result of VIDEO."""

    async def frames() -> dict[str, Any] | None:
        video: dict[str, Any] | None = await page.evaluate(VIDEO)
        # A frame can be decoded a moment before the library calls play(), which also mutes the video.
        return video if video and video["frames"] > 0 and not video["paused"] else None

    video: dict[str, Any] | None = await eventually(frames, "video is playing")
    assert video is not None
    return video


async def frames_in(page: Page, seconds: float) -> int:
    """Count the frames that are decoded within this time on the page's own clock."""
    count: int = await page.evaluate(
        """(seconds) => new Promise((resolve) => {
          const frames = () =>
            [...document.querySelectorAll('video')]
              .map((v) => v.getVideoPlaybackQuality().totalVideoFrames)
              .reduce((a, b) => a + b, 0);
          const before = frames();
          setTimeout(() => resolve(frames() - before), seconds * 1000);
        })""",
        seconds,
    )
    return count


async def plays_on(page: Page) -> None:
    """Wait until at least 10 frames are decoded within 2 s; the frame rate above that depends on the machine."""

    async def enough() -> bool:
        return await frames_in(page, 2.0) >= 10

    await eventually(enough, "at least 10 frames in 2 s")


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Log nothing."""


@pytest.fixture
def stock_page() -> Iterator[str]:
    """The address of a page with Epic's published library and none of our code."""
    if not (STOCK_PAGE / "index.html").is_file():
        pytest.fail("the page is not built; `make test` builds it, `scripts/build-page test` alone does too")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_QuietHandler, directory=str(STOCK_PAGE)))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/index.html"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
