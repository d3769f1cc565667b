"""A sorted set as in Redis: members with a score, ordered by score and then by their bytes."""

from collections.abc import Iterator
from itertools import islice

from sortedcontainers import SortedList

Pair = tuple[int, bytes]
"""A score and a member."""


class SortedSet:
    """Members ordered by score. Scores are whole numbers, as in all scripts."""

    __slots__ = ("_order", "_scores")

    def __init__(self) -> None:
        self._scores: dict[bytes, int] = {}
        self._order: SortedList[Pair] = SortedList()

    def __len__(self) -> int:
        return len(self._scores)

    def put(self, member: bytes, score: int) -> bool:
        """Set a member's score; return whether the member is new."""
        before = self._scores.get(member)
        if before != score:
            if before is not None:
                self._order.remove((before, member))
            self._scores[member] = score
            self._order.add((score, member))
        return before is None

    def discard(self, member: bytes) -> bool:
        """Remove a member; return whether it existed."""
        score = self._scores.pop(member, None)
        if score is None:
            return False
        self._order.remove((score, member))
        return True

    def score(self, member: bytes) -> int | None:
        """Return a member's score; None for an unknown member."""
        return self._scores.get(member)

    def between(self, start: int, stop: int) -> Iterator[Pair]:
        """Return the pairs from one index up to, but without, another; neither is negative."""
        return self._order.islice(start, stop)

    def up_to(self, score: int, limit: int) -> Iterator[Pair]:
        """Return the first pairs whose score is at most this, up to the limit."""
        return (pair for pair in islice(self._order, limit) if pair[0] <= score)

    def pop_lowest(self) -> Pair:
        """Remove and return the first pair; raise IndexError when there is none."""
        score, member = self._order.pop(0)
        del self._scores[member]
        return score, member
