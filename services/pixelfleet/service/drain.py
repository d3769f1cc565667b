"""The drain of a service before its shutdown: connected peers may finish within a bounded time."""

import asyncio
from abc import ABC, abstractmethod


class Drain(ABC):
    """A drain that runs once; further callers of `run` wait for its end.

    For `spread_seconds` the service still serves peers, because load balancers react late to its readiness. The drain
    ends when all peers have left, at the latest after `grace_seconds`.
    """

    def __init__(self, left: asyncio.Event, *, spread_seconds: float, grace_seconds: float) -> None:
        """`left` is set by the service when a peer leaves, and cleared by the drain."""
        self._left = left
        self._spread_seconds = min(spread_seconds, grace_seconds)
        self._grace_seconds = grace_seconds
        self._loop = asyncio.get_running_loop()
        self._began = 0.0
        self._running = False
        self._over = asyncio.Event()
        self.begun = False
        """Whether the drain has begun."""

    @property
    def seconds_left(self) -> float:
        """The rest of the grace period in seconds."""
        return max(0.0, self._began + self._grace_seconds - self._loop.time())

    def begin(self) -> None:
        """Begin the drain; a second call does nothing. `run` calls this first."""
        if not self.begun:
            self.begun = True
            self._began = self._loop.time()
            self._begin()

    async def run(self) -> None:
        """Drain the service, and return when the drain is over."""
        if self._running:
            await self.wait()
            return
        self._running = True
        self.begin()
        try:
            await self._drain()
        finally:
            self._over.set()

    async def wait(self) -> None:
        """Wait until the drain is over, without beginning it."""
        await self._over.wait()

    @abstractmethod
    def _begin(self) -> None:
        """Announce the shutdown."""

    @abstractmethod
    async def _drain(self) -> None:
        """Wait for the peers within `seconds_left`, then close the remaining ones."""

    @property
    def _spread_left(self) -> float:
        """The rest of the spread period in seconds."""
        return max(0.0, self._began + self._spread_seconds - self._loop.time())

    async def _departure(self, seconds: float) -> None:
        """Wait until a peer has left, at most `seconds`."""
        self._left.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._left.wait()
        except TimeoutError:
            return
