from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.net.relay import FORWARDABLE_CODES, MAX_EARLY_BYTES, MAX_EARLY_MESSAGES, Relay, forwardable
from pixelfleet.net.websocket import MessageHandler
from pixelfleet.protocol import close_codes
from tests.unit.pixelfleet.net.sockets import FakeSocket

BYE = (close_codes.NORMAL.code, close_codes.NORMAL.reason)


@dataclass
class Pair:
    """A relay between two sockets that only remember."""

    down: FakeSocket = field(default_factory=FakeSocket)
    up: FakeSocket = field(default_factory=FakeSocket)
    ends: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.relay = Relay(self.down.real, on_end=lambda code, reason: self.ends.append((code, reason)))

    def join(self) -> MessageHandler:
        handler: MessageHandler = self.relay.join(self.up.real)
        return handler


@pytest.fixture
def pair() -> Pair:
    return Pair()


@given(st.lists(st.binary(max_size=50), max_size=40), st.data())
def test_every_message_arrives_once_and_in_order(messages: list[bytes], data: st.DataObject) -> None:
    pair = Pair()
    joined = data.draw(st.integers(0, len(messages)))
    for message in messages[:joined]:
        pair.relay.message(message)
    upstream = pair.join()
    for message in messages[joined:]:
        pair.relay.message(message)
        upstream.message(message)
    assert pair.up.sent == messages
    assert pair.down.sent == messages[joined:]
    assert pair.down.is_open


def test_early_messages_are_delivered_once(pair: Pair) -> None:
    pair.relay.message(b"early")
    upstream = pair.join()
    assert pair.up.sent == [b"early"]
    upstream.message(b"hello")
    assert (pair.relay.early, pair.relay.early_bytes) == ([], 0)
    pair.relay.message(b"late")
    assert pair.up.sent == [b"early", b"late"]
    assert pair.relay.early == []


def test_early_messages_are_repeated_to_the_next_upstream() -> None:
    pair, lost = Pair(), list[int]()
    pair.relay.on_upstream_lost = lambda code, _: lost.append(code)
    pair.relay.message(b"before")
    first = pair.join()
    pair.relay.message(b"meanwhile")
    first.closed(1013, "full")
    pair.relay.message(b"after")
    pair.up = FakeSocket()
    pair.join()
    assert (lost, pair.up.sent) == ([1013], [b"before", b"meanwhile", b"after"])
    assert pair.down.is_open


def test_a_full_buffer_settles_on_the_upstream(pair: Pair) -> None:
    pair.join()
    for _ in range(MAX_EARLY_MESSAGES + 1):
        pair.relay.message(b"x")
    assert pair.relay.delivered
    assert pair.relay.early == []


# -- bounds -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "fits"),
    [(b"", MAX_EARLY_MESSAGES), (b"x", MAX_EARLY_MESSAGES), (bytes(64 * 1024), MAX_EARLY_BYTES // (64 * 1024))],
    ids=["empty", "small", "big"],
)
def test_too_many_early_messages_close_the_player(pair: Pair, message: bytes, fits: int) -> None:
    for _ in range(fits):
        pair.relay.message(message)
    assert pair.down.is_open
    pair.relay.message(message)
    assert pair.down.closes == [(close_codes.RATE_LIMITED.code, close_codes.RATE_LIMITED.reason)]
    assert pair.relay.early == []


def test_the_buffer_limit_ends_with_the_first_message_from_upstream(pair: Pair) -> None:
    pair.join()
    for _ in range(MAX_EARLY_MESSAGES * 4):
        pair.relay.message(bytes(10_000))
    assert pair.down.is_open
    assert len(pair.up.sent) == MAX_EARLY_MESSAGES * 4


# -- ends -------------------------------------------------------------------------------------------


def test_the_upstream_is_closed_with_the_player(pair: Pair) -> None:
    upstream = pair.join()
    pair.relay.closed(4321, "gone")
    assert pair.up.closes == [BYE]
    assert pair.ends == [(4321, "gone")]
    upstream.closed(*BYE)
    assert pair.ends == [(4321, "gone")]


def test_a_player_that_disconnects_before_the_join_is_reported_once(pair: Pair) -> None:
    pair.relay.message(b"early")
    pair.relay.closed(close_codes.ABNORMAL, "connection lost")
    assert pair.ends == [(close_codes.ABNORMAL, "connection lost")]
    assert pair.up.closes == []


def test_an_upstream_is_closed_after_its_player_disconnected(pair: Pair) -> None:
    pair.relay.message(b"early")
    pair.down.is_open = False
    pair.relay.closed(close_codes.ABNORMAL, "connection lost")
    pair.join()
    assert pair.up.closes == [BYE]
    assert pair.up.sent == []


def test_an_upstream_gets_no_messages_of_a_closing_player(pair: Pair) -> None:
    pair.relay.message(b"early")
    pair.down.close(close_codes.RESTARTING)
    pair.join().closed(*BYE)
    pair.relay.message(b"late")
    assert (pair.up.closes, pair.up.sent) == ([BYE], [])
    assert pair.down.closes == [(close_codes.RESTARTING.code, close_codes.RESTARTING.reason)]


@pytest.mark.parametrize("code", [1000, 1008, 1011, 1013, 3000, 4000, 4104, 4201, 4999])
def test_the_upstreams_code_and_reason_are_forwarded(pair: Pair, code: int) -> None:
    upstream = pair.join()
    upstream.closed(code, "why")
    assert pair.down.closes == [(code, "why")]


@pytest.mark.parametrize("code", [1001, close_codes.NO_STATUS, close_codes.ABNORMAL, 1015, 0, 999, 2999, 5000])
def test_a_forbidden_code_is_replaced_by_one_to_reconnect(pair: Pair, code: int) -> None:
    pair.join().closed(code, "why")
    assert pair.down.closes == [(close_codes.STREAM_UNAVAILABLE.code, "why")]


@given(st.integers(0, 65535))
def test_no_code_is_forwarded_that_stops_reconnecting(code: int) -> None:
    passed_on = forwardable(code)
    assert passed_on != 1001
    assert passed_on in FORWARDABLE_CODES
    assert passed_on == code or code not in FORWARDABLE_CODES


def test_messages_are_not_sent_to_a_lost_upstream(pair: Pair) -> None:
    upstream = pair.join()
    upstream.closed(4000, "")
    pair.relay.message(b"late")
    assert pair.up.sent == []


def test_on_upstream_lost_keeps_the_player_open(pair: Pair) -> None:
    lost: list[tuple[int, str]] = []
    pair.relay.on_upstream_lost = lambda code, reason: lost.append((code, reason))
    pair.join().closed(1006, "connection lost")
    assert lost == [(1006, "connection lost")]
    assert pair.down.is_open
    pair.relay.message(b"meanwhile")
    second = FakeSocket()
    pair.relay.join(second.real)
    assert second.sent == [b"meanwhile"]
