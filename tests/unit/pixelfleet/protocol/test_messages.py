import contextlib
import time
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pixelfleet.protocol.messages import (
    SHAPES,
    BadMessageError,
    Limits,
    check,
    dump,
    page_stats,
    parse,
    path_kind,
    player_id_of,
)

SDP = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n"
CANDIDATE = {
    "candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host",
    "sdpMid": "0",
    "sdpMLineIndex": 0,
    "usernameFragment": "u",
}

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
KINDS = st.sampled_from(sorted(SHAPES)) | st.text(max_size=12)


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Any]:
    fields = draw(st.dictionaries(st.text(max_size=12), VALUES, max_size=6))
    return {**fields, "type": draw(KINDS)}


# -- parse ------------------------------------------------------------------------------------------


@given(messages())
def test_a_forwarded_message_keeps_every_field(message: dict[str, Any]) -> None:
    assert parse(dump(parse(dump(message)))) == message


@given(st.binary(max_size=200))
@example(b"null")
@example(b"")
@example(b"[]")
@example(b"{}")
@example(b'"type"')
@example(b'{"type":null}')
@example(b'{"type":{}}')
@example(b"\xff\xfe")
@example(b'{"type":"\xff"}')
@example(b'{"type":"\\ud800"}')
@example(b'{"type":"x"}{"type":"y"}')
@example(b'{"type":NaN}')
@example(b"\xef\xbb\xbf{}")
def test_any_bytes_are_a_message_or_a_bad_message(data: bytes) -> None:
    reason = ""
    try:
        message = parse(data)
        assert isinstance(message["type"], str)
        is_refused(message)
    except BadMessageError as error:
        reason = str(error)
    assert reason in {"", "not JSON", "not an object with a string type", "nested too deep"}


@given(VALUES)
def test_any_json_is_a_message_or_a_bad_message(value: object) -> None:
    data = orjson.dumps(value)
    if isinstance(value, dict) and isinstance(value.get("type"), str):
        assert parse(data) == value
    else:
        with pytest.raises(BadMessageError):
            parse(data)


def is_refused(message: dict[str, Any]) -> bool:
    """Check a message; a refusal must name the message's type."""
    reason = ""
    try:
        check(message)
    except BadMessageError as error:
        reason = str(error)
    assert not reason or reason.startswith(f"{message['type']}: ")
    return bool(reason)


# -- nesting ----------------------------------------------------------------------------------------


def nested(levels: int, opening: str = "[", closing: str = "]") -> bytes:
    """Return a message that nests this deep, its own object counted."""
    return f'{{"type":"x","v":{opening * (levels - 1)}{closing * (levels - 1)}}}'.encode()


@pytest.mark.parametrize("limit", [2, 4, 32])
def test_nesting_is_bounded(limit: int) -> None:
    assert parse(nested(limit), Limits(limit))["type"] == "x"
    with pytest.raises(BadMessageError, match="nested too deep"):
        parse(nested(limit + 1), Limits(limit))


def test_a_wide_message_is_not_a_deep_one() -> None:
    message = {"type": "x", "v": [{} for _ in range(1000)]}
    assert parse(dump(message)) == message


@given(st.text(alphabet='[]{}"\\x', max_size=60))
def test_brackets_inside_strings_do_not_nest(text: str) -> None:
    message = {"type": "offer", "sdp": text, "more": [text]}
    assert parse(dump(message), Limits(2)) == message


@given(st.text(alphabet='[]{}",:\\x ', max_size=80).map(str.encode), st.integers(1, 6))
def test_a_parsed_message_is_never_deeper_than_the_limit(text: bytes, limit: int) -> None:
    try:
        message = parse(b'{"type":"x","v":' + text + b"}", Limits(limit))
    except BadMessageError:
        return
    assert depth_of(message) <= limit


def depth_of(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 33 + b'\\"' * 100_000,
        b"[" * 33 + b'"' + b"\\" * 200_000,
        b"[" * 33 + b'"' * 200_001,
        b"[" * 33 + b'"' + b"x" * 200_000,
        b"[" * 200_000,
        b"[]" * 100_000,
        b'{"type":"x","v":[' + b"{}," * 60_000 + b"{}]}",
    ],
    ids=["escaped quotes", "backslashes", "quotes", "open string", "open brackets", "pairs", "wide"],
)
def test_parsing_time_is_bounded_for_the_largest_messages(data: bytes) -> None:
    assert len(data) <= 256 * 1024
    begun = time.process_time()
    with contextlib.suppress(BadMessageError):
        parse(data)
    assert time.process_time() - begun < 0.5


def as_id(message: dict[str, Any]) -> str:
    return orjson.dumps(message).decode()


# -- check ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        {"type": "offer", "sdp": SDP},
        {"type": "offer", "sdp": SDP, "playerId": "1", "sfu": True, "multiplex": True},
        {"type": "answer", "sdp": SDP, "playerId": 1, "minBitrateBps": 0, "maxBitrateBps": 0},
        {"type": "iceCandidate", "candidate": CANDIDATE},
        {"type": "iceCandidate", "candidate": {"candidate": ""}, "playerId": None},
        {"type": "subscribe", "streamerId": "cam"},
        {"type": "unsubscribe"},
        {"type": "listStreamers", "more": [1, 2]},
        {"type": "endpointId", "id": "cam"},
        {"type": "endpointId", "id": "cam", "protocolVersion": "1.3.0"},
        {"type": "disconnectPlayer", "playerId": 101},
        {"type": "disconnectPlayer", "playerId": "101", "reason": "idle"},
        {"type": "layerPreference", "spatialLayer": 0, "temporalLayer": 1, "playerId": "101"},
        {"type": "peerDataChannels", "playerId": "101", "sendStreamId": 1, "recvStreamId": 2},
        {"type": "streamerDataChannels", "sfuId": "s", "sendStreamId": 1, "recvStreamId": 2},
        {"type": "control", "action": "levels"},
        {"type": "control", "action": "levels", "payload": {"a": 1}},
        {"type": "ping", "time": 1.5},
        {"type": "stats", "data": "anything"},
        {"type": "unknown type"},
    ],
    ids=as_id,
)
def test_messages_of_the_protocol_pass(message: dict[str, Any]) -> None:
    before = orjson.dumps(message)
    check(message)
    assert orjson.dumps(message) == before


@pytest.mark.parametrize(
    "message",
    [
        {"type": "offer"},
        {"type": "offer", "sdp": 1},
        {"type": "answer", "sdp": None},
        {"type": "answer", "sdp": SDP, "playerId": [1]},
        {"type": "iceCandidate"},
        {"type": "iceCandidate", "candidate": "candidate:1"},
        {"type": "iceCandidate", "candidate": {"sdpMid": "0"}},
        {"type": "iceCandidate", "candidate": {"candidate": "", "sdpMLineIndex": "0"}},
        {"type": "subscribe"},
        {"type": "subscribe", "streamerId": 1},
        {"type": "endpointId", "id": None},
        {"type": "disconnectPlayer"},
        {"type": "layerPreference", "spatialLayer": "high", "temporalLayer": 1},
        {"type": "peerDataChannels", "sendStreamId": 1},
        {"type": "control", "action": 7},
        {"type": "control", "action": "x", "payload": []},
    ],
    ids=as_id,
)
def test_a_wrong_or_missing_field_is_refused(message: dict[str, Any]) -> None:
    assert is_refused(message)


@given(messages())
def test_a_check_does_not_change_the_message(message: dict[str, Any]) -> None:
    before = orjson.dumps(message)
    is_refused(message)
    assert orjson.dumps(message) == before


def test_a_refusal_does_not_quote_the_message() -> None:
    with pytest.raises(BadMessageError) as refused:
        check({"type": "iceCandidate", "candidate": {"candidate": 1, "secret-key": "secret-value"}})
    assert "secret" not in str(refused.value)


# -- the rest ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "player_id"),
    [({}, None), ({"playerId": None}, None), ({"playerId": 101}, "101"), ({"playerId": "a"}, "a")],
)
def test_a_player_id_may_be_a_number_or_text(fields: dict[str, Any], player_id: str | None) -> None:
    assert player_id_of({"type": "offer", **fields}) == player_id


@given(messages())
def test_any_message_has_a_player_id_or_none(message: dict[str, Any]) -> None:
    assert isinstance(player_id_of(message), str | None)


@pytest.mark.parametrize("kind", ["host", "reflexive", "relayed", "none"])
def test_a_page_reports_the_kind_of_its_ice_path(kind: str) -> None:
    assert path_kind(page_stats({"type": "stats", "data": f'{{"path": "{kind}"}}'})) == kind


@pytest.mark.parametrize(
    "data",
    [
        None,
        7,
        "",
        "x",
        "[]",
        "null",
        "{}",
        '{"path": 7}',
        '{"path": "x"}',
        {"path": "host"},
        '{"path":"host"}' + " " * 256,
    ],
)
def test_statistics_without_a_valid_path_have_none(data: object) -> None:
    assert path_kind(page_stats({"type": "stats", "data": data})) is None
    assert path_kind(page_stats({"type": "stats"})) is None
