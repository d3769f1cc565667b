"""Wires a test streamer together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from teststreamer.settings import Settings
from teststreamer.streamer import Streamer


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Streamer]:
    """Run a streamer beside the body; it connects to its signalling server when there is one, and again if it goes."""
    streamer = Streamer(settings)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(streamer.run())
        try:
            yield streamer
        finally:
            task.cancel()
