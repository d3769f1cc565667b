"""Test streamers of a load test."""

import asyncio
from contextlib import AsyncExitStack
from typing import Final

from pixelfleet.protocol.messages import Message
from pixelfleet.service.backoff import Backoff
from pixelfleet_cli.loadtest.core import errors
from pixelfleet_cli.loadtest.core.streamer import CannedStreamer
from pixelfleet_cli.loadtest.legs import Leg, News
from pixelfleet_cli.loadtest.load import Load

READY_SECONDS: Final = 30.0
"""The players start after this time even if some test streamers have not connected."""

DIALS_AT_ONCE: Final = 64
BACKOFF: Final = Backoff(first=0.5, longest=5.0)


class StreamerRun:
    """Keeps one test streamer without media connected, until it is cancelled."""

    def __init__(self, load: Load, url: str, name: str, dialling: asyncio.Semaphore) -> None:
        self._load, self._url, self._name, self._dialling = load, url, name, dialling
        self._news = News()
        self._leg = Leg(self._take, self._news, load.sockets)
        self._streamer = CannedStreamer(name)
        self.settled = asyncio.Event()
        """Set when the server has accepted the id for the first time, or when the first attempt has failed."""

    async def run(self) -> None:
        """Connect, and connect again after each loss, which is counted as an error."""
        failures = 0
        try:
            while True:
                self._streamer = CannedStreamer(self._name)
                self._leg = Leg(self._take, self._news, self._load.sockets)
                async with self._dialling:
                    await self._leg.dial(self._url)
                await self._news.until(self._is_settled, float("inf"))
                if self._streamer.is_registered:
                    failures = 0
                    await self._serve()
                self.settled.set()
                failures += 1
                self._load.failed(f"{errors.STREAMER_LOST}: {self._leg.code}")
                await asyncio.sleep(BACKOFF.delay(failures))
        finally:
            self._leg.close()

    async def _serve(self) -> None:
        self._load.streamers_connected += 1
        self.settled.set()
        try:
            await self._news.until(lambda: self._leg.code is not None, float("inf"))
        finally:
            self._load.streamers_connected -= 1

    def _is_settled(self) -> bool:
        return self._streamer.is_registered or self._leg.code is not None

    def _take(self, message: Message) -> None:
        before = self._streamer.is_registered
        for reply in self._streamer.take(message):
            self._leg.send(reply)
        if not before:
            self._news()


async def connect(load: Load, url: str, tasks: asyncio.TaskGroup, stack: AsyncExitStack) -> list[asyncio.Task[None]]:
    """Start the test streamers and wait for the first attempt of each, at most READY_SECONDS; return tasks to cancel.

    Test streamers with media end with the stack.
    """
    settings = load.settings
    names = [f"load-{number}" for number in range(1, settings.streamers + 1)]
    running: list[asyncio.Task[None]] = []
    ready: list[asyncio.Event] = []
    if settings.streamer_media:
        ready = [await _with_media(load, url, name, stack) for name in names]
    else:
        dialling = asyncio.Semaphore(DIALS_AT_ONCE)
        for name in names:
            run = StreamerRun(load, url, name, dialling)
            running.append(tasks.create_task(run.run()))
            ready.append(run.settled)
    try:
        async with asyncio.timeout(READY_SECONDS):
            for event in ready:
                await event.wait()
    except TimeoutError:
        load.failed("test streamers not ready")
    return running


async def _with_media(load: Load, url: str, name: str, stack: AsyncExitStack) -> asyncio.Event:
    import teststreamer.app  # noqa: PLC0415 - needs the extra `streamer`
    from teststreamer.settings import Settings  # noqa: PLC0415

    streamer = await stack.enter_async_context(teststreamer.app.running(Settings(url=url, id=name)))
    load.streamers_connected += 1
    return streamer.connected
