"""Computes the positions and time estimates of waiting players. No clock, no I/O.

The first EXACT_POSITIONS positions are exact. Later ones are interpolated between marks of the store and rounded up:
sending each step to thousands of players would cost more than the matching.
"""

from bisect import bisect_right
from typing import Final, NamedTuple

from pixelfleet.fleet.bounds import EXACT_POSITIONS
from pixelfleet.fleet.model import LaneView

ROUNDING: Final = ((200, 10), (1000, 50), (5000, 100))
COARSEST: Final = 500

ETA_STEPS: Final = ((60, 5), (300, 15), (1800, 60))
COARSEST_ETA: Final = 300
LONGEST_ETA: Final = 4 * 3600
"""Seconds; longer estimates are cut to this."""


class QueuePosition(NamedTuple):
    """A position in a lane; 1 is next."""

    position: int
    eta: int | None
    """Estimated wait in seconds, or None when the rate at which sessions end is unknown."""


UNSERVED: Final = QueuePosition(0, None)
"""In place of a position: no streamer of the fleet satisfies the lane's tickets."""


def steady(shown: QueuePosition | None, latest: QueuePosition) -> QueuePosition:
    """Return the position to show next: the shown one if the place is the same and the estimates differ by one step.

    Each ended session of the app changes the rate a little, and an estimate near a step would flicker.
    """
    if shown is None or shown.position != latest.position or shown.eta is None or latest.eta is None:
        return latest
    step = _step(max(shown.eta, latest.eta), ETA_STEPS, COARSEST_ETA)
    return shown if abs(latest.eta - shown.eta) <= step else latest


class LanePositions:
    """The positions in one lane, from one view of it."""

    def __init__(self, view: LaneView) -> None:
        self.view = view
        self._exact = {session: position for position, session in enumerate(view.head, 1)}
        self._ranks = [rank for rank, _ in view.marks]
        self._positions = [position for _, position in view.marks]

    def position(self, session_id: str, rank: float) -> QueuePosition:
        """Return the position of a waiting session, or UNSERVED; `rank` is the rank of its ticket in the lane."""
        if not self.view.served:
            return UNSERVED
        position = self._exact.get(session_id) or self._interpolate(rank)
        return QueuePosition(position, self._eta(position))

    def _interpolate(self, rank: float) -> int:
        """Return a rounded position between two marks, assuming evenly distributed ranks."""
        after = bisect_right(self._ranks, rank)
        if after == 0:
            return EXACT_POSITIONS + 1
        position = self._positions[after - 1]
        if after < len(self._ranks):
            span = self._ranks[after] - self._ranks[after - 1]
            share = (rank - self._ranks[after - 1]) / span if span > 0 else 0.0
            position += round(share * (self._positions[after] - position))
        return max(EXACT_POSITIONS + 1, _rounded(position, ROUNDING, COARSEST))

    def _eta(self, position: int) -> int | None:
        if self.view.ends_per_second <= 0:
            return None
        seconds = position / self.view.ends_per_second
        return min(LONGEST_ETA, max(1, _rounded(round(seconds), ETA_STEPS, COARSEST_ETA)))


def _rounded(value: int, steps: tuple[tuple[int, int], ...], coarsest: int) -> int:
    """Round up to a multiple of a step that grows with the value."""
    step = _step(value, steps, coarsest)
    return -(-value // step) * step


def _step(value: int, steps: tuple[tuple[int, int], ...], coarsest: int) -> int:
    return next((step for limit, step in steps if value < limit), coarsest)
