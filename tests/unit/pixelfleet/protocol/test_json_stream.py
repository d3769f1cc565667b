"""Objects from a stream of bytes in arbitrary segments."""

import itertools
import re
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.protocol import json_stream
from pixelfleet.protocol.json_stream import _MARKS, JsonStream

CONNECT = {"type": "connect", "address": "10.0.0.7", "port": 80, "ready": True, "playerConnected": False}
PING = {"type": "ping"}
OBJECTS = st.lists(
    st.dictionaries(st.text(max_size=6), st.one_of(st.text(max_size=12), st.integers(-9, 9), st.none()), max_size=4)
)


def joined(objects: list[dict[str, Any]], between: bytes = b"") -> bytes:
    return between.join(orjson.dumps(each) for each in objects)


def test_two_objects_in_one_segment_are_two_objects() -> None:
    assert JsonStream().feed(joined([CONNECT, PING])) == [CONNECT, PING]


def test_an_object_may_be_split_at_every_byte() -> None:
    data = joined([CONNECT, PING, {"a": '}"{\\', "b": {"c": [{}]}}])
    for cut in range(len(data) + 1):
        stream = JsonStream()
        assert [*stream.feed(data[:cut]), *stream.feed(data[cut:])] == JsonStream().feed(data)
    stream = JsonStream()
    assert [each for byte in data for each in stream.feed(bytes([byte]))] == JsonStream().feed(data)
    assert stream.skipped == 0


@given(OBJECTS, st.sampled_from([b"", b" ", b"\n", b"\r\n\r\n"]), st.lists(st.integers(0, 400)))
def test_any_objects_in_any_segments_are_parsed(objects: list[dict[str, Any]], between: bytes, cuts: list[int]) -> None:
    data = joined(objects, between)
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    stream = JsonStream()
    found = [each for start, end in itertools.pairwise(edges) for each in stream.feed(data[start:end])]
    assert found == objects
    assert stream.skipped == 0


@pytest.mark.parametrize("noise", [b"null", b"12]", b"\xff\xfe\x00", b"}}", b"hello "])
def test_bytes_outside_objects_are_skipped(noise: bytes) -> None:
    stream = JsonStream()
    assert stream.feed(noise + joined([PING]) + noise + joined([CONNECT])) == [PING, CONNECT]
    assert stream.skipped >= len(noise.strip())


def test_a_malformed_object_is_skipped_alone() -> None:
    assert JsonStream().feed(b'{"type":}' + joined([PING])) == [PING]


def test_an_unfinished_object_is_discarded_and_the_next_is_found() -> None:
    stream = JsonStream(max_object_bytes=1000)
    assert stream.feed(b'{"type":"connect","address":"' + b"x" * 2000) == []
    assert stream.feed(b"x" * 2000) == []
    assert stream.feed(b"\n" + joined([PING])) == [PING]


@given(st.lists(st.binary(max_size=3000), max_size=20))
def test_garbage_is_bounded_and_never_raises(chunks: list[bytes]) -> None:
    stream = JsonStream(max_object_bytes=1000)
    for chunk in chunks:
        stream.feed(chunk)
        assert len(stream._buffer) <= 1000


def test_an_object_above_the_limit_is_discarded_in_any_segments() -> None:
    data = joined([{"type": "x" * 1000}, PING])
    for size in (1, 7, 300, len(data)):
        stream = JsonStream(max_object_bytes=1000)
        found = [each for at in range(0, len(data), size) for each in stream.feed(data[at : at + size])]
        assert found == [PING]
        assert stream.skipped == len(data) - len(joined([PING]))


def test_the_object_after_a_discarded_one_is_returned_immediately() -> None:
    stream = JsonStream(max_object_bytes=1000)
    assert stream.feed(b'{"a":"' + b"x" * 990 + joined([PING])) == [PING]


# -- the work ---------------------------------------------------------------------------------------


class Work(bytearray):
    """A buffer that counts the bytes copied, moved and searched."""

    done = 0

    def __getitem__(self, key: Any) -> Any:
        part = super().__getitem__(key)
        self.done += len(part) if isinstance(key, slice) else 1
        return part

    def __delitem__(self, key: Any) -> None:
        super().__delitem__(key)
        self.done += len(self)

    def find(self, what: Any, *bounds: Any) -> int:
        found = super().find(what, *bounds)
        self.done += (len(self) if found < 0 else found) - bounds[0] + 1
        return found


class Marks:
    """The search for marks, with a count of the scanned bytes."""

    def __init__(self) -> None:
        self.done = 0

    def search(self, buffer: bytearray, position: int) -> re.Match[bytes] | None:
        found = _MARKS.search(buffer, position)
        self.done += (found.end() if found else len(buffer)) - position + 1
        return found


FLOODS = {
    "empty objects": b"{}",
    "braces": b"{",
    "keys": b'{"',
    "unfinished keys": b'{"a":"b",',
    "escapes": b'{"\\"',
    "backslashes": b'{"' + b"\\" * 99,
    "closing": b"}",
    "quotes": b'"',
    "noise": b"x",
    "blanks": b" ",
    "malformed": b"{]}",
    "small and unfinished": b'{}{"',
    "deep": b'{"a":' * 300 + b"1" + b"}" * 300,
    "large": b'{"a":"' + b"x" * 990 + b'"}',
    "too large": b'{"a":"' + b"x" * 1990 + b'"}',
    "real": orjson.dumps(CONNECT),
}


@pytest.mark.parametrize("segment", [1, 7, 16384])
@pytest.mark.parametrize("flood", FLOODS)
def test_the_work_is_linear_in_the_bytes(flood: str, segment: int, monkeypatch: pytest.MonkeyPatch) -> None:
    marks = Marks()
    monkeypatch.setattr(json_stream, "_MARKS", marks)
    data = (FLOODS[flood] * 16384)[:16384]
    stream = JsonStream(max_object_bytes=1000)
    stream._buffer = buffer = Work()
    for at in range(0, len(data), segment):
        objects = stream.feed(data[at : at + segment])
        assert len(objects) <= (segment + 1000) // 2
        assert len(buffer) <= 1000
    assert stream._buffer is buffer
    assert buffer.done + marks.done <= 12 * len(data)
