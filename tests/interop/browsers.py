"""Real browsers: Debian's Chromium through Playwright, Debian's Firefox through WebDriver BiDi."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from playwright.async_api import ConsoleMessage, Page, WebSocket, async_playwright

from benchmarks.chromium import CHROMIUM_OPTIONS
from tests.interop.run import Run
from tests.parts import PATIENCE_SECONDS, require_part

CHROMIUM: Final = "Chromium"

MIDDLE: Final = (640, 360)
"""Where a test clicks, in CSS pixels; a tab has 1280 by 720."""


class Tab(Protocol):
    """One page in a browser context of its own."""

    async def open(self, url: str) -> None:
        """Load a page."""

    async def evaluate(self, function: str, argument: object = None) -> Any:
        """Call a JavaScript function in the page with one argument; return its result, or that of its promise.

        Raises TimeoutError if there is none within PATIENCE_SECONDS.
        """

    async def click(self) -> None:
        """Press and release the left button in the middle of the page."""

    async def press(self, key: str) -> None:
        """Press and release the key of a letter."""


class Browser(Protocol):
    """A running browser."""

    def tab(self) -> AbstractAsyncContextManager[Tab]:
        """Open a tab of 1280 by 720 pixels."""


def printed_version(browser: str) -> str:
    """Return the version that a browser prints; without the browser the test is skipped, with CI=true it fails."""
    command = [require_part(browser), "--version"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS)
    return next(word for word in printed.stdout.split() if word[0].isdigit())


def chromium_version() -> str:
    """Return the version of Chromium; without Chromium the test is skipped, with CI=true it fails."""
    return printed_version("chromium")


@dataclass(frozen=True)
class ChromiumTab:
    """A page of Playwright."""

    page: Page

    async def open(self, url: str) -> None:
        await self.page.goto(url)

    async def evaluate(self, function: str, argument: object = None) -> Any:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.page.evaluate(function, argument)

    async def click(self) -> None:
        await self.page.mouse.click(*MIDDLE)

    async def press(self, key: str) -> None:
        await self.page.keyboard.press(key)


class Chromium:
    """Debian's Chromium."""

    def __init__(self, browser: Any, run: Run) -> None:
        self._browser = browser
        self._run = run

    @asynccontextmanager
    async def tab(self) -> AsyncIterator[ChromiumTab]:
        context = await self._browser.new_context(viewport={"width": 1280, "height": 720})
        try:
            context.set_default_timeout(1000 * PATIENCE_SECONDS)
            page = await context.new_page()
            self._watch(page)
            yield ChromiumTab(page)
        finally:
            await context.close()

    def _watch(self, page: Page) -> None:
        """Log the page's console, its errors and its websockets."""
        log = self._run.log

        def console(message: ConsoleMessage) -> None:
            log(f"console {message.type}: {message.text}")

        def websocket(socket: WebSocket) -> None:
            log(f"websocket opens: {socket.url}")
            socket.on("framesent", lambda data: log(f"websocket sent: {data!r}"))
            socket.on("framereceived", lambda data: log(f"websocket received: {data!r}"))
            socket.on("close", lambda _: log("websocket closed"))

        page.on("console", console)
        page.on("pageerror", lambda error: log(f"uncaught: {error}"))
        page.on("websocket", websocket)


@asynccontextmanager
async def chromium(run: Run) -> AsyncIterator[Chromium]:
    """Run Chromium; without it the test is skipped, with CI=true it fails."""
    program = require_part("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=CHROMIUM_OPTIONS)
        try:
            yield Chromium(browser, run)
        finally:
            await browser.close()
