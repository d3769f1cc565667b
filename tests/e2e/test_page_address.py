"""The address of the browser's machine changes while it plays. The test needs network namespaces, and so root."""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, async_playwright

from benchmarks.chromium import CHROMIUM_OPTIONS
from tests.e2e.conftest import new_page, plays_on
from tests.e2e.resuming_fleet import fleet
from tests.e2e.test_page_resume import opened, phases
from tests.parts import eventually, require_part

pytestmark = pytest.mark.e2e

NAME: Final = f"pixelfleet{os.getpid() % 100_000}"
"""The name of the namespace, and of both ends of the link to it; the kernel allows 15 characters."""

SERVERS, FIRST, SECOND = (f"198.18.77.{number}" for number in (1, 2, 3))
"""Addresses of the range for benchmarks (RFC 2544): of the servers, and of the browser in turn."""

RECORD_FRAMES: Final = """() => {
  const frames = () => document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames;
  let last = frames(), since = performance.now();
  window.longestPause = 0;
  setInterval(() => {
    const now = performance.now();
    if (frames() !== last) [last, since] = [frames(), now];
    window.longestPause = Math.max(window.longestPause, now - since);
  }, 20);
}"""


def ip(*arguments: str) -> None:
    """Run `ip`, and raise CalledProcessError when it fails."""
    subprocess.run(("ip", *arguments), check=True, capture_output=True, timeout=30)


@pytest.fixture
def namespace() -> Iterator[str]:
    """A network namespace with the address FIRST, in which SERVERS can be reached."""
    if shutil.which("ip") is None:
        pytest.skip("the program ip is missing")
    try:
        ip("netns", "add", NAME)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"this machine makes no network namespaces: {error.stderr.decode().strip()}")
    try:
        ip("link", "add", NAME, "type", "veth", "peer", "name", NAME, "netns", NAME)
        ip("addr", "add", f"{SERVERS}/24", "dev", NAME)
        ip("link", "set", NAME, "up")
        ip("-n", NAME, "link", "set", "lo", "up")
        ip("-n", NAME, "addr", "add", f"{FIRST}/24", "dev", NAME)
        ip("-n", NAME, "link", "set", NAME, "up")
        ip("-n", NAME, "route", "add", "default", "via", SERVERS)
        yield NAME
    finally:
        subprocess.run(("ip", "link", "del", NAME), check=False, capture_output=True, timeout=30)
        ip("netns", "del", NAME)


@pytest.fixture
async def moving_browser(namespace: str, tmp_path: Path) -> AsyncIterator[Browser]:
    """A browser in the namespace."""
    start = tmp_path / "chromium"
    start.write_text(f'#!/bin/sh\nexec ip netns exec {namespace} "{require_part("chromium")}" "$@"\n')
    start.chmod(0o755)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=start, args=CHROMIUM_OPTIONS)
        yield browser
        await browser.close()


async def test_the_picture_goes_on_after_a_change_of_address(moving_browser: Browser, namespace: str) -> None:
    """The media moves to the new address by itself, and the websocket is dead without an event."""
    async with fleet(SERVERS) as running, new_page(moving_browser) as page:
        await opened(page, running.url)
        await plays_on(page)
        await page.evaluate(RECORD_FRAMES)
        before, opened_before = running.players, running.network.opened
        ip("-n", namespace, "addr", "del", f"{FIRST}/24", "dev", namespace)
        ip("-n", namespace, "addr", "add", f"{SECOND}/24", "dev", namespace)
        ip("-n", namespace, "route", "add", "default", "via", SERVERS)
        await eventually(lambda: running.network.opened > opened_before, "the page has connected again")
        await page.wait_for_function("() => !window.pixelfleet.state.away")
        await plays_on(page)
        assert running.players == before
        assert set(await phases(page)) <= {"playing", "playing away"}
        assert await page.evaluate("() => window.longestPause") < 3_000
