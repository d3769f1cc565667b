"""A sorted set as Redis has it: members with a score, in the order of their scores and then of their bytes."""

from collections.abc import Iterator
from itertools import islice

from sortedcontainers import SortedList

Pair = tuple[int, bytes]
"""A score and a member."""


class SortedSet:
    """Members in the order of their scores. Scores are whole numbers: all that the scripts use are."""

    __slots__ = ("_order", "_scores")

    def __init__(self) -> None:
        self._scores: dict[bytes, int] = {}
        self._order: SortedList[Pair] = SortedList()

    def __len__(self) -> int:
        return len(self._scores)

    def put(self, member: bytes, score: int) -> bool:
        """Give a member a score; return whether it is new."""
        before = self._scores.get(member)
        if before != score:
            if before is not None:
                self._order.remove((before, member))
            self._scores[member] = score
            self._order.add((score, member))
        return before is None

    def discard(self, member: bytes) -> bool:
        """Take a member out; return whether it was there."""
        score = self._scores.pop(member, None)
        if score is None:
            return False
        self._order.remove((score, member))
        return True

    def score(self, member: bytes) -> int | None:
        """Return a member's score; None when it is not there."""
        return self._scores.get(member)

    def between(self, start: int, stop: int) -> Iterator[Pair]:
        """Yield the pairs from one place up to, but not with, another; neither is negative."""
        return self._order.islice(start, stop)

    def up_to(self, score: int, limit: int) -> Iterator[Pair]:
        """Yield the first pairs whose score is at most this, no more of them than the limit."""
        return (pair for pair in islice(self._order, limit) if pair[0] <= score)

    def pop_lowest(self) -> Pair:
        """Take the first pair out and return it; raise IndexError when there is none."""
        score, member = self._order.pop(0)
        del self._scores[member]
        return score, member
