"""JSON objects that come one after the other with nothing between them, cut anywhere: the old matchmaker link.

No I/O: bytes go in as they arrive, whole objects come out. What cannot be part of an object is skipped, so that one
broken write costs what it broke and not the link. Whatever the bytes are, the work is linear in their number.
"""

import re
from typing import Any, Final

import orjson

MAX_OBJECT_BYTES: Final = 16 * 1024
"""An object of the link has about 150 bytes. What grows past this is no object, and is thrown away."""

_MARKS: Final = re.compile(rb'[{}"\\]')


class JsonStream:
    """Cuts a stream of bytes into JSON objects.

    It keeps `max_object_bytes` at most from one feed to the next, and 1.5 times that within one.
    """

    def __init__(self, max_object_bytes: int = MAX_OBJECT_BYTES) -> None:
        self._max = max_object_bytes
        self._half = max(1, max_object_bytes // 2)
        self._buffer = bytearray()
        self._start = 0
        """Where the object begins that is not all here, or where to look for the next one."""
        self._scanned = 0
        self._depth = 0
        self._in_string = False
        self.skipped = 0
        """Bytes that were part of no object."""

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Take what arrived; return the objects that it completed, in order.

        They are one for every two bytes at most: who reads from strangers bounds what it feeds at once.
        """
        objects: list[dict[str, Any]] = []
        if not self._buffer and len(data) <= self._max and isinstance(value := _parsed(data), dict):
            return [value]  # one object and nothing else, as nearly always
        for at in range(0, len(data), self._half):
            self._buffer += data[at : at + self._half]
            self._cut(objects)
            if len(self._buffer) > self._max:
                self._resynchronize()
                self._cut(objects)
        return objects

    def _cut(self, objects: list[dict[str, Any]]) -> None:
        """Take all whole objects out of the buffer."""
        while (end := self._end_of_object()) is not None:
            text = self._buffer[self._start : end]
            self._begin(end)
            value = _parsed(text) if len(text) <= self._max else None
            if isinstance(value, dict):
                objects.append(value)
            else:
                self.skipped += len(text)
        # Once for all of them, since what is behind them moves.
        if self._start:
            del self._buffer[: self._start]
            self._scanned -= self._start
            self._start = 0

    def _begin(self, start: int) -> None:
        self._start = self._scanned = start
        self._depth = 0
        self._in_string = False

    def _end_of_object(self) -> int | None:
        """Return where the first object ends, or None while it is not all here. Each byte is looked at once."""
        if self._depth == 0:
            self._skip_to_brace()
        position = self._scanned
        buffer = self._buffer
        while (mark := _MARKS.search(buffer, position)) is not None:
            position = mark.end()
            sign = buffer[mark.start()]
            if sign == 0x5C:  # a backslash: the byte behind it is no mark
                if self._in_string:
                    if position == len(buffer):
                        position = mark.start()
                        break
                    position += 1
            elif sign == 0x22:
                self._in_string = not self._in_string
            elif not self._in_string:
                self._depth += 1 if sign == 0x7B else -1
                if self._depth == 0:
                    self._scanned = position
                    return position
        else:
            position = len(buffer)
        self._scanned = position
        return None

    def _skip_to_brace(self) -> None:
        """Skip what stands before the next object."""
        found = self._buffer.find(b"{", self._start)
        start = len(self._buffer) if found < 0 else found
        self.skipped += len(self._buffer[self._start : start].strip())
        self._begin(start)

    def _resynchronize(self) -> None:
        """Give up on an object that is too large: go on where the next one may begin.

        What is kept is looked at again, so it is half of the bound at most: that much must arrive before it can be
        given up as well, and the work stays linear.
        """
        following = self._buffer.find(b'{"', max(1, len(self._buffer) - self._half))
        start = len(self._buffer) if following < 0 else following
        self.skipped += start
        del self._buffer[:start]
        self._begin(0)


def _parsed(text: bytes | bytearray) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
