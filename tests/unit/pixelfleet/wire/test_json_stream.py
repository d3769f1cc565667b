"""Objects come out whole, however the bytes were cut."""

import itertools
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.wire.json_stream import JsonStream

CONNECT = {"type": "connect", "address": "10.0.0.7", "port": 80, "ready": True, "playerConnected": False}
PING = {"type": "ping"}
OBJECTS = st.lists(
    st.dictionaries(st.text(max_size=6), st.one_of(st.text(max_size=12), st.integers(-9, 9), st.none()), max_size=4)
)


def joined(objects: list[dict[str, Any]], between: bytes = b"") -> bytes:
    return between.join(orjson.dumps(each) for each in objects)


def test_two_objects_in_one_segment_are_two_objects() -> None:
    assert JsonStream().feed(joined([CONNECT, PING])) == [CONNECT, PING]


def test_an_object_may_be_cut_at_every_byte() -> None:
    data = joined([CONNECT, PING, {"a": '}"{\\', "b": {"c": [{}]}}])
    for cut in range(len(data) + 1):
        stream = JsonStream()
        assert [*stream.feed(data[:cut]), *stream.feed(data[cut:])] == JsonStream().feed(data)
    stream = JsonStream()
    assert [each for byte in data for each in stream.feed(bytes([byte]))] == JsonStream().feed(data)
    assert stream.skipped == 0


@given(OBJECTS, st.sampled_from([b"", b" ", b"\n", b"\r\n\r\n"]), st.lists(st.integers(0, 400)))
def test_any_objects_cut_anywhere_come_out_whole(
    objects: list[dict[str, Any]], between: bytes, cuts: list[int]
) -> None:
    data = joined(objects, between)
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    stream = JsonStream()
    found = [each for start, end in itertools.pairwise(edges) for each in stream.feed(data[start:end])]
    assert found == objects
    assert stream.skipped == 0


@pytest.mark.parametrize("noise", [b"null", b"12]", b"\xff\xfe\x00", b"}}", b"hello "])
def test_what_is_no_object_is_skipped(noise: bytes) -> None:
    stream = JsonStream()
    assert stream.feed(noise + joined([PING]) + noise + joined([CONNECT])) == [PING, CONNECT]
    assert stream.skipped >= len(noise.strip())


def test_broken_json_costs_itself_alone() -> None:
    assert JsonStream().feed(b'{"type":}' + joined([PING])) == [PING]


def test_an_object_without_end_is_given_up_and_the_next_is_found() -> None:
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


def test_megabytes_of_open_braces_take_linear_time() -> None:
    stream = JsonStream()
    for _ in range(64):
        stream.feed(b"{" * 65536)
    assert len(stream._buffer) <= 16 * 1024
    stream = JsonStream()
    for _ in range(64):
        stream.feed(b'{"' * 32768)
    assert len(stream._buffer) <= 16 * 1024
