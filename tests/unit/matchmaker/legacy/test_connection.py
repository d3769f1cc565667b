"""The stream of a legacy server: any segmentation, garbage, and floods."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchmaker.legacy.connection import (
    CHUNK_BYTES,
    MAX_BAD_MESSAGES,
    MAX_SKIPPED_BYTES,
    MESSAGE_BURST,
    LegacyConnection,
)
from matchmaker.legacy.server import LegacyMessageError
from tests.unit.matchmaker.connections import CONNECT, Transport

MESSAGES: list[dict[str, Any]] = [
    CONNECT,
    {"type": "streamerConnected"},
    {"type": "clientConnected", "note": "a brace } in a { string"},
    {"type": "ping"},
    {"type": "clientDisconnected"},
]
BYTES = b"".join(json.dumps(message).encode() for message in MESSAGES)


class RecordingHandler:
    """Records the events of a connection."""

    def __init__(self, *, accepts: bool = True) -> None:
        self.messages: list[dict[str, Any]] = []
        self.ends = 0
        self.accepts = accepts

    def opened(self, connection: LegacyConnection) -> None:
        self.connection = connection

    def received(self, connection: LegacyConnection, message: dict[str, Any]) -> None:
        self.messages.append(message)
        if not self.accepts:
            raise LegacyMessageError("unknown type")

    def ended(self, connection: LegacyConnection) -> None:
        self.ends += 1


class Connection:
    def __init__(self, handler: RecordingHandler) -> None:
        self.connection = LegacyConnection(handler)
        self.transport = Transport("10.0.0.7")
        self.connection.connection_made(self.transport)  # type: ignore[arg-type]  # has all methods that the connection uses

    def feed(self, data: bytes) -> None:
        if not self.transport.aborted:
            self.connection.data_received(data)


async def test_messages_are_parsed_for_any_segmentation() -> None:
    for split in range(len(BYTES) + 1):
        handler = RecordingHandler()
        connection = Connection(handler)
        connection.feed(BYTES[:split])
        connection.feed(BYTES[split:])
        assert handler.messages == MESSAGES
    handler = RecordingHandler()
    connection = Connection(handler)
    for at in range(len(BYTES)):
        connection.feed(BYTES[at : at + 1])
    assert handler.messages == MESSAGES


@given(garbage=st.binary(max_size=64).filter(lambda data: not set(data) & set(b'{}"\\')))
async def test_garbage_between_messages_loses_no_message(garbage: bytes) -> None:
    handler = RecordingHandler()
    connection = Connection(handler)
    connection.feed(garbage.join(json.dumps(message).encode() for message in MESSAGES))
    assert handler.messages == MESSAGES


@pytest.mark.parametrize("unit", [b"x", b"{", b"[1,2]", b'"', b"{}x", b"\x00\xff"], ids=repr)
async def test_a_connection_that_sends_megabytes_of_garbage_is_closed(unit: bytes) -> None:
    handler = RecordingHandler(accepts=False)
    connection = Connection(handler)
    fed = 0
    chunk = unit * (64 * 1024 // len(unit))
    while not connection.transport.aborted:
        assert fed <= MAX_SKIPPED_BYTES + 2 * len(chunk), "the connection is still open"
        connection.feed(chunk)
        fed += len(chunk)
    assert len(handler.messages) <= MAX_BAD_MESSAGES + 1


async def test_a_flood_of_invalid_messages_is_closed_within_one_chunk() -> None:
    handler = RecordingHandler(accepts=False)
    connection = Connection(handler)
    connection.feed(b"{}" * 200_000)
    assert connection.transport.aborted
    assert len(handler.messages) == MAX_BAD_MESSAGES + 1


async def test_a_flood_of_valid_messages_is_closed() -> None:
    handler = RecordingHandler()
    connection = Connection(handler)
    for _ in range(100):
        connection.feed(b'{"type":"ping"}' * 650)
    assert connection.transport.aborted
    assert MESSAGE_BURST <= len(handler.messages) < 5 * MESSAGE_BURST


async def test_data_after_a_close_in_the_same_segment_is_ignored() -> None:
    handler = RecordingHandler()
    connection = Connection(handler)

    def close(connection: LegacyConnection, message: dict[str, Any]) -> None:
        handler.messages.append(message)
        connection.close()

    handler.received = close  # type: ignore[method-assign]  # closes at the first message
    connection.feed(b'{"type":"ping"}'.ljust(CHUNK_BYTES) + b'{"type":"ping"}')
    assert len(handler.messages) == 1


async def test_only_valid_messages_reset_the_silence_timeout() -> None:
    handler = RecordingHandler()
    connection = Connection(handler)
    connection.connection.last_received = -1.0
    connection.feed(b"garbage")
    assert connection.connection.last_received == -1.0
    connection.feed(b'{"type":"ping"}')
    assert connection.connection.last_received > 0


async def test_the_end_is_reported_once_and_a_later_close_does_nothing() -> None:
    handler = RecordingHandler()
    connection = Connection(handler)
    connection.connection.connection_lost(None)
    connection.connection.close()
    assert handler.ends == 1
    assert not connection.transport.aborted
