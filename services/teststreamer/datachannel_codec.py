"""The binary format of data channel messages: one table per direction, an encoder and a decoder.

A message is its id in one byte, and its fields in order, little-endian. Text from a player is UTF-16LE after a 16-bit
count of its code units; text from a streamer is UTF-16LE to the end of the message. The ids and layouts are the
defaults of the frontend library. A streamer still announces them in two `Protocol` messages, and the page uses the
announced ones.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final, Literal

Value = int | float | str
Kind = Literal["uint8", "uint16", "int16", "float", "double", "string"]

MAX_MESSAGE_BYTES: Final = 64 * 1024
"""The size limit of messages: the SCTP default for WebRTC."""

_NUMBERS: Final[Mapping[str, struct.Struct]] = MappingProxyType(
    {
        "uint8": struct.Struct("<B"),
        "uint16": struct.Struct("<H"),
        "int16": struct.Struct("<h"),
        "float": struct.Struct("<f"),
        "double": struct.Struct("<d"),
    }
)


class BadDataError(ValueError):
    """Bytes or values that make no valid data channel message. The text is the reason."""


class Direction(IntEnum):
    """The direction of a message, with its number in `Protocol` messages."""

    TO_STREAMER = 0
    FROM_STREAMER = 1


@dataclass(frozen=True, slots=True)
class Layout:
    """A message's id and its fields: name and kind of each, in order."""

    id: int
    fields: tuple[tuple[str, Kind], ...] = ()

    @property
    def byte_length(self) -> int:
        """The length of the fields in bytes, in which a text counts as 0, as in an Unreal application's `Protocol`."""
        return sum(_NUMBERS[kind].size for _, kind in self.fields if kind != "string")

    @property
    def ends_with_text(self) -> bool:
        """Whether the last field is a text."""
        return bool(self.fields) and self.fields[-1][1] == "string"


@dataclass(frozen=True, slots=True)
class DataMessage:
    """A decoded message: its name and its fields by name."""

    name: str
    values: Mapping[str, Value]


_TEXT: Final[tuple[tuple[str, Kind], ...]] = (("text", "string"),)
_BUTTON: Final[tuple[tuple[str, Kind], ...]] = (("button", "uint8"), ("x", "uint16"), ("y", "uint16"))
_TOUCH: Final[tuple[tuple[str, Kind], ...]] = (
    ("touches", "uint8"),
    ("x", "uint16"),
    ("y", "uint16"),
    ("finger", "uint8"),
    ("force", "uint8"),
    ("inside", "uint8"),
)
_PAD: Final[tuple[tuple[str, Kind], ...]] = (("controller", "uint8"), ("button", "uint8"), ("repeat", "uint8"))

TO_STREAMER: Final[Mapping[str, Layout]] = MappingProxyType(
    {
        "IFrameRequest": Layout(0),
        "RequestQualityControl": Layout(1),
        "FpsRequest": Layout(2),
        "AverageBitrateRequest": Layout(3),
        "StartStreaming": Layout(4),
        "StopStreaming": Layout(5),
        "LatencyTest": Layout(6, _TEXT),
        "RequestInitialSettings": Layout(7),
        "TestEcho": Layout(8),
        "DataChannelLatencyTest": Layout(9, _TEXT),
        "UIInteraction": Layout(50, _TEXT),
        "Command": Layout(51, _TEXT),
        "TextboxEntry": Layout(52, _TEXT),
        "KeyDown": Layout(60, (("key", "uint8"), ("repeat", "uint8"))),
        "KeyUp": Layout(61, (("key", "uint8"),)),
        "KeyPress": Layout(62, (("character", "uint16"),)),
        "MouseEnter": Layout(70),
        "MouseLeave": Layout(71),
        "MouseDown": Layout(72, _BUTTON),
        "MouseUp": Layout(73, _BUTTON),
        "MouseMove": Layout(74, (("x", "uint16"), ("y", "uint16"), ("dx", "int16"), ("dy", "int16"))),
        "MouseWheel": Layout(75, (("delta", "int16"), ("x", "uint16"), ("y", "uint16"))),
        "MouseDouble": Layout(76, _BUTTON),
        "TouchStart": Layout(80, _TOUCH),
        "TouchEnd": Layout(81, _TOUCH),
        "TouchMove": Layout(82, _TOUCH),
        "GamepadButtonPressed": Layout(90, _PAD),
        "GamepadButtonReleased": Layout(91, _PAD),
        "GamepadAnalog": Layout(92, (("controller", "uint8"), ("axis", "uint8"), ("value", "double"))),
        "GamepadConnected": Layout(93),
        "GamepadDisconnected": Layout(94, (("controller", "uint8"),)),
    }
)
"""The messages of players."""

FROM_STREAMER: Final[Mapping[str, Layout]] = MappingProxyType(
    {
        "QualityControlOwnership": Layout(0, (("owned", "uint8"),)),
        "Response": Layout(1, _TEXT),
        "Command": Layout(2, _TEXT),
        "FreezeFrame": Layout(3),
        "UnfreezeFrame": Layout(4),
        "VideoEncoderAvgQP": Layout(5, _TEXT),
        "LatencyTest": Layout(6, _TEXT),
        "InitialSettings": Layout(7, _TEXT),
        "FileExtension": Layout(8, _TEXT),
        "FileMimeType": Layout(9, _TEXT),
        "FileContents": Layout(10),
        "TestEcho": Layout(11),
        "InputControlOwnership": Layout(12, (("owned", "uint8"),)),
        "GamepadResponse": Layout(13, _TEXT),
        "DataChannelLatencyTest": Layout(14, _TEXT),
        "Protocol": Layout(255, _TEXT),
    }
)
"""The messages of streamers."""

_TABLES: Final = MappingProxyType(
    {Direction.TO_STREAMER: TO_STREAMER, Direction.FROM_STREAMER: FROM_STREAMER},
)
_NAMES: Final = MappingProxyType(
    {direction: {layout.id: name for name, layout in table.items()} for direction, table in _TABLES.items()},
)


def decode(data: bytes, direction: Direction = Direction.TO_STREAMER) -> DataMessage:
    """Decode a message; raise BadDataError when it is too large, unknown, too short or too long.

    Zeros after a text at the end are accepted: pages of 5.3 and 5.4 reserve two bytes for each byte of the text in
    UTF-8, which is too much for umlauts.
    """
    if not data:
        raise BadDataError("an empty message")
    if len(data) > MAX_MESSAGE_BYTES:
        raise BadDataError(f"a message of {len(data)} bytes")
    name = _NAMES[direction].get(data[0])
    if name is None:
        raise BadDataError(f"an unknown message id {data[0]}")
    values: dict[str, Value] = {}
    at = 1
    for field, kind in _TABLES[direction][name].fields:
        if kind == "string":
            value, at = _take_text(data, at, direction)
            values[field] = value
        else:
            number = _NUMBERS[kind]
            if at + number.size > len(data):
                raise BadDataError(f"{name} ends within {field}")
            (values[field],) = number.unpack_from(data, at)
            at += number.size
    if at != len(data) and not (_TABLES[direction][name].ends_with_text and not any(data[at:])):
        raise BadDataError(f"{name} has {len(data) - at} bytes too many")
    return DataMessage(name, MappingProxyType(values))


def _take_text(data: bytes, at: int, direction: Direction) -> tuple[str, int]:
    """Return the text at an offset, and the offset after it. Unpaired surrogates are replaced."""
    if direction is Direction.TO_STREAMER:
        if at + 2 > len(data):
            raise BadDataError("a text without a length")
        end = at + 2 + 2 * int.from_bytes(data[at : at + 2], "little")
        at += 2
    else:
        end = len(data)
    if end > len(data) or (end - at) % 2:
        raise BadDataError("a text that is cut off")
    return data[at:end].decode("utf-16-le", "replace"), end


def encode(name: str, *values: Value, direction: Direction = Direction.FROM_STREAMER) -> bytes:
    """Encode a message; raise BadDataError when the values do not fit its layout."""
    layout = _TABLES[direction].get(name)
    if layout is None or len(layout.fields) != len(values):
        raise BadDataError(f"{name} does not exist in this direction, or not with {len(values)} values")
    parts = [bytes([layout.id])]
    for (field, kind), value in zip(layout.fields, values, strict=True):
        try:
            if kind == "string":
                text = str(value).encode("utf-16-le", "replace")
                parts.append((len(text) // 2).to_bytes(2, "little") if direction is Direction.TO_STREAMER else b"")
                parts.append(text)
            else:
                parts.append(_NUMBERS[kind].pack(value))
        except (struct.error, OverflowError):
            raise BadDataError(f"{field} of {name} does not fit {kind}") from None
    data = b"".join(parts)
    if len(data) > MAX_MESSAGE_BYTES:
        raise BadDataError(f"{name} would take {len(data)} bytes")
    return data


def protocol(direction: Direction) -> bytes:
    """Return the `Protocol` message that announces one direction's ids and layouts.

    Pages of 5.2 require `byteLength` in each entry; later ones calculate it and ignore the field.
    """
    announced: dict[str, object] = {"Direction": int(direction)}
    for name, layout in _TABLES[direction].items():
        if name != "Protocol":
            announced[name] = {
                "id": layout.id,
                "byteLength": layout.byte_length,
                "structure": [kind for _, kind in layout.fields],
            }
    return encode("Protocol", json.dumps(announced))
