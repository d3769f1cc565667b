"""The data channel's bytes."""

import contextlib
import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teststreamer.datachannel_codec import (
    FROM_STREAMER,
    MAX_MESSAGE_BYTES,
    TO_STREAMER,
    BadDataError,
    Direction,
    Layout,
    decode,
    encode,
    protocol,
)

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "uint8": st.integers(0, 255),
    "uint16": st.integers(0, 65535),
    "int16": st.integers(-32768, 32767),
    "float": st.floats(width=32, allow_nan=False),
    "double": st.floats(allow_nan=False),
    "string": st.text(max_size=50),
}


def messages(table: dict[str, Layout]) -> st.SearchStrategy[tuple[str, tuple[Any, ...]]]:
    return st.sampled_from(sorted(table)).flatmap(
        lambda name: st.tuples(st.just(name), st.tuples(*(VALUES[kind] for _, kind in table[name].fields)))
    )


to_streamer = messages(dict(TO_STREAMER))
from_streamer = messages(dict(FROM_STREAMER))


@given(to_streamer)
def test_messages_of_players_survive_encoding_and_decoding(message: tuple[str, tuple[Any, ...]]) -> None:
    name, values = message
    read = decode(encode(name, *values, direction=Direction.TO_STREAMER))
    assert (read.name, tuple(read.values.values())) == (name, values)


@given(from_streamer)
def test_messages_of_streamers_survive_encoding_and_decoding(message: tuple[str, tuple[Any, ...]]) -> None:
    name, values = message
    read = decode(encode(name, *values), Direction.FROM_STREAMER)
    assert (read.name, tuple(read.values.values())) == (name, values)


@given(st.binary(max_size=200), st.sampled_from(Direction))
def test_any_bytes_are_a_message_or_a_bad_data_error(data: bytes, direction: Direction) -> None:
    with contextlib.suppress(BadDataError):
        assert decode(data, direction).name in (TO_STREAMER, FROM_STREAMER)[direction]


@given(to_streamer, st.data())
def test_a_message_that_is_cut_off_or_too_long_is_refused(
    message: tuple[str, tuple[Any, ...]], data: st.DataObject
) -> None:
    name, values = message
    whole = encode(name, *values, direction=Direction.TO_STREAMER)
    with pytest.raises(BadDataError):
        decode(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(BadDataError):
        decode(whole + data.draw(st.binary(min_size=1, max_size=4).filter(any)))


def test_the_bytes_are_those_of_the_frontend_library() -> None:
    assert decode(struct.pack("<BBHH", 72, 1, 300, 40000)).values == {"button": 1, "x": 300, "y": 40000}
    assert decode(struct.pack("<BHHhh", 74, 1, 2, -3, 4)).values == {"x": 1, "y": 2, "dx": -3, "dy": 4}
    assert decode(struct.pack("<BBBd", 92, 0, 5, 0.5)).values == {"controller": 0, "axis": 5, "value": 0.5}
    assert decode(b"\x32\x02\x00h\x00i\x00").values == {"text": "hi"}
    assert encode("Response", "hi") == b"\x01h\x00i\x00"
    assert encode("QualityControlOwnership", 1) == b"\x00\x01"


def test_the_length_of_a_text_counts_code_units() -> None:
    assert encode("Command", "\U0001f600", direction=Direction.TO_STREAMER)[1:3] == b"\x02\x00"


def test_half_a_surrogate_pair_is_replaced() -> None:
    assert decode(b"\x32\x01\x00\x00\xd8").values == {"text": "�"}


@pytest.mark.parametrize("values", [(256, 0, 0), (-1, 0, 0), (0, 70000, 0), (0, 0), ("x", 0, 0)])
def test_values_that_do_not_fit_are_refused(values: tuple[Any, ...]) -> None:
    with pytest.raises(BadDataError):
        encode("MouseDown", *values, direction=Direction.TO_STREAMER)


def test_messages_are_bounded() -> None:
    with pytest.raises(BadDataError, match="bytes"):
        decode(b"\x32" + bytes(MAX_MESSAGE_BYTES))
    with pytest.raises(BadDataError, match="bytes"):
        encode("Response", "x" * MAX_MESSAGE_BYTES)
    with pytest.raises(BadDataError, match="does not exist in this direction"):
        encode("KeyDown", 1, 0)


def test_ids_are_unique_in_each_direction() -> None:
    for table in (TO_STREAMER, FROM_STREAMER):
        assert len({layout.id for layout in table.values()}) == len(table)


@pytest.mark.parametrize("direction", Direction)
def test_the_protocol_is_announced_in_the_shape_that_pages_read(direction: Direction) -> None:
    text = decode(protocol(direction), Direction.FROM_STREAMER).values["text"]
    announced = json.loads(str(text))
    assert announced.pop("Direction") == direction
    if direction is Direction.TO_STREAMER:
        assert announced["MouseDown"] == {"id": 72, "byteLength": 5, "structure": ["uint8", "uint16", "uint16"]}
    else:
        assert announced["Response"] == {"id": 1, "byteLength": 0, "structure": ["string"]}


@pytest.mark.parametrize("direction", Direction)
def test_each_entry_of_the_protocol_has_what_pages_of_5_2_require(direction: Direction) -> None:
    announced = json.loads(str(decode(protocol(direction), Direction.FROM_STREAMER).values["text"]))
    del announced["Direction"]
    assert announced
    assert all(entry.keys() >= {"id", "byteLength"} for entry in announced.values())
    if direction is Direction.TO_STREAMER:
        lengths = {name: announced[name]["byteLength"] for name in ("KeyDown", "MouseMove", "GamepadAnalog")}
        assert lengths == {"KeyDown": 2, "MouseMove": 8, "GamepadAnalog": 10}


@pytest.mark.parametrize("text", ["Müller", "ümläut", "日本語", "🙂"])
def test_zeros_after_a_text_are_ignored(text: str) -> None:
    data = encode("UIInteraction", text, direction=Direction.TO_STREAMER)
    surplus = 2 * len(text.encode()) - len(text.encode("utf-16-le"))
    assert surplus > 0
    assert decode(data + bytes(surplus)).values["text"] == text
    with pytest.raises(BadDataError, match="too many"):
        decode(data + bytes(surplus - 1) + b"x")


def test_zeros_after_a_number_are_refused() -> None:
    with pytest.raises(BadDataError, match="too many"):
        decode(encode("KeyUp", 65, direction=Direction.TO_STREAMER) + b"\0")
