"""The keys of the store in memory: typed values, and times to live."""

import heapq
from collections.abc import Callable
from typing import Any, Final, TypeVar

from pixelfleet.fleet.bounds import MAX_REDEEMED

MICROSECONDS: Final = 1_000_000

T = TypeVar("T")


class RefusedError(Exception):
    """A Redis server would refuse the command; the text begins as the server's error does."""


class UnsupportedCommandError(NotImplementedError):
    """The commands in memory do not have this feature of Redis."""


class Members(dict[bytes, None]):
    """A set that keeps the order of insertion, so that the same calls give the same replies."""

    __slots__ = ()


class Keyspace:
    """Keys with values. `clock` returns microseconds, by which keys with a time to live expire."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self.clock = clock
        self._values: dict[bytes, Any] = {}
        self._expiry: dict[bytes, int] = {}
        self._expiring: list[tuple[int, bytes]] = []
        """A heap; an entry with another time than the key's in `_expiry` is void."""

    def __contains__(self, key: bytes) -> bool:
        return key in self._values

    def names(self) -> list[bytes]:
        """Return all keys."""
        return list(self._values)

    def read(self, key: bytes, kind: type[T]) -> T:
        """Return the value of a key, or an empty value that is not stored. Raises RefusedError."""
        value = self._values.get(key)
        if value is None:
            return kind()
        if type(value) is not kind:
            raise RefusedError("WRONGTYPE Operation against a key holding the wrong kind of value")
        return value

    def change(self, key: bytes, kind: type[T]) -> T:
        """Return the value of a key, which is created if missing. Raises RefusedError."""
        value = self._values.get(key)
        if value is None:
            value = self._values[key] = kind()
        elif type(value) is not kind:
            raise RefusedError("WRONGTYPE Operation against a key holding the wrong kind of value")
        return value

    def set(self, key: bytes, value: bytes, expires: int) -> None:
        """Set a string that expires at a time of the clock, in microseconds. Raises RefusedError."""
        self.expire_at(key, expires)
        self._values[key] = value

    def drop_if_empty(self, key: bytes) -> None:
        """Drop a key whose value may have become empty."""
        if not self._values.get(key, True):
            self.drop(key)

    def drop(self, key: bytes) -> bool:
        """Drop a key; return whether it existed."""
        self._expiry.pop(key, None)
        return self._values.pop(key, None) is not None

    def expire_at(self, key: bytes, at: int) -> None:
        """Set the time at which a key expires, in microseconds. Raises RefusedError when too many keys have one."""
        if key not in self._expiry and len(self._expiry) >= MAX_REDEEMED:
            raise RefusedError("OOM too many keys with a time to live")
        self._expiry[key] = at
        heapq.heappush(self._expiring, (at, key))

    def expire(self) -> None:
        """Drop the keys whose time is over."""
        if not self._expiring:
            return
        now = self.clock()
        while self._expiring and self._expiring[0][0] <= now:
            at, key = heapq.heappop(self._expiring)
            if self._expiry.get(key) == at:
                self.drop(key)


def slice_of(start: bytes, stop: bytes, length: int) -> slice:
    """Return the Python slice of an inclusive range of Redis, whose indices may count from the end."""
    first, last = int(start), int(stop)
    first = max(0, first + length) if first < 0 else first
    last = last + length if last < 0 else last
    return slice(first, max(first, min(last, length - 1) + 1))
