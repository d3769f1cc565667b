"""What comes over a stock server's link: any framing, garbage, and no end of it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchmaker.legacy.connection import MAX_BAD_MESSAGES, MAX_SKIPPED_BYTES, PIECE_BYTES, LegacyConnection
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


class Heard:
    """Who is told of a link."""

    def __init__(self, *, understands: bool = True) -> None:
        self.messages: list[dict[str, Any]] = []
        self.ends = 0
        self.understands = understands

    def opened(self, connection: LegacyConnection) -> None:
        self.connection = connection

    def received(self, connection: LegacyConnection, message: dict[str, Any]) -> None:
        self.messages.append(message)
        if not self.understands:
            raise LegacyMessageError("unknown type")

    def ended(self, connection: LegacyConnection) -> None:
        self.ends += 1


class Connection:
    def __init__(self, received: Heard) -> None:
        self.connection = LegacyConnection(received)
        self.transport = Transport("10.0.0.7")
        self.connection.connection_made(self.transport)  # type: ignore[arg-type]  # all that a link asks of it

    def feed(self, data: bytes) -> None:
        if not self.transport.aborted:
            self.connection.data_received(data)


async def test_messages_arrive_whatever_the_pieces_that_they_come_in() -> None:
    for split in range(len(BYTES) + 1):
        received = Heard()
        connection = Connection(received)
        connection.feed(BYTES[:split])
        connection.feed(BYTES[split:])
        assert received.messages == MESSAGES
    received = Heard()
    connection = Connection(received)
    for at in range(len(BYTES)):
        connection.feed(BYTES[at : at + 1])
    assert received.messages == MESSAGES


@given(garbage=st.binary(max_size=64).filter(lambda data: not set(data) & set(b'{}"\\')))
async def test_garbage_between_messages_costs_nothing_but_itself(garbage: bytes) -> None:
    received = Heard()
    connection = Connection(received)
    connection.feed(garbage.join(json.dumps(message).encode() for message in MESSAGES))
    assert received.messages == MESSAGES


@pytest.mark.parametrize("unit", [b"x", b"{", b"[1,2]", b'"', b"{}x", b"\x00\xff"], ids=repr)
async def test_a_link_that_sends_megabytes_of_garbage_is_closed(unit: bytes) -> None:
    received = Heard(understands=False)
    connection = Connection(received)
    fed = 0
    chunk = unit * (64 * 1024 // len(unit))
    while not connection.transport.aborted:
        assert fed <= MAX_SKIPPED_BYTES + 2 * len(chunk), "it is still open"
        connection.feed(chunk)
        fed += len(chunk)
    assert len(received.messages) <= MAX_BAD_MESSAGES + 1


async def test_a_flood_of_messages_that_mean_nothing_is_cut_within_one_piece() -> None:
    received = Heard(understands=False)
    connection = Connection(received)
    connection.feed(b"{}" * 200_000)
    assert connection.transport.aborted
    assert len(received.messages) == MAX_BAD_MESSAGES + 1


async def test_what_follows_a_close_in_the_same_segment_is_not_heard() -> None:
    received = Heard()
    connection = Connection(received)

    def close(connection: LegacyConnection, message: dict[str, Any]) -> None:
        received.messages.append(message)
        connection.close()

    received.received = close  # type: ignore[method-assign]  # this one closes at the first
    connection.feed(b'{"type":"ping"}'.ljust(PIECE_BYTES) + b'{"type":"ping"}')
    assert len(received.messages) == 1


async def test_only_what_makes_sense_is_a_sign_of_life() -> None:
    received = Heard()
    connection = Connection(received)
    connection.connection.received = -1.0
    connection.feed(b"garbage")
    assert connection.connection.received == -1.0
    connection.feed(b'{"type":"ping"}')
    assert connection.connection.received > 0


async def test_the_end_is_told_once_and_a_close_after_it_is_nothing() -> None:
    received = Heard()
    connection = Connection(received)
    connection.connection.connection_lost(None)
    connection.connection.close()
    assert received.ends == 1
    assert not connection.transport.aborted
