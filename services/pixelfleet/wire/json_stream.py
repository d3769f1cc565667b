"""JSON objects that come one after the other with nothing between them, cut anywhere: the old matchmaker link.

No I/O: bytes go in as they arrive, whole objects come out. What cannot be part of an object is skipped, so that one
broken write costs what it broke and not the link.
"""

import re
from typing import Any, Final

import orjson

MAX_OBJECT_BYTES: Final = 16 * 1024
"""An object of the link has about 150 bytes. What grows past this is no object, and is thrown away."""

_MARKS: Final = re.compile(rb'[{}"\\]')


class JsonStream:
    """Cuts a stream of bytes into JSON objects."""

    def __init__(self, max_object_bytes: int = MAX_OBJECT_BYTES) -> None:
        self._max = max_object_bytes
        self._buffer = bytearray()
        self._scanned = 0
        self._depth = 0
        self._in_string = False
        self.skipped = 0
        """Bytes that were part of no object."""

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Take what arrived; return the objects that it completed, in order."""
        self._buffer += data
        objects: list[dict[str, Any]] = []
        while (end := self._end_of_object()) is not None:
            text, self._buffer = bytes(self._buffer[:end]), self._buffer[end:]
            self._begin()
            try:
                value = orjson.loads(text)
            except orjson.JSONDecodeError:
                self.skipped += len(text)
                continue
            if isinstance(value, dict):
                objects.append(value)
        if len(self._buffer) > self._max:
            self._resynchronize()
        return objects

    def _begin(self) -> None:
        self._scanned = self._depth = 0
        self._in_string = False

    def _end_of_object(self) -> int | None:
        """Return where the first object ends, or None while it is not all here. Each byte is looked at once."""
        if self._depth == 0:
            self._drop_to_brace()
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

    def _drop_to_brace(self) -> None:
        """Skip what stands before the next object."""
        start = self._buffer.find(b"{")
        gone = len(self._buffer) if start < 0 else start
        self.skipped += len(self._buffer[:gone].strip())
        del self._buffer[:gone]
        self._scanned = 0

    def _resynchronize(self) -> None:
        """Give up on an object that is too large: go on where the next one may begin."""
        size = len(self._buffer)
        start = 0
        while size - start > self._max:
            following = self._buffer.find(b'{"', start + 1)
            start = size if following < 0 else following
        self.skipped += start
        del self._buffer[:start]
        self._begin()
