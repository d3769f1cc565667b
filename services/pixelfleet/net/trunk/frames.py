"""The frames of a trunk. No I/O.

A binary message of the trunk has one or more frames: the number of the channel, the kind of the frame, the length of
its content, the content. Kinds below 16 are the opcodes of RFC 6455. The side that dials gives the numbers, each once.
"""

import struct
from collections.abc import Iterator
from typing import Final

FRAME: Final = struct.Struct("<IBI")

OPEN, ACCEPTED, REFUSED, END = 16, 17, 18, 19
"""Kinds of frames: the request for a channel, its two answers, and the end of a channel without a close frame."""

MAX_CONTENT_BYTES: Final = 8 * 1024 * 1024
"""The longest message of a channel; `Bounds.message_bytes` of its websocket is usually lower."""

BATCH_BYTES: Final = 64 * 1024
"""Frames are joined to messages of about this size at most."""

MAX_MESSAGE_BYTES: Final = MAX_CONTENT_BYTES + BATCH_BYTES + FRAME.size
"""The longest message of a trunk."""

MAX_NUMBER: Final = 2**32 - 1


class TrunkError(ValueError):
    """The other side broke the rules of a trunk, which is then closed."""


class Unsent:
    """The frames that one end of a trunk has to send."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        """Of each frame, what precedes its content, and its content."""

    def __bool__(self) -> bool:
        return bool(self._parts)

    def add(self, number: int, kind: int, content: bytes) -> None:
        """Add a frame."""
        self._parts += (FRAME.pack(number, kind, len(content)), content)

    def take(self) -> list[bytes]:
        """Return the messages with all frames, in their order."""
        parts, self._parts = self._parts, []
        messages, start, size = [], 0, 0
        for end in range(2, len(parts) + 1, 2):
            size += FRAME.size + len(parts[end - 1])
            if size >= BATCH_BYTES or end == len(parts):
                messages.append(b"".join(parts[start:end]))
                start, size = end, 0
        return messages


def frames(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield channel, kind and content of each frame of a message; raise TrunkError for a message that is cut off."""
    position, size = 0, len(data)
    while position < size:
        begin = position + FRAME.size
        if begin > size:
            raise TrunkError("a frame is cut off")
        number, kind, length = FRAME.unpack_from(data, position)
        position = begin + length
        if position > size:
            raise TrunkError("a frame is cut off")
        yield number, kind, data[begin:position]
