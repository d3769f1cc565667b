"""The outcome of a run: each player's wait, hours of GPUs, and where the waiting time went."""

from array import array
from collections.abc import Iterable
from enum import IntEnum, StrEnum
from typing import Final

import msgspec

from pixelfleet.capacity.arrivals import Players

BUCKETS: Final = 480
"""Points of a timeline."""


class Fate(IntEnum):
    """What became of a player."""

    WAITS = 0
    """Not yet arrived, or still waiting at the end of the run."""
    SERVED = 1
    GAVE_UP = 2


class Cause(StrEnum):
    """What waiting players lack."""

    STREAMS = "streams"
    """The autoscaler's maximum is reached."""
    NODES = "nodes"
    """All GPUs are in use, and no node may be added."""
    NODE = "node"
    """A node is ordered and starting."""
    IMAGE = "image"
    """A node pulls the image."""
    POD = "pod"
    """A pod is starting."""
    AUTOSCALER = "autoscaler"
    """No pod is ordered yet: the period, the policies or the tolerance of the autoscaler."""


class Timeline(msgspec.Struct):
    """Samples in equal parts of the run: sums, and the largest number of waiting players."""

    seconds: float
    """The length of a part."""
    count: list[int]
    ready: list[float]
    existing: list[float]
    """Pods, ready or not, that are not terminating."""
    busy: list[float]
    """Players on pods, draining ones included."""
    waiting: list[float]
    most_waiting: list[int]

    @classmethod
    def of(cls, seconds: float, least: float) -> "Timeline":
        """Return an empty timeline of a run, whose parts have at least `least` seconds."""
        parts = max(1, min(BUCKETS, int(seconds / least)))
        ready, existing, busy, waiting = ([0.0] * parts for _ in range(4))
        return cls(seconds / parts, [0] * parts, ready, existing, busy, waiting, [0] * parts)

    def sample(self, now: float, ready: int, existing: int, busy: int, waiting: int) -> None:
        """Add a sample."""
        part = min(int(now / self.seconds), len(self.count) - 1)
        self.count[part] += 1
        self.ready[part] += ready
        self.existing[part] += existing
        self.busy[part] += busy
        self.waiting[part] += waiting
        self.most_waiting[part] = max(self.most_waiting[part], waiting)

    def means(self, sums: Iterable[float]) -> list[float]:
        """Return the means of the parts; a part without a sample has that of the part before."""
        found: list[float] = []
        for total, count in zip(sums, self.count, strict=True):
            found.append(total / count if count else (found[-1] if found else 0.0))
        return found


class Outcome(msgspec.Struct, kw_only=True):
    """The outcome of a run. Times are in seconds."""

    seconds: float
    players: Players
    fates: bytearray
    """The Fate of each player."""
    waits: "array[float]"
    """Of each player, until it was served, gave up, or the run ended."""
    stream_seconds: float
    """Of all pods, from the place on a GPU to its release."""
    node_seconds: float
    busy_seconds: float
    """Of all sessions, within the run."""
    gpus_per_node: int
    streams_per_gpu: int
    most_streams: int
    """The largest number of pods on GPUs at once."""
    most_nodes: int
    starts: int
    """Pods that were created."""
    cut: int
    """Sessions that were ended by the end of a drain."""
    causes: dict[Cause, float]
    """Seconds of waiting of all players together, by what they lacked."""
    timeline: Timeline

    @property
    def node_gpu_hours(self) -> float:
        """GPU hours of all nodes, which are paid."""
        return self.node_seconds * self.gpus_per_node / 3600

    @property
    def stream_gpu_hours(self) -> float:
        """GPU hours that pods held."""
        return self.stream_seconds / self.streams_per_gpu / 3600

    @property
    def busy_gpu_hours(self) -> float:
        """GPU hours with a player."""
        return self.busy_seconds / self.streams_per_gpu / 3600

    def served(self) -> int:
        """Return the number of players that got a streamer."""
        return self.fates.count(Fate.SERVED)

    def gave_up(self) -> int:
        """Return the number of players that left the queue."""
        return self.fates.count(Fate.GAVE_UP)

    def waiting(self) -> int:
        """Return the number of players that wait at the end of the run."""
        return self.fates.count(Fate.WAITS)

    def in_time(self, target: float, first: int = 0, last: int | None = None) -> float:
        """Return the part of the players that were served within `target` seconds; 1 without players.

        Those that gave up count as late. Those that wait at the end count as late after `target` seconds, and are left
        out before. `first` and `last` limit the players, by their order of arrival.
        """
        fates, waits = self.fates[first:last], self.waits[first:last]
        good = sum(1 for fate, wait in zip(fates, waits, strict=True) if fate == Fate.SERVED and wait <= target)
        open_ones = sum(1 for fate, wait in zip(fates, waits, strict=True) if fate == Fate.WAITS and wait <= target)
        counted = len(fates) - open_ones
        return good / counted if counted else 1.0

    def percentiles(self, parts: Iterable[float], first: int = 0, last: int | None = None) -> list[float]:
        """Return percentiles of the waits; `parts` are from 0 to 1. All players count, however their wait ended."""
        waits = sorted(self.waits[first:last])
        if not waits:
            return [0.0 for _ in parts]
        return [waits[min(len(waits) - 1, int(part * len(waits)))] for part in parts]
