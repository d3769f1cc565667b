"""Generates messages, from valid to meaningless, from the structs against which the server validates."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import orjson
from msgspec import inspect

from pixelfleet.protocol.messages import SHAPES

Maker = Callable[[], bytes]
Fields = dict[str, Any]

MAX_HUGE_BYTES: Final = 261_000
"""The largest message: the default limit is 256 KiB."""

_SHAPES: Final = {kind: inspect.type_info(shape) for kind, shape in SHAPES.items()}

NAMES: Final = ("cam", "cam1", "cam2", "game", "streamer", "", "ä" * 200, "a\nb", "\x1b[31m", "__proto__", "0")

JUNK: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 1.5, 2**53, -(2**63), 2**64 - 1, 1e308, "", "x", "101", "\x00", "\uffff", "😀"),
    *("x" * 1000, "[" * 40, [], {}, [[]], [None], {"": None}, {"type": "offer"}, ["101"], [{"candidate": {}}]),
)
"""Values of other types than fields expect."""

SENSELESS: Final[tuple[bytes, ...]] = (
    *(b"null", b"0", b"-1", b"1e999", b'"type"', b"[]", b"{}", b"true", b"", b" ", b"\x00" * 8, b"\xef\xbb\xbf{}"),
    *(b"\xff\xfe\x00", b'{"type":"ping"', b"{'type':'ping'}", b'{"type":"ping",}', b'{"type":"ping"}{"type":"ping"}'),
    *(b'{"type":NaN}', b'{"type":"ping","time":NaN}', b'{"type":"ping","time":1e999}', b'{"type":"ping","time":-0}'),
    *(b'{"type":"\\ud800"}', b'{"type":"ping","time":"\\udfff"}', b'{"type":"ping","type":"offer"}', b'{"type":null}'),
    *(b'{"type":"ping\\u0000"}', b'{"type":"ping","time":"\xc3("}', b'{"type":["ping"]}', b'{"Type":"ping"}'),
    *(b'{"type":"ping","time":' + b"9" * 400 + b"}", '{"type":"ping"}'.encode("utf-16"), b'{"type":"PING"}'),
    *(b'{"type":"offer","sdp":"v","playerId":"101","playerId":"102"}', b'\t\r\n{"type":"ping"} \n'),
)

USUAL: Final[dict[str, tuple[str, ...]]] = {
    "player": ("answer", "control", "iceCandidate", "iceCandidate", "listStreamers", "offer", "ping", "subscribe"),
    "streamer": ("answer", "iceCandidate", "iceCandidate", "layerPreference", "offer", "ping"),
    "sfu": ("answer", "iceCandidate", "iceCandidate", "offer", "peerDataChannels", "startStreaming", "subscribe"),
}
"""Types of messages that well-behaved peers of each role send."""


@dataclass(slots=True)
class World:
    """What all attackers together have learned about the server."""

    streamer_ids: list[str] = field(default_factory=lambda: list(NAMES))
    """Ids that players and SFUs request. Streamers request the NAMES only, because an id can be taken over."""
    committed_ids: deque[str] = field(default_factory=lambda: deque(NAMES[:1], maxlen=12))
    """Ids that attackers got recently."""
    player_ids: deque[str] = field(default_factory=lambda: deque(("101", "102", "103"), maxlen=32))
    """Ids of players that were announced to attackers recently."""


class Messages:
    """Generates messages; the same random source gives the same messages."""

    def __init__(self, random: Random, role: str, world: World) -> None:
        self._random = random
        self._world = world
        self.subscribers: list[str] = []
        """The players that were announced to the sender and not ended."""
        self._usual = USUAL[role]
        self._all = sorted(SHAPES)
        weighted: dict[Maker, float] = {
            self.usual: 48,
            self.any_type: 10,
            self.wrong_field: 16,
            self.missing_field: 5,
            self.unknown_type: 3,
            self.senseless: 6,
            self.broken: 6,
            self.not_text: 3,
            self.deep: 2.5,
            self.huge: 0.4,
        }
        self._makers = list(weighted)
        self._weights = [sum(list(weighted.values())[: n + 1]) for n in range(len(weighted))]

    def any(self) -> bytes:
        """Return a message of any kind."""
        return self._random.choices(self._makers, cum_weights=self._weights)[0]()

    def usual(self) -> bytes:
        """Return a valid message of a type that the role sends, regardless of the sender's state."""
        return orjson.dumps(self.right(self._random.choice(self._usual)))

    def any_type(self) -> bytes:
        """Return a valid message of any type, with an unknown field."""
        message = self.right(self._random.choice(self._all))
        message[self._random.choice(("extra", "time", "sfu", "type ", "playerID"))] = self._random.choice(JUNK)
        return orjson.dumps(message)

    def wrong_field(self) -> bytes:
        """Return a message with a wrong value in one field, possibly the type."""
        message = self.right(self._random.choice(self._all))
        name = self._random.choice(list(message))
        if isinstance(message[name], dict) and self._random.random() < 0.7:
            inner = self._random.choice(list(message[name]) or ["x"])
            message[name] = message[name] | {inner: self._random.choice(JUNK)}
        else:
            message[name] = self._random.choice(JUNK)
        return orjson.dumps(message)

    def missing_field(self) -> bytes:
        """Return a message without one of its fields."""
        message = self.right(self._random.choice(self._all))
        del message[self._random.choice(list(message))]
        return orjson.dumps(message)

    def unknown_type(self) -> bytes:
        """Return a message of an unknown type, or of one that only a server sends."""
        kind = self._random.choice(("dance", "", "config", "identify", "playerConnected", "toString", "x" * 300, "ä"))
        return orjson.dumps({"type": kind, "playerId": self._player_id(), "message": "x"})

    def senseless(self) -> bytes:
        """Return data that is not a message."""
        return self._random.choice(SENSELESS)

    def broken(self) -> bytes:
        """Return a valid message after some corruption."""
        data = bytearray(self.usual())
        at = self._random.randrange(len(data))
        accident = self._random.randrange(4)
        if accident == 0:
            del data[at:]
        elif accident == 1:
            data[at] ^= 1 << self._random.randrange(8)
        elif accident == 2:
            data[at:at] = data[: self._random.randrange(len(data))]
        else:
            data[at:at] = self._random.randbytes(self._random.randrange(1, 6))
        return bytes(data)

    def not_text(self) -> bytes:
        """Return bytes that are not UTF-8."""
        if self._random.random() < 0.5:
            return self._random.randbytes(self._random.randrange(60))
        return self.usual()[:-2] + self._random.choice((b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80")) + b'"}'

    def deep(self) -> bytes:
        """Return nested brackets, closed or not, or brackets inside strings."""
        depth = self._random.choice((5, 20, 30, 31, 32, 33, 100, 300, 1_100, 5_000))
        opening, closing = self._random.choice((("[", "]"), ('{"a":', "}"), ('["[[{",{"b":', "}]")))
        nested = opening * depth + "1" + closing * self._random.choice((depth, depth, 0, depth + 1))
        if self._random.random() < 0.2:
            return nested.encode()
        message = self.right(self._random.choice(self._all))
        message[self._random.choice(list(message))] = "NESTED"
        return orjson.dumps(message).replace(b'"NESTED"', nested.encode())

    def huge(self) -> bytes:
        """Return a message up to the allowed size."""
        size = int(MAX_HUGE_BYTES ** self._random.uniform(0.55, 1.0))
        letter = self._random.choice(("x", "[", '\\"', "ä", "{\\\\"))
        text = letter * (size // len(letter.encode()))
        kind = self._random.randrange(4)
        if kind == 0:
            return f'{{"type":"{text}"}}'.encode()
        if kind == 1:
            return b'{"type":"ping","time":[' + b"1," * (size // 2) + b"1]}"
        name = self._random.choice(("sdp", "streamerId", "id", "action", "time"))
        message_type = {"sdp": "offer", "streamerId": "subscribe", "id": "endpointId", "action": "control"}
        return f'{{"type":"{message_type.get(name, "ping")}","{name}":"{text}"}}'.encode()

    def right(self, kind: str) -> Fields:
        """Return a valid message of this type."""
        return {"type": kind, **self._struct(_SHAPES[kind])}

    def _struct(self, shape: inspect.Type) -> Fields:
        assert isinstance(shape, inspect.StructType)
        return {
            each.encode_name: self._value(each.encode_name, each.type)
            for each in shape.fields
            if each.required or self._random.random() < 0.7
        }

    def _value(self, name: str, kind: inspect.Type) -> Any:
        if name == "playerId":
            player_id = self._player_id()
            return int(player_id) if self._random.random() < 0.1 else player_id
        if name == "id":
            return self._random.choice(NAMES)
        if name == "streamerId":
            return self._random.choice(self._random.choice((self._world.streamer_ids, self._world.committed_ids)))
        if isinstance(kind, inspect.UnionType):
            kind = self._random.choice(kind.types)
        if isinstance(kind, inspect.StructType):
            return self._struct(kind)
        if isinstance(kind, inspect.DictType):
            return {"a": self._random.choice(JUNK)}
        if isinstance(kind, inspect.IntType):
            return self._random.randrange(-1, 5)
        return "v=0\r\na=1 ä" if isinstance(kind, inspect.StrType) else None

    def _player_id(self) -> str:
        known = self.subscribers if self.subscribers and self._random.random() < 0.8 else self._world.player_ids
        return self._random.choice(known)
