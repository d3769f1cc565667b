"""Streams as in Redis: entries with an id that grows, each with fields and values."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Any, Final

from pixelfleet.fleet.memory.keyspace import Keyspace, RefusedError, UnsupportedCommandError

Id = tuple[int, int]
"""Milliseconds of unix time, and a number among the entries of the same millisecond."""

LARGEST: Final = 2**63 - 1
ENDS: Final[dict[bytes, Id]] = {b"-": (0, 0), b"+": (LARGEST, LARGEST)}
"""The ends of a stream in a range."""

TOO_SMALL: Final = "ERR The ID specified in XADD is equal or smaller than the target stream top item"


class Stream:
    """The entries of one stream in the order of their ids."""

    __slots__ = ("entries", "ids", "last")

    def __init__(self) -> None:
        self.ids: list[Id] = []
        self.entries: list[list[bytes]] = []
        self.last: Id = (0, 0)
        """The largest id so far, also of a removed entry."""

    def check(self, wanted: Id) -> None:
        """Raise RefusedError unless a new entry may have this id."""
        if wanted <= self.last:
            raise RefusedError(TOO_SMALL)

    def add(self, wanted: Id | None, now: int, fields: list[bytes]) -> Id:
        """Add an entry with an id that was checked, or with the next one at the time `now`, in milliseconds."""
        made = wanted if wanted is not None else max((now, 0), (self.last[0], self.last[1] + 1))
        self.last = made
        self.ids.append(made)
        self.entries.append(fields)
        return made

    def remove_first(self, number: int) -> int:
        """Remove the oldest entries; return their number."""
        number = max(0, min(number, len(self.ids)))
        del self.ids[:number]
        del self.entries[:number]
        return number


def _xadd(keys: Keyspace, key: bytes, *words: bytes) -> bytes:
    """Only as `XADD key [MAXLEN =|~ number] id|* field value...`; both kinds of trimming are exact."""
    limit = None
    if words[0] == b"MAXLEN":
        if words[1] not in (b"=", b"~"):
            raise UnsupportedCommandError("XADD with MAXLEN without = or ~")
        limit, words = int(words[2]), words[3:]
    wanted = None if words[0] == b"*" else _id(words[0], 0)
    if wanted == (0, 0):
        raise RefusedError("ERR The ID specified in XADD must be greater than 0-0")
    if wanted is not None:
        keys.read(key, Stream).check(wanted)  # a refused entry creates no stream
    stream = keys.change(key, Stream)
    made = stream.add(wanted, keys.clock() // 1000, list(words[1:]))
    if limit is not None:
        stream.remove_first(len(stream.ids) - limit)
    return _text(made)


def _xlen(keys: Keyspace, key: bytes) -> int:
    return len(keys.read(key, Stream).ids)


def _xtrim(keys: Keyspace, key: bytes, strategy: bytes, threshold: bytes) -> int:
    """Only as `XTRIM key MINID id`."""
    if strategy != b"MINID":
        raise UnsupportedCommandError("XTRIM other than by MINID")
    stream = keys.read(key, Stream)
    return stream.remove_first(bisect_left(stream.ids, _id(threshold, 0)))


def _xrange(keys: Keyspace, key: bytes, start: bytes, end: bytes, *options: bytes) -> list[Any]:
    stream = keys.read(key, Stream)
    first, stop = _between(stream, start, end)
    return _rows(stream, range(first, stop)[: _count(options)])


def _xrevrange(keys: Keyspace, key: bytes, end: bytes, start: bytes, *options: bytes) -> list[Any]:
    stream = keys.read(key, Stream)
    first, stop = _between(stream, start, end)
    return _rows(stream, range(stop - 1, first - 1, -1)[: _count(options)])


def _between(stream: Stream, start: bytes, end: bytes) -> tuple[int, int]:
    """Return the indices of the first entry in a range of ids, and of the first one behind it."""
    lowest, highest = _id(start.removeprefix(b"("), 0), _id(end.removeprefix(b"("), LARGEST)
    first = (bisect_right if start.startswith(b"(") else bisect_left)(stream.ids, lowest)
    stop = (bisect_left if end.startswith(b"(") else bisect_right)(stream.ids, highest)
    return first, max(first, stop)


def _rows(stream: Stream, indices: Sequence[int]) -> list[Any]:
    return [[_text(stream.ids[index]), list(stream.entries[index])] for index in indices]


def _count(options: Sequence[bytes]) -> int | None:
    if not options:
        return None
    if options[0] != b"COUNT" or len(options) != 2:
        raise UnsupportedCommandError(f"a range with {options}")
    return int(options[1])


def _id(text: bytes, number: int) -> Id:
    """Return an id; `number` is its second part if the text has none."""
    if text in ENDS:
        return ENDS[text]
    millis, dash, rest = text.partition(b"-")
    return int(millis), int(rest) if dash else number


def _text(made: Id) -> bytes:
    return b"%d-%d" % made


STREAM_COMMANDS: Final[dict[str, Callable[..., Any]]] = {
    "XADD": _xadd,
    "XLEN": _xlen,
    "XRANGE": _xrange,
    "XREVRANGE": _xrevrange,
    "XTRIM": _xtrim,
}
