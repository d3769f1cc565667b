"""The sound and video that a player sends: its microphone and its camera."""

import asyncio
from collections import Counter

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack


class Received:
    """Reads a player's tracks, and counts their frames as `audio frames` and `video frames`."""

    def __init__(self, counts: Counter[str]) -> None:
        self._counts = counts
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, track: MediaStreamTrack) -> None:
        """Read a track until it ends or `stop` is called."""
        task = asyncio.create_task(self._read(track))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                await track.recv()
                self._counts[f"{track.kind} frames"] += 1
        except MediaStreamError:
            pass  # the player ended the track

    def stop(self) -> None:
        """Stop reading."""
        for task in self._tasks:
            task.cancel()
