"""The time from opening the page to its first decoded frame: our page through the whole chain, against the floor.

The floor is a page with only Epic's published library that dials a signalserver directly. Both are opened alternately
by the same headless Chromium, so that noise affects both alike. `--check` exits with 1 when the goal is missed.

    python -m benchmarks.first_frame [--runs 7] [--rtt 60] [--record FILE] [--check]

With `--rtt` a proxy before each of them adds this round trip, in milliseconds, to every TCP connection of the page, and
counts the flights up to the page's answer. `--record` writes the flights of our page as JSON (`flight_diagram`).
"""

import argparse
import asyncio
import shutil
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import orjson
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
from benchmarks.delay_proxy import DelayProxy, delaying
from benchmarks.figures import record
from benchmarks.flights import Flights
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

MOST_AT_RTT = 0.75
"""The same with a round trip of 60 ms."""


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


@dataclass(slots=True)
class Subject:
    """A page that is measured."""

    name: str
    url: str
    proxy: DelayProxy | None
    times: list[float] = field(default_factory=list)
    flights: list[int] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The median time in milliseconds."""
        return statistics.median(self.times)

    async def visit(self, browser: Browser) -> None:
        """Open the page once, and add its results."""
        if self.proxy is not None:
            self.proxy.flights = Flights()
        self.times.append(await first_frame(browser, self.url))
        if self.proxy is not None:
            self.flights.append(self.proxy.flights.of("answer"))

    def line(self) -> str:
        """Return the results as a line of text."""
        flights = f", {statistics.median(self.flights):.0f} flights" if self.flights else ""
        return f"{self.name}: median {self.median:.0f} ms ({min(self.times):.0f} to {max(self.times):.0f}){flights}"


async def measure(floor: Subject, ours: Subject, runs: int, most: float, vacant: Callable[[], Awaitable[None]]) -> bool:
    """Open both pages alternately and print the medians; return whether the goal is met."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_OPTIONS)
        for run in range(runs + 1):
            for subject in (floor, ours):
                await vacant()
                await subject.visit(browser)
                if run == 0:  # the first run of each page warms the browser up
                    subject.times.clear()
                    subject.flights.clear()
                print(".", end="", flush=True, file=sys.stderr)
        await browser.close()
    print(file=sys.stderr)
    print(floor.line())
    print(ours.line())
    ratio = ours.median / floor.median
    print(f"x{ratio:.2f} of {runs} runs each, goal x{most} or less")
    if ours.proxy is None:
        record("time to the first frame", ratio, goal=most)
    return ratio <= most


async def compare(runs: int, rtt: float, flights: Path | None) -> bool:
    """Start both systems and measure; return whether the goal is met. `rtt` is in milliseconds."""
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

        async def subject(name: str, port: int, url: str) -> Subject:
            if rtt == 0:
                return Subject(name, url.format(port=port), None)
            proxy = await stack.enter_async_context(delaying(port, rtt / 1000))
            return Subject(name, url.format(port=proxy.port), proxy)

        port = urlsplit(demo.url).port
        assert port is not None
        bare = "http://localhost:{port}/?ss=ws://localhost:{port}/"
        floor = await subject("bare page, signalserver alone", alone.player_port, bare)
        ours = await subject("our page, the whole chain", port, "http://localhost:{port}/")
        met = await measure(floor, ours, runs, MOST_AT_RTT if rtt else MOST, vacant)
        if flights is not None and ours.proxy is not None:
            entries = orjson.dumps(ours.proxy.flights.entries, option=orjson.OPT_INDENT_2)
            await asyncio.to_thread(flights.write_bytes, entries)
        return met


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(description="the time from opening the page to its first frame")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--check", action="store_true", help="exit with 1 when the goal is missed")
    parser.add_argument("--rtt", type=float, default=0, help="the round trip of the network, in milliseconds")
    parser.add_argument("--record", type=Path, help="write the flights of our page's last visit to this file")
    args = parser.parse_args(argv)
    met = uvloop.run(compare(args.runs, args.rtt, args.record))
    return 1 if args.check and not met else 0


if __name__ == "__main__":
    sys.exit(main())
