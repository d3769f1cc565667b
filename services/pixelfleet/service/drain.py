"""The drain of a service before its end: peers may finish, in bounded time, and new ones go elsewhere."""

import asyncio
from abc import ABC, abstractmethod


class Drain(ABC):
    """Begins once and ends once. Every later caller waits for the same end.

    For `spread_seconds` after its begin the service still answers peers: load balancers and clients learn late that it
    is not ready any more. After `grace_seconds` it ends, whether all peers have left or not.
    """

    def __init__(self, left: asyncio.Event, *, spread_seconds: float, grace_seconds: float) -> None:
        """`left` is an event that the service sets whenever a peer has left; a drain that waits clears it."""
        self._left = left
        self._spread_seconds = min(spread_seconds, grace_seconds)
        self._grace_seconds = grace_seconds
        self._loop = asyncio.get_running_loop()
        self._began = 0.0
        self._running = False
        self._over = asyncio.Event()
        self.begun = False
        """Whether the service is about to end."""

    @property
    def seconds_left(self) -> float:
        """How long peers may still take to finish."""
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
        """Make known that the service is about to end."""

    @abstractmethod
    async def _drain(self) -> None:
        """Wait for the peers within `seconds_left`, and close what is left."""

    @property
    def _spread_left(self) -> float:
        """How long peers are still answered as before."""
        return max(0.0, self._began + self._spread_seconds - self._loop.time())

    async def _departure(self, seconds: float) -> None:
        """Wait until a peer has left, but no longer than that."""
        self._left.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._left.wait()
        except TimeoutError:
            return
