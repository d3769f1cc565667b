from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.net.early_budget import EarlyBudget
from pixelfleet.net.relay import FORWARDABLE_CODES, MAX_EARLY_BYTES, MAX_EARLY_MESSAGES, Relay, forwardable
from pixelfleet.net.websocket import MessageHandler
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode
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


def relay_with(budget: EarlyBudget) -> tuple[Relay, FakeSocket]:
    socket = FakeSocket()
    return Relay(socket.real, on_end=lambda *_: None, budget=budget), socket


def test_early_messages_of_all_players_together_are_bounded() -> None:
    budget = EarlyBudget(1_000_000)
    players = [relay_with(budget) for _ in range(200)]
    for relay, _ in players:
        for _ in range(50):
            relay.message(bytes(10_000))
    stored = sum(relay.early_bytes for relay, _ in players)
    assert stored <= 1_000_000 + 200 * 1024
    assert [socket.closes[0][0] for _, socket in players if socket.closes] == [4104] * 199
    small, socket = relay_with(budget)
    small.message(bytes(900))
    assert socket.is_open, "a player that sends little is not affected"


def test_the_budget_is_released_after_each_end() -> None:
    budget = EarlyBudget(100_000)
    closed, (joined, _), (refused, _) = relay_with(budget), relay_with(budget), relay_with(budget)
    for relay in (closed[0], joined):
        relay.message(bytes(20_000))
    joined.join(FakeSocket().real).message(b"hello")
    refused.message(bytes(90_000))
    assert budget.remaining < 100_000
    closed[0].closed(1000, "")
    refused.message(bytes(90_000))
    assert refused.early
    refused.message(bytes(90_000))
    assert not refused.early
    assert budget.remaining == 100_000


def test_small_messages_are_charged_with_the_memory_that_they_take() -> None:
    budget = EarlyBudget(0)
    relay, socket = relay_with(budget)
    for _ in range(17):
        relay.message(b"")
    assert not socket.is_open


def test_a_lower_limit_applies_to_one_relay(pair: Pair) -> None:
    pair.relay.early_limit = 100
    pair.relay.message(bytes(100))
    assert pair.down.is_open
    pair.relay.message(b"x")
    assert not pair.down.is_open


def test_the_buffer_limit_ends_with_the_first_message_from_upstream(pair: Pair) -> None:
    pair.join()
    for _ in range(MAX_EARLY_MESSAGES * 4):
        pair.relay.message(bytes(10_000))
    assert pair.down.is_open
    assert len(pair.up.sent) == MAX_EARLY_MESSAGES * 4


# -- ends -------------------------------------------------------------------------------------------


def test_the_upstream_is_closed_with_the_player(pair: Pair) -> None:
    upstream = pair.join()
    pair.relay.closed(4207, "no codec")
    assert pair.up.closes == [(4207, "no codec")]
    assert pair.ends == [(4207, "no codec")]
    upstream.closed(*BYE)
    assert pair.ends == [(4207, "no codec")]


@pytest.mark.parametrize(
    ("code", "passed"),
    [
        (1000, close_codes.NORMAL),
        (1001, close_codes.PLAYER_CLOSED),
        (close_codes.ABNORMAL, close_codes.PLAYER_LOST),
        (close_codes.PONG_TIMEOUT.code, close_codes.PLAYER_TIMED_OUT),
    ],
)
def test_the_upstream_learns_how_the_player_ended(pair: Pair, code: int, passed: CloseCode) -> None:
    pair.join()
    pair.relay.closed(code, "")
    assert pair.up.closes == [(passed.code, passed.reason)]


def test_a_player_that_disconnects_before_the_join_is_reported_once(pair: Pair) -> None:
    pair.relay.message(b"early")
    pair.relay.closed(close_codes.ABNORMAL, "connection lost")
    assert pair.ends == [(close_codes.ABNORMAL, "connection lost")]
    assert pair.up.closes == []


def test_an_upstream_is_closed_after_its_player_disconnected(pair: Pair) -> None:
    pair.relay.message(b"early")
    pair.down.lose()
    pair.relay.closed(close_codes.ABNORMAL, "connection lost")
    pair.join()
    assert pair.up.closes == [(close_codes.PLAYER_LOST.code, close_codes.PLAYER_LOST.reason)]
    assert pair.up.sent == []


def test_an_upstream_gets_no_messages_of_a_closing_player(pair: Pair) -> None:
    pair.relay.message(b"early")
    pair.down.close(close_codes.RESTARTING)
    pair.join().closed(*BYE)
    pair.relay.message(b"late")
    assert (pair.up.closes, pair.up.sent) == ([(close_codes.PLAYER_LOST.code, close_codes.PLAYER_LOST.reason)], [])
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
