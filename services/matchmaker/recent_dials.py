"""The outcomes of a replica's recent dials."""

from collections import deque
from collections.abc import Callable
from typing import Final

DIALS_REMEMBERED: Final = 32
DIALS_SECONDS: Final = 30.0
BROKEN_STREAMERS: Final = 5
"""When all recent dials failed, to at least this many streamers, the replica itself is the cause."""


class RecentDials:
    """The last dials of signalling servers."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` returns the time in seconds."""
        self._now = now
        self._dials: deque[tuple[float, str, bool]] = deque(maxlen=DIALS_REMEMBERED)

    def add(self, streamer: str, *, ok: bool) -> None:
        """Record the outcome of a dial, by the key of the streamer."""
        self._dials.append((self._now(), streamer, ok))

    def all_failed(self) -> bool:
        """Return whether all recent dials failed, to so many streamers that this replica must be the cause."""
        recent = [dial for dial in self._dials if self._now() - dial[0] < DIALS_SECONDS]
        return not any(ok for *_, ok in recent) and len({key for _, key, _ in recent}) >= BROKEN_STREAMERS
