"""What the peers of a load test share: the clock, the statistics, and the timers."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter
from typing import Final

from pixelfleet.service.deadlines import Deadlines
from pixelfleet_cli.loadtest.core.results import MediaPlayer
from pixelfleet_cli.loadtest.core.schedule import Drops
from pixelfleet_cli.loadtest.core.tally import Event, Span, Tally
from pixelfleet_cli.loadtest.legs import Sockets
from pixelfleet_cli.loadtest.settings import Settings

HEARTBEAT_SECONDS: Final = 5.0
"""The page pings this often while it plays."""


class Load:
    """One load test. Needs a running event loop."""

    def __init__(self, settings: Settings, url: str) -> None:
        """`url` is the websocket URL of the target."""
        self.settings, self.url = settings, url
        self.tally = Tally(settings.seconds)
        self.drops = Drops(settings.drops_per_minute, settings.seed)
        self.sockets = Sockets()
        self.media: list[MediaPlayer] = []
        self.playing_media = 0
        self.streamers_connected = 0
        self.is_over = False
        """Whether the test has ended, and its peers are closing."""
        self._loop = asyncio.get_running_loop()
        self._start = perf_counter()
        self.heartbeats: Deadlines[Callable[[], None]] = Deadlines(HEARTBEAT_SECONDS, self._beat)

    @property
    def now(self) -> float:
        """The seconds since the start."""
        return perf_counter() - self._start  # the clock of the loop has milliseconds only

    def restart_clock(self) -> None:
        """Begin: what came before was preparation."""
        self._start = perf_counter()

    def at(self, seconds: float) -> float:
        """Return the time of the loop for a time of the test."""
        return self._loop.time() + seconds - self.now

    def time(self, span: Span, since: float) -> None:
        """Count the time since a time of the test."""
        now = self.now
        self.tally.time(now, span, now - since)

    def count(self, event: Event) -> None:
        """Count an event."""
        self.tally.count(self.now, event)

    def failed(self, code: str) -> None:
        """Count an error."""
        self.tally.failed(self.now, code)

    def _beat(self, ping: Callable[[], None]) -> None:
        self.heartbeats.add(ping)
        ping()


async def sleep(seconds: float, stop: asyncio.Event) -> bool:
    """Sleep until a time has passed or the test stops; return whether it stops."""
    with suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, seconds)):
            await stop.wait()
    return stop.is_set()
