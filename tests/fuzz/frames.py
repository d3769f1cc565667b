"""Generates malformed websocket frames, and some valid ones."""

import struct
from collections.abc import Callable
from enum import Enum
from random import Random
from typing import Final, NamedTuple

from tests.fuzz.messages import Messages

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
NO_MASK: Final = b"\0\0\0\0"


class Then(Enum):
    """The expected behaviour after some bytes."""

    GO_ON = "go on"
    MUST_CLOSE = "must close"
    """The server has to end the connection."""
    HANG_UP = "hang up"
    """The server may wait for more, so the peer disconnects without a close frame."""


class Burst(NamedTuple):
    """Bytes that are written in one piece."""

    data: bytes
    frames: int
    then: Then
    kind: str


def masked(data: bytes, mask: bytes) -> bytes:
    """Return the payload masked as a client must; a mask of four zeros is valid and changes nothing."""
    if mask == NO_MASK:
        return data
    key = (mask * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(key, "big")).to_bytes(len(data), "big")


def frame(opcode: int, data: bytes = b"", *, fin: bool = True, rsv: int = 0, mask: bytes | None = NO_MASK) -> bytes:
    """Return one frame; `rsv` sets the three reserved bits, `mask` None violates the masking rule."""
    first = fin << 7 | rsv << 4 | opcode
    flag = 0 if mask is None else 0x80
    size = len(data)
    if size < 126:
        head = bytes((first, flag | size))
    elif size < 65_536:
        head = struct.pack("!BBH", first, flag | 126, size)
    else:
        head = struct.pack("!BBQ", first, flag | 127, size)
    return head + data if mask is None else head + mask + masked(data, mask)


class Frames:
    """Generates bursts; the same random source gives the same bursts."""

    def __init__(self, random: Random, messages: Messages, message_bytes: int) -> None:
        self._random = random
        self._messages = messages
        self._bound = message_bytes
        self.codes: set[int] = set()
        """The codes of close frames so far, which the server echoes."""
        weighted: dict[Callable[[], Burst], float] = {
            self.text: 5_400,
            self.binary: 250,
            self.fragments: 500,
            self.ping: 200,
            self.pong: 100,
            self.reserved_bits: 2,
            self.unfinished: 3,
            self.orphan: 2,
            self.bad_opcode: 2,
            self.unmasked: 2,
            self.bad_control: 3,
            self.bad_length: 2,
            self.oversized: 1,
            self.oversized_fragments: 0.3,
            self.close: 3,
            self.bad_close: 4,
            self.garbage: 3,
            self.cut_off: 3,
        }
        self._makers = list(weighted)
        self._weights = [sum(list(weighted.values())[: n + 1]) for n in range(len(weighted))]

    def burst(self) -> Burst:
        """Return frames of any kind."""
        return self._random.choices(self._makers, cum_weights=self._weights)[0]()

    def calm(self) -> Burst:
        """Return a burst of a well-behaved peer, though possibly at the wrong time."""
        if self._random.random() < 0.05:
            return self.ping()
        data = self._messages.usual() if self._random.random() < 0.9 else self._messages.any_type()
        return Burst(self.whole(data), 1, Then.GO_ON, "text")

    def whole(self, data: bytes) -> bytes:
        """Return a message in one text frame."""
        return frame(TEXT, data, mask=self._mask())

    def text(self) -> Burst:
        return Burst(self.whole(self._messages.any()), 1, Then.GO_ON, "text")

    def binary(self) -> Burst:
        return Burst(frame(BINARY, self._messages.any(), mask=self._mask()), 1, Then.GO_ON, "binary")

    def fragments(self) -> Burst:
        """Return a message in fragments, split anywhere, with control frames and empty fragments between them."""
        data = self._messages.any()
        cuts = sorted(self._random.randrange(len(data) + 1) for _ in range(self._random.randrange(1, 6)))
        pieces = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        frames = []
        for number, piece in enumerate(pieces):
            opcode = CONTINUATION if number else self._random.choice((TEXT, BINARY))
            frames.append(frame(opcode, piece, fin=number == len(pieces) - 1, mask=self._mask()))
            if self._random.random() < 0.3:
                frames.append(frame(self._random.choice((PING, PONG)), self._small(), mask=self._mask()))
        return Burst(b"".join(frames), len(frames), Then.GO_ON, "fragments")

    def ping(self) -> Burst:
        return Burst(frame(PING, self._small(), mask=self._mask()), 1, Then.GO_ON, "ping")

    def pong(self) -> Burst:
        return Burst(frame(PONG, self._small(), mask=self._mask()), 1, Then.GO_ON, "pong")

    def reserved_bits(self) -> Burst:
        rsv = self._random.randrange(1, 8)
        opcode = self._random.choice((TEXT, BINARY, PING))
        return Burst(frame(opcode, self._small(), rsv=rsv), 1, Then.MUST_CLOSE, "reserved bits")

    def unfinished(self) -> Burst:
        """Return the beginning of a message, sometimes followed by a complete one."""
        begun = frame(TEXT, self._messages.usual(), fin=False)
        if self._random.random() < 0.5:
            return Burst(begun, 1, Then.HANG_UP, "unfinished")
        return Burst(begun + self.whole(self._messages.usual()), 2, Then.MUST_CLOSE, "message in a message")

    def orphan(self) -> Burst:
        data = frame(CONTINUATION, self._small(), fin=self._random.random() < 0.5)
        return Burst(data, 1, Then.MUST_CLOSE, "orphaned fragment")

    def bad_opcode(self) -> Burst:
        opcode = self._random.choice((3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF))
        return Burst(frame(opcode, self._small()), 1, Then.MUST_CLOSE, "bad opcode")

    def unmasked(self) -> Burst:
        opcode = self._random.choice((TEXT, BINARY, PING, CLOSE))
        return Burst(frame(opcode, self._small(), mask=None), 1, Then.MUST_CLOSE, "unmasked")

    def bad_control(self) -> Burst:
        """Return a control frame that is too long or fragmented."""
        opcode = self._random.choice((PING, PONG, CLOSE))
        long = self._random.random() < 0.5
        data = frame(opcode, b"x" * (126 if long else 3), fin=long)
        return Burst(data, 1, Then.MUST_CLOSE, "bad control")

    def bad_length(self) -> Burst:
        """Return a length in more bytes than needed, or with the reserved bit set."""
        head = self._random.choice((b"\x81\xfe\x00\x05", b"\x81\xff" + b"\0" * 7 + b"\x05", b"\x81\xff" + b"\xff" * 8))
        return Burst(head + NO_MASK + b"xxxxx", 1, Then.MUST_CLOSE, "bad length")

    def oversized(self) -> Burst:
        """Return a frame above the limit: complete, or its head and some payload."""
        size = self._bound + self._random.choice((1, 5, 10_000, 300_000))
        data = frame(TEXT, b'{"type":"offer","sdp":"' + b"x" * (size - 25) + b'"}')
        if self._random.random() < 0.5:
            data = data[: self._random.randrange(14, 2_000)]
        return Burst(data, 1, Then.MUST_CLOSE, "oversized")

    def oversized_fragments(self) -> Burst:
        """Return a message above the limit, in fragments below it."""
        piece = frame(CONTINUATION, b"x" * 100_000, fin=False)
        data = frame(TEXT, b'{"type":"offer","sdp":"', fin=False) + piece * 3 + frame(CONTINUATION, b'"}')
        return Burst(data, 5, Then.MUST_CLOSE, "oversized fragments")

    def close(self) -> Burst:
        code = self._random.choice((1000, 1001, 1003, 1008, 1011, 3000, 4000, 4201, 4999))
        reason = self._random.choice((b"", b"bye", b"x" * 123, "ä" * 61, b"\x1b[31m\n", b"\0"))
        data = struct.pack("!H", code) + (reason.encode() if isinstance(reason, str) else reason)
        if self._random.random() < 0.2:
            data = b""
        else:
            self.codes.add(code)
        return Burst(frame(CLOSE, data, mask=self._mask()), 1, Then.MUST_CLOSE, "close")

    def bad_close(self) -> Burst:
        """Return a close frame with an invalid code, half a code, or a reason that is not UTF-8."""
        code = self._random.choice((0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535))
        whole = self._random.choice((struct.pack("!H", code) + b"x", b"\x03", b"\x03\xe8\xff\xfe", b"\x03\xe8\xc3"))
        return Burst(frame(CLOSE, whole), 1, Then.MUST_CLOSE, "bad close")

    def garbage(self) -> Burst:
        return Burst(self._random.randbytes(self._random.randrange(1, 200)), 1, Then.HANG_UP, "garbage")

    def cut_off(self) -> Burst:
        data = self.whole(self._messages.any())
        return Burst(data[: self._random.randrange(1, len(data))], 1, Then.HANG_UP, "cut off")

    def _small(self) -> bytes:
        return self._random.choice((b"", b"x", b"\xff\xfe", b"1234", b"y" * 125))

    def _mask(self) -> bytes:
        return NO_MASK if self._random.random() < 0.8 else self._random.randbytes(4)
