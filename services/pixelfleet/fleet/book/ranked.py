"""An ordered set, as Redis has them."""

from collections.abc import Iterator
from itertools import islice

from sortedcontainers import SortedList


class Ranked:
    """Names in the order of the whole number that each has; those with the same number by name.

    What it does costs about the same with ten names as with ten thousand.
    """

    __slots__ = ("_order", "_ranks")

    def __init__(self) -> None:
        self._ranks: dict[str, int] = {}
        self._order: SortedList[tuple[int, str]] = SortedList()

    def __len__(self) -> int:
        return len(self._ranks)

    def __contains__(self, name: str) -> bool:
        return name in self._ranks

    def __iter__(self) -> Iterator[str]:
        return (name for _, name in self._order)

    def put(self, name: str, rank: int) -> None:
        """Add a name, or give it another number."""
        before = self._ranks.get(name)
        if before == rank:
            return
        if before is not None:
            self._order.remove((before, name))
        self._ranks[name] = rank
        self._order.add((rank, name))

    def drop(self, name: str) -> None:
        """Take a name out, if it is there."""
        before = self._ranks.pop(name, None)
        if before is not None:
            self._order.remove((before, name))

    def rank(self, name: str) -> int | None:
        """Return a name's number."""
        return self._ranks.get(name)

    def first(self, count: int) -> list[str]:
        """Return the first names, at most `count`."""
        return [name for _, name in islice(self._order, count)]

    def lowest(self) -> int | None:
        """Return the first name's number."""
        return self._order[0][0] if self._ranks else None

    def pairs(self, start: int = 0) -> Iterator[tuple[int, str]]:
        """Return numbers and names from a place on, as long as nothing changes."""
        return self._order.islice(start)

    def at(self, place: int) -> tuple[int, str]:
        """Return the number and the name at a place, counted from 0; raise IndexError when there are fewer."""
        rank, name = self._order[place]
        return rank, name
