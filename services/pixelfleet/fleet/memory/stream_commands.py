"""The commands of Redis on streams that the fleet store uses; see commands.py."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Final

from pixelfleet.fleet.memory.keyspace import Keyspace, RefusedError, UnsupportedCommandError

EntryId = tuple[int, int]
"""Milliseconds, and a number within the millisecond."""

FIRST_ID: Final[EntryId] = (0, 0)
LAST_ID: Final[EntryId] = (2**64 - 1, 2**64 - 1)


class Stream(list[tuple[EntryId, list[bytes]]]):
    """The entries of a stream, oldest first. A stream stays when its entries are removed."""

    __slots__ = ("last_id",)

    def __init__(self) -> None:
        super().__init__()
        self.last_id: EntryId = (0, 0)


def _add(
    keys: Keyspace, key: bytes, maxlen: bytes, exact: bytes, length: bytes, entry_id: bytes, *fields: bytes
) -> bytes:
    """Only as `XADD key MAXLEN = length * field value...`."""
    if (maxlen, exact, entry_id) != (b"MAXLEN", b"=", b"*"):
        raise UnsupportedCommandError("XADD without MAXLEN, =, or *")
    if not fields or len(fields) % 2:
        raise RefusedError("ERR wrong number of arguments for 'xadd' command")
    stream = keys.change(key, Stream)
    millis, (last_millis, last_number) = keys.clock() // 1000, stream.last_id
    stream.last_id = (millis, 0) if millis > last_millis else (last_millis, last_number + 1)
    stream.append((stream.last_id, list(fields)))
    if (surplus := len(stream) - int(length)) > 0:
        del stream[:surplus]
    return _text(stream.last_id)


def _range(keys: Keyspace, key: bytes, start: bytes, end: bytes, *count: bytes) -> list[Any]:
    """Only as `XRANGE key start end [COUNT count]`."""
    return _replies(_between(keys.read(key, Stream), start, end), count)


def _reverse_range(keys: Keyspace, key: bytes, end: bytes, start: bytes, *count: bytes) -> list[Any]:
    """Only as `XREVRANGE key end start [COUNT count]`."""
    return _replies(_between(keys.read(key, Stream), start, end)[::-1], count)


def _between(stream: Stream, start: bytes, end: bytes) -> list[tuple[EntryId, list[bytes]]]:
    first, last = _id(start.removeprefix(b"("), FIRST_ID, 0), _id(end, LAST_ID, LAST_ID[1])
    begin = (bisect_right if start.startswith(b"(") else bisect_left)(stream, first, key=itemgetter(0))
    return stream[begin : bisect_right(stream, last, key=itemgetter(0))]


def _replies(entries: Sequence[tuple[EntryId, list[bytes]]], count: Sequence[bytes]) -> list[Any]:
    if count and (len(count) != 2 or count[0] != b"COUNT" or int(count[1]) < 1):
        raise UnsupportedCommandError(f"a range of a stream with {count}")
    return [[_text(entry_id), list(fields)] for entry_id, fields in entries[: int(count[1]) if count else None]]


def _id(text: bytes, unbounded: EntryId, missing: int) -> EntryId:
    """Return an id; `missing` is the number of one that has only milliseconds."""
    if text in (b"-", b"+"):
        return unbounded
    millis, dash, number = text.partition(b"-")
    return int(millis), int(number) if dash else missing


def _text(entry_id: EntryId) -> bytes:
    return b"%d-%d" % entry_id


STREAM_COMMANDS: Final[dict[str, Callable[..., Any]]] = {
    "XADD": _add,
    "XRANGE": _range,
    "XREVRANGE": _reverse_range,
}
