"""A player is kept while its matchmaker holds it, and its messages reach one upstream, once and in order."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.fleet import handover
from pixelfleet.fleet.handover import Arrived, Destination, Failed, Hold, handover_key, sign
from pixelfleet.fleet.handover import Relay as RelayOrder
from pixelfleet.net.dial import DialError
from pixelfleet.net.relay import MAX_QUEUED_BYTES, Relay
from pixelfleet.net.websocket import MessageHandler
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode
from pixelfleet.service import signing
from router.handover import FAILURES, PAUSE_SECONDS, Handover, Offers, State
from tests.unit.pixelfleet.net.sockets import FakeSocket

KEY = handover_key("k" * 32)
DESTINATION = Destination("ws://10.0.0.1:4000/?player=a&session=token", "a")
CLAIMS = {"url": DESTINATION.url, "sub": DESTINATION.session}
ORDER = handover.encode(
    handover.Handover(signing.sign(CLAIMS, KEY, audience=handover.DESTINATION_AUDIENCE, seconds=86_400))
)
"""Made before the first test, and valid for longer than a run of all tests."""
HOLD, RELAY = handover.encode(Hold()), handover.encode(RelayOrder())
WELCOME = b'{"type":"matchmaker","queued":true}'


@dataclass
class Front:
    """A player of a router whose matchmaker is connected, on fake sockets."""

    down: FakeSocket = field(default_factory=FakeSocket)
    matchmaker: FakeSocket = field(default_factory=FakeSocket)
    server: FakeSocket = field(default_factory=FakeSocket)
    dials: list[Destination] = field(default_factory=list)
    arrivals: list[Destination] = field(default_factory=list)
    cancelled: int = 0
    trunks: int = 0
    """How often a trunk was offered."""
    relays: int = 0
    """How often the matchmaker relayed the player."""
    ends: list[tuple[int, str]] = field(default_factory=list)
    from_server: MessageHandler | None = None

    def __post_init__(self) -> None:
        self.relay = Relay(self.down.real, on_end=lambda code, reason: self.ends.append((code, reason)))
        self.handover = Handover(self.relay, KEY, self)
        self.matchmaker.handler = self.handover.join(self.matchmaker.real)

    def dial(self, destination: Destination) -> Callable[[], object]:
        self.dials.append(destination)

        def cancel() -> None:
            self.cancelled += 1

        return cancel

    def handed_over(self, destination: Destination) -> float:
        self.arrivals.append(destination)
        return 0.25

    def trunk_offered(self) -> None:
        self.trunks += 1

    def relayed(self) -> None:
        self.relays += 1

    def order(self, *orders: bytes) -> None:
        """Have the matchmaker send control messages."""
        for each in orders:
            assert self.matchmaker.on_control is not None
            self.matchmaker.on_control(each)

    def say(self, data: bytes) -> None:
        """Have the player send a message."""
        assert self.down.handler is not None
        self.down.handler.message(data)

    def open(self) -> None:
        """Have the signalling server accept the dial."""
        self.from_server = self.handover.join_server(self.server.real)

    def lose_matchmaker(self, code: int = close_codes.ABNORMAL) -> None:
        if self.matchmaker.handler is not None:
            self.matchmaker.handler.closed(code, "why")
            self.matchmaker.handler = self.matchmaker.on_control = None

    @property
    def answers(self) -> list[Any]:
        return [handover.read_answer(data) for data in self.matchmaker.controls]


@pytest.fixture
def front() -> Front:
    return Front()


def test_a_handed_over_player_is_relayed_to_its_server_and_leaves_the_matchmaker(front: Front) -> None:
    front.say(b"early")
    front.order(HOLD)
    assert front.matchmaker.handler is not None
    front.matchmaker.handler.message(WELCOME)
    front.say(b"waiting")
    assert (front.matchmaker.sent, front.down.sent) == ([], [WELCOME])
    front.order(ORDER)
    front.say(b"dialling")
    assert front.dials == [DESTINATION]
    front.open()
    front.say(b"playing")
    assert front.server.sent == [b"early", b"waiting", b"dialling", b"playing"]
    assert front.answers == [Arrived(0.25)]
    assert front.arrivals == [DESTINATION]
    assert front.matchmaker.closes == [(close_codes.NORMAL.code, close_codes.NORMAL.reason)]
    assert front.matchmaker.sent == []
    assert (front.matchmaker.handler is None, front.matchmaker.on_control is None) == (True, True)
    assert front.down.handler is front.relay
    assert front.from_server is not None
    front.from_server.message(b"config")
    assert front.down.sent == [WELCOME, b"config"]


def test_a_matchmaker_without_handovers_gets_every_message(front: Front) -> None:
    front.say(b"early")
    assert front.matchmaker.sent == []
    assert front.matchmaker.handler is not None
    front.matchmaker.handler.message(WELCOME)
    front.say(b"late")
    assert front.matchmaker.sent == [b"early", b"late"]
    assert front.down.sent == [WELCOME]
    assert front.matchmaker.on_control is None
    assert front.down.handler is front.relay


def test_after_a_relay_has_begun_no_handover_is_taken(front: Front) -> None:
    front.order(HOLD)
    take = front.matchmaker.on_control
    assert take is not None
    front.say(b"waiting")
    front.order(RELAY)
    assert front.matchmaker.sent == [b"waiting"]
    assert front.matchmaker.on_control is None
    take(ORDER)
    assert (front.dials, front.matchmaker.controls) == ([], [])


@pytest.mark.parametrize("orders", [[ORDER], [RELAY], [b""], [b"{}"], [b"\xff"], [HOLD, HOLD], [HOLD, ORDER, RELAY]])
def test_an_order_out_of_turn_has_no_effect(front: Front, orders: list[bytes]) -> None:
    front.order(*orders)
    assert front.matchmaker.sent == []
    assert front.down.is_open
    assert len(front.dials) == (ORDER in orders and HOLD in orders)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b.c",
        sign(DESTINATION, handover_key("x" * 32)),
        sign(DESTINATION, b"k" * 32),  # the session key itself
    ],
)
def test_a_destination_that_this_fleet_has_not_signed_is_not_dialled(front: Front, text: str) -> None:
    front.order(HOLD, handover.encode(handover.Handover(text)))
    assert front.dials == []
    (answer,) = front.answers
    assert (type(answer), answer.status) == (Failed, 0)
    assert front.handover.state is State.HELD


@pytest.mark.parametrize("kind", ["handover", "hold", "relay"])
def test_an_order_in_a_text_message_is_forwarded_like_any_other(front: Front, kind: str) -> None:
    front.order(HOLD)
    assert front.matchmaker.handler is not None
    forged = orjson.dumps({"type": kind, "destination": sign(DESTINATION, KEY)})
    front.matchmaker.handler.message(forged)
    front.say(forged)
    assert front.down.sent == [forged]
    assert (front.dials, front.matchmaker.sent) == ([], [])


def test_a_ping_that_came_before_the_matchmakers_order_is_answered(front: Front) -> None:
    for data in (b"one", b'{"type":"ping","time":7}', b"two"):
        front.say(data)
    assert front.down.sent == []
    front.order(HOLD)
    assert [orjson.loads(data) for data in front.down.sent] == [{"type": "pong", "time": 7}]
    assert front.relay.early == [b"one", b"two"]
    assert front.relay.early_bytes == 6


def test_pings_are_answered_while_the_player_waits(front: Front) -> None:
    front.order(HOLD)
    front.say(b'{"type":"ping","time":7}')
    assert [orjson.loads(data) for data in front.down.sent] == [{"type": "pong", "time": 7}]
    front.order(ORDER)
    front.open()
    front.say(b'{"type":"ping","time":8}')
    assert front.server.sent == [b'{"type":"ping","time":8}']


def test_after_a_failed_dial_the_player_waits_with_what_it_has_sent(front: Front) -> None:
    front.order(HOLD, ORDER)
    front.say(b"first")
    front.handover.failed(DialError("the streamer is taken", 409))
    assert front.answers == [Failed(409, "the streamer is taken")]
    front.say(b"second")
    front.order(ORDER)
    front.open()
    assert front.server.sent == [b"first", b"second"]


def test_a_waiting_player_may_send_little(front: Front) -> None:
    front.order(HOLD)
    assert front.down.fragments_bytes == MAX_QUEUED_BYTES
    front.say(b"x" * MAX_QUEUED_BYTES)
    assert front.down.is_open
    front.say(b"x")
    assert front.down.closes == [(close_codes.RATE_LIMITED.code, close_codes.RATE_LIMITED.reason)]


def test_a_matchmaker_that_is_lost_during_the_dial_costs_the_player_nothing(front: Front) -> None:
    front.order(HOLD, ORDER)
    front.lose_matchmaker()
    assert (front.down.is_open, front.cancelled) == (True, 0)
    front.say(b"hello")
    front.open()
    assert front.server.sent == [b"hello"]


def test_a_dial_that_fails_after_the_matchmaker_is_lost_closes_the_player(front: Front) -> None:
    front.order(HOLD, ORDER)
    front.lose_matchmaker()
    front.handover.failed(DialError("refused"))
    assert [code for code, _ in front.down.closes] == [close_codes.STREAM_UNAVAILABLE.code]


def test_a_player_that_its_matchmaker_closes_is_not_connected_any_more(front: Front) -> None:
    front.order(HOLD, ORDER)
    front.lose_matchmaker(close_codes.KICKED.code)
    assert front.down.closes == [(close_codes.KICKED.code, "why")]
    assert front.cancelled == 1


@pytest.mark.parametrize("orders", [[], [HOLD], [HOLD, ORDER]])
@pytest.mark.parametrize(
    ("code", "why"),
    [
        (1005, close_codes.NORMAL),
        (1001, close_codes.PLAYER_CLOSED),
        (1006, close_codes.PLAYER_LOST),
        (4002, close_codes.PLAYER_TIMED_OUT),
    ],
)
def test_a_player_that_leaves_closes_its_matchmaker_and_cancels_its_dial(
    front: Front, orders: list[bytes], code: int, why: CloseCode
) -> None:
    front.order(*orders)
    assert front.down.handler is not None
    front.down.handler.closed(code, "")
    assert front.matchmaker.closes == [(why.code, why.reason)]
    assert front.cancelled == (ORDER in orders)
    assert front.ends == [(code, "")]


def test_a_matchmaker_that_answers_after_its_player_was_lost_is_closed_with_that() -> None:
    front = Front(down=FakeSocket(is_open=False))
    assert front.matchmaker.closes == [(close_codes.PLAYER_LOST.code, close_codes.PLAYER_LOST.reason)]


STEPS = st.lists(st.sampled_from(["say", "say", "ping", "hold", "order", "open", "fail", "relay", "text", "lose"]))


@given(STEPS)
def test_messages_reach_one_upstream_once_and_in_order(steps: list[str]) -> None:
    front = Front()
    said: list[bytes] = []
    for number, step in enumerate(steps):
        dialling = front.handover.state is State.DIALLING
        match step:
            case "say" if front.down.is_open:
                said.append(b"%d" % number)
                front.say(said[-1])
            case "ping" if front.down.is_open:
                front.say(b'{"type":"ping"}')
            case "open" if dialling:
                front.open()
            case "fail" if dialling:
                front.handover.failed(DialError("refused"))
            case "text" if front.matchmaker.handler is not None:
                front.matchmaker.handler.message(WELCOME)
            case "lose":
                front.lose_matchmaker()
            case "hold" | "order" | "relay" if front.matchmaker.on_control is not None:
                front.order({"hold": HOLD, "order": ORDER, "relay": RELAY}[step])
    ping = b'{"type":"ping"}'
    to_server = [data for data in front.server.sent if data != ping]
    to_matchmaker = [data for data in front.matchmaker.sent if data != ping]
    kept = [data for data in front.relay.early if data != ping]
    assert not (to_server and to_matchmaker)
    if front.handover.state is State.DONE:
        assert (to_server or to_matchmaker) == said[: len(to_server or to_matchmaker)]
        if front.down.is_open:
            assert (to_server or to_matchmaker) == said
    else:
        assert (to_server, to_matchmaker) == ([], [])
        if front.down.is_open:
            assert kept == said


def test_a_router_that_reaches_no_server_leaves_the_dials_to_matchmakers_for_a_while() -> None:
    offers = Offers(KEY)
    assert offers.claim(0.0)
    for _ in range(FAILURES - 1):
        offers.dialled(1.0, answered=False)
    offers.dialled(1.0, answered=True)
    for _ in range(FAILURES - 1):
        offers.dialled(2.0, answered=False)
    assert offers.claim(2.0)
    offers.dialled(2.0, answered=False)
    assert not offers.claim(2.0)
    assert offers.claim(2.0 + PAUSE_SECONDS)


def test_a_router_without_a_session_key_offers_nothing() -> None:
    assert not Offers(b"").claim(0.0)
