"""Parser of concatenated JSON objects without separators, in arbitrary segments: the protocol of legacy servers.

No I/O: bytes in, whole objects out. Bytes outside objects are skipped, so that a malformed object does not end the
connection. The work is linear in the number of bytes for any input.
"""

import re
from typing import Any, Final

import orjson

MAX_OBJECT_BYTES: Final = 16 * 1024
"""The maximum size of an object; a larger one is discarded. A typical object has 150 bytes."""

_MARKS: Final = re.compile(rb'[{}"\\]')


class JsonStream:
    """Splits a stream of bytes into JSON objects.

    It buffers at most `max_object_bytes` between two feeds, and 1.5 times that within one.
    """

    def __init__(self, max_object_bytes: int = MAX_OBJECT_BYTES) -> None:
        self._max = max_object_bytes
        self._half = max(1, max_object_bytes // 2)
        self._buffer = bytearray()
        self._start = 0
        """The start of the incomplete object, or of the search for the next one."""
        self._scanned = 0
        self._depth = 0
        self._in_string = False
        self.skipped = 0
        """The number of bytes outside objects."""

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Add received bytes; return the objects that they complete, in order.

        There is at most one object for every two bytes: the caller bounds the size of `data`.
        """
        objects: list[dict[str, Any]] = []
        if not self._buffer and len(data) <= self._max and isinstance(value := _parsed(data), dict):
            return [value]  # the common case: exactly one object
        for at in range(0, len(data), self._half):
            self._buffer += data[at : at + self._half]
            self._extract(objects)
            if len(self._buffer) > self._max:
                self._resynchronize()
                self._extract(objects)
        return objects

    def _extract(self, objects: list[dict[str, Any]]) -> None:
        """Remove all complete objects from the buffer."""
        while (end := self._end_of_object()) is not None:
            text = self._buffer[self._start : end]
            self._begin(end)
            value = _parsed(text) if len(text) <= self._max else None
            if isinstance(value, dict):
                objects.append(value)
            else:
                self.skipped += len(text)
        # Deleted once for all objects, because the rest of the buffer moves.
        if self._start:
            del self._buffer[: self._start]
            self._scanned -= self._start
            self._start = 0

    def _begin(self, start: int) -> None:
        self._start = self._scanned = start
        self._depth = 0
        self._in_string = False

    def _end_of_object(self) -> int | None:
        """Return the end of the first object, or None while it is incomplete. Each byte is scanned once."""
        if self._depth == 0:
            self._skip_to_brace()
        position = self._scanned
        buffer = self._buffer
        while (mark := _MARKS.search(buffer, position)) is not None:
            position = mark.end()
            sign = buffer[mark.start()]
            if sign == 0x5C:  # a backslash escapes the next byte
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
        """Skip the bytes before the next object."""
        found = self._buffer.find(b"{", self._start)
        start = len(self._buffer) if found < 0 else found
        self.skipped += len(self._buffer[self._start : start].strip())
        self._begin(start)

    def _resynchronize(self) -> None:
        """Discard an object over the limit, and continue at the possible start of the next one.

        The bytes that stay are scanned again. They are at most half of the limit, so that as many new bytes must arrive
        before the next discard, and the work stays linear.
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
