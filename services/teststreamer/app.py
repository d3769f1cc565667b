"""Starts a test streamer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from teststreamer.settings import Settings
from teststreamer.streamer import Streamer


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Streamer]:
    """Run a streamer during the body; it connects, and reconnects, to its signalling server."""
    streamer = Streamer(settings)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(streamer.run())
        try:
            yield streamer
        finally:
            task.cancel()
