"""The script runner and the announcements of the store in memory, in place of a connection to Redis."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from pixelfleet.fleet.bounds import ARRIVAL_SECONDS
from pixelfleet.fleet.memory.commands import run_command
from pixelfleet.fleet.memory.keyspace import MICROSECONDS, Keyspace, RefusedError
from pixelfleet.fleet.memory.scripts import Scripts
from pixelfleet.fleet.redis.interface import Word
from pixelfleet.fleet.store import StoreUnavailableError

RUN_ID: Final = b"memory"
"""Stands for the run id of a server process."""


class MemoryScriptRunner:
    """Runs the scripts in this process. `run` is atomic because it never awaits. `clock` returns seconds."""

    connections: Final = 0

    def __init__(self, clock: Callable[[], float], publish: Callable[[bytes], None]) -> None:
        self._keys = Keyspace(lambda: round(clock() * MICROSECONDS))
        self._scripts = Scripts(self._keys, publish)
        # A new process has given no lease before, so there is no warm-up: its epoch began when the longest lease
        # would have.
        begun = self._keys.clock() - round(ARRIVAL_SECONDS * MICROSECONDS)
        self._scripts.run("epoch", b"", [b"%d" % begun, RUN_ID])

    async def run(self, script: str, *words: Word) -> Any:
        """Run a script; raise StoreUnavailableError if a server would refuse it."""
        try:
            return self._scripts.run(script, b"", [b"%d" % self._keys.clock(), *map(_bytes, words)])
        except RefusedError as error:
            raise StoreUnavailableError(str(error)) from None

    async def read(self, *commands: tuple[Word, ...]) -> list[Any]:
        """Run read-only commands, then yield to other tasks."""
        self._keys.expire()
        replies = [run_command(self._keys, str(name), [_bytes(word) for word in words]) for name, *words in commands]
        await asyncio.sleep(0)
        return replies


class MemoryAnnouncements:
    """Announcements from the scripts to the replicas of this process."""

    def __init__(self) -> None:
        self._events: dict[str, asyncio.Event] = {}

    def publish(self, channel: bytes) -> None:
        """Wake the replica of a channel; without a waiter, its next wait returns at once."""
        self._event(channel.decode().removeprefix("wake:")).set()

    async def wait(self, replica_id: str, timeout: float) -> bool:  # noqa: ASYNC109 - nothing new is not an error
        """Wait for an announcement; return False after the timeout."""
        announced = self._event(replica_id)
        try:
            async with asyncio.timeout(timeout):
                await announced.wait()
        except TimeoutError:
            return False
        announced.clear()
        return True

    def _event(self, replica_id: str) -> asyncio.Event:
        return self._events.setdefault(replica_id, asyncio.Event())


def _bytes(word: Word) -> bytes:
    return word if isinstance(word, bytes) else str(word).encode()
