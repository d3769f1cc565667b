"""The fleet store of a single process, for `pixelfleet demo`, one machine, and tests."""

import time
from collections.abc import Callable

from pixelfleet.fleet.memory.runner import MemoryAnnouncements, MemoryScriptRunner
from pixelfleet.fleet.redis.store import RedisFleetStore


class MemoryFleetStore(RedisFleetStore):
    """The same scripts as on Redis, run in this process on commands in memory.

    Its data live as long as its process: it never warms up, and its epoch never changes.
    """

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        announcements = MemoryAnnouncements()
        runner = MemoryScriptRunner(clock or _clock(), announcements.publish)
        super().__init__(runner, announcements, prefix="")


def _clock() -> Callable[[], float]:
    """Return a clock of unix time that never goes back, because it orders arrivals."""
    offset = time.time() - time.monotonic()
    return lambda: offset + time.monotonic()
