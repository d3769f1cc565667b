"""The time from opening the page to its first decoded frame: our page through the whole chain, against the floor.

The floor is a page with only Epic's published library that dials a signalserver directly. Both are opened alternately
by the same headless Chromium, so that noise affects both alike. `--check` exits with 1 when the goal is missed.

    python -m benchmarks.first_frame [--runs 7] [--check]
"""

import argparse
import asyncio
import shutil
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import uvloop
from playwright.async_api import Browser, async_playwright
from rich.console import Console

import pixelfleet_cli.demo.app
import pixelfleet_cli.demo.settings
import signalserver.app
import signalserver.settings
import teststreamer.app
import teststreamer.settings
from benchmarks.chromium import CHROMIUM_OPTIONS
from benchmarks.figures import record
from pixelfleet.service import logs
from pixelfleet_cli.demo.status import Screen

STOCK_PAGE = Path(__file__).parent.parent / "tests" / "interop" / "dist" / "5.7-library"
FIRST_FRAME = """() => {
  const video = [...document.querySelectorAll('video')].find((v) => v.videoWidth > 0);
  return video !== undefined && video.getVideoPlaybackQuality().totalVideoFrames > 0;
}"""
LIMIT_MS = 15_000
MOST = 1.15
"""The goal: our median as a multiple of the floor's."""


async def first_frame(browser: Browser, url: str) -> float:
    """Return the milliseconds from opening a page to its first decoded frame."""
    context = await browser.new_context(viewport={"width": 1280, "height": 720})
    try:
        page = await context.new_page()
        begun = time.perf_counter()
        await page.goto(url)
        await page.wait_for_function(FIRST_FRAME, timeout=LIMIT_MS, polling=10)
        return (time.perf_counter() - begun) * 1000
    finally:
        await context.close()


async def measure(bare: str, chain: str, runs: int, vacant: Callable[[], Awaitable[None]]) -> float:
    """Open both pages alternately and print the medians; return ours as a multiple of the floor's."""
    times: dict[str, list[float]] = {bare: [], chain: []}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_OPTIONS)
        for run in range(runs + 1):
            for url, taken in times.items():
                await vacant()
                milliseconds = await first_frame(browser, url)
                if run:  # the first run of each page warms the browser up
                    taken.append(milliseconds)
                print(".", end="", flush=True, file=sys.stderr)
        await browser.close()
    print(file=sys.stderr)
    floor, ours = (statistics.median(taken) for taken in times.values())
    print(f"bare page, signalserver alone: median {floor:.0f} ms ({min(times[bare]):.0f} to {max(times[bare]):.0f})")
    print(f"our page, the whole chain:     median {ours:.0f} ms ({min(times[chain]):.0f} to {max(times[chain]):.0f})")
    print(f"x{ours / floor:.2f} of {runs} runs each, goal x{MOST} or less")
    return ours / floor


async def compare(runs: int) -> float:
    """Start both systems and measure; return the ratio."""
    logs.configure("error")
    async with AsyncExitStack() as stack:
        demo = await stack.enter_async_context(
            pixelfleet_cli.demo.app.running(
                pixelfleet_cli.demo.settings.Settings(port=0, streamer_port=0), Screen(Console(quiet=True))
            )
        )
        alone = await stack.enter_async_context(
            signalserver.app.running(
                signalserver.settings.Settings(
                    host="127.0.0.1",
                    player_port=0,
                    streamer_port=0,
                    sfu_port=0,
                    metrics_port=0,
                    serve=True,
                    http_root=STOCK_PAGE,
                    homepage="index.html",
                )
            )
        )
        streamer = await stack.enter_async_context(
            teststreamer.app.running(
                teststreamer.settings.Settings(url=f"ws://127.0.0.1:{alone.streamer_port}", id="bare")
            )
        )
        await streamer.connected.wait()

        async def vacant() -> None:
            while alone.players or demo.signalserver.players or demo.streamers[0].players or streamer.players:
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.3)

        port = alone.player_port
        return await measure(f"http://localhost:{port}/?ss=ws://localhost:{port}/", demo.url, runs, vacant)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(description="the time from opening the page to its first frame")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--check", action="store_true", help="exit with 1 when the goal is missed")
    args = parser.parse_args(argv)
    ratio = uvloop.run(compare(args.runs))
    record("time to the first frame", ratio, goal=MOST)
    return 1 if args.check and ratio > MOST else 0


if __name__ == "__main__":
    sys.exit(main())
