"""Whatever happens on a trunk: each message of a channel arrives once and in order, and each channel ends once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.net.trunk import ends
from pixelfleet.net.trunk.frames import END, FRAME, MAX_CONTENT_BYTES, OPEN, TrunkError
from tests.unit.pixelfleet.net.trunk.pairs import LIMIT, Pair

CONTENTS = st.one_of(st.just(b"close"), st.just(b"abort"), st.integers().map(lambda number: b"%d" % number))
STEPS = st.tuples(
    st.one_of(
        st.sampled_from(["open", "near", "far"]),
        st.sampled_from(["later", "refused", "give up", "decide", "step", "there", "back", "settle", "lose"]),
    ),
    st.integers(0, 5),
    CONTENTS,
)


@given(st.lists(STEPS, max_size=60))
def test_messages_arrive_once_and_in_order_and_channels_end_once(steps: list[tuple[str, int, bytes]]) -> None:
    pair = Pair()
    for step in steps:
        pair.apply(*step)
        pair.check()
    pair.settle()
    pair.check()
    for number, user in pair.accepted.items():  # all is delivered: both ends agree
        opening = pair.openings[number - 1]
        if opening.given_up or opening.refusals:  # the answer was on its way when the trunk was lost
            continue
        assert opening.user.ends == user.ends
        if not opening.user.ends:
            assert (opening.user.received, user.received) == (user.sent, opening.user.sent)
    pair.lose()
    pair.settle()
    assert len(pair.dialler) == len(pair.acceptor) == 0
    for opening in pair.openings:
        if opening.user.channel is not None:
            assert opening.user.ends == 1
        else:
            assert opening.given_up or len(opening.refusals) == 1
    assert all(user.ends == 1 for user in pair.accepted.values())


# -- single rules -----------------------------------------------------------------------------------


@pytest.fixture
def pair() -> Pair:
    return Pair()


def test_a_request_carries_target_and_headers(pair: Pair) -> None:
    pair.open("/?id=a")
    pair.settle()
    assert pair.requests == {1: ("/?id=a", {"X-Request-ID": "1"})}


def test_an_orderly_close_ends_both_sides_with_its_code(pair: Pair) -> None:
    near = pair.open().user
    pair.settle()
    near.close(4300)
    pair.settle()
    assert pair.accepted[1].codes == [4300]
    assert (near.ends, pair.accepted[1].ends, len(pair.dialler), len(pair.acceptor)) == (1, 1, 0, 0)


def test_an_error_of_one_user_ends_its_channel_only(pair: Pair) -> None:
    one, other = pair.open().user, pair.open().user
    pair.settle()
    pair.accepted[1].fails = True
    one.send(b"a")
    other.send(b"b")
    pair.settle()
    assert pair.accepted[1].broken_by == [1011]
    assert one.codes == [1011]
    assert pair.accepted[2].received == [b"b"]


def test_a_message_beyond_the_limit_of_the_receiver_ends_its_channel_only(pair: Pair) -> None:
    one, other = pair.open().user, pair.open().user
    pair.settle()
    one.send(bytes(LIMIT + 1))
    other.send(bytes(LIMIT))
    pair.settle()
    assert (pair.accepted[1].broken_by, pair.accepted[1].received) == ([1009], [])
    assert pair.accepted[2].received == [bytes(LIMIT)]


def test_a_message_that_no_trunk_carries_ends_its_channel(pair: Pair) -> None:
    near = pair.open().user
    pair.settle()
    near.send(bytes(MAX_CONTENT_BYTES + 1))
    pair.settle()
    assert (near.ends, pair.accepted[1].ends) == (1, 1)


def test_no_user_is_called_while_it_ends_its_channel(pair: Pair) -> None:
    near = pair.open().user
    pair.settle()
    near.abort()
    assert near.ends == 0
    pair.settle()
    assert near.ends == 1


def test_a_muted_channel_gets_nothing_more(pair: Pair) -> None:
    near = pair.open().user
    pair.settle()
    channel = pair.accepted[1].channel
    assert channel is not None
    assert channel.is_reading()
    channel.pause_reading()
    near.send(b"a")
    pair.settle()
    assert not channel.is_reading()
    assert pair.accepted[1].received == []


def test_a_dial_that_is_given_up_cancels_the_decision(pair: Pair) -> None:
    opening = pair.open("/later")
    pair.settle()
    opening.given_up = True
    opening.give_up()
    pair.settle()
    assert pair.cancelled == [1]


def test_a_lost_trunk_fails_the_dials_and_cancels_the_decisions(pair: Pair) -> None:
    opening = pair.open("/later")
    pair.settle()
    pair.lose()
    assert opening.refusals == [(0, "the trunk was lost")]
    assert pair.cancelled == [1]
    assert not pair.dialler.has_room


def test_channels_are_limited(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "MAX_CHANNELS", 2)
    pair.open()
    pair.open()
    pair.settle()
    assert not pair.dialler.has_room
    third = pair.open()  # of a dialler that does not ask first
    pair.settle()
    assert [status for status, _ in third.refusals] == [503]


@pytest.mark.parametrize(
    ("number", "kind", "content"),
    [(1, OPEN, b"{}"), (1, OPEN, b'["/",{"a":1}]'), (1, 200, b""), (1, 17, b""), (0, OPEN, b'["/",{}]')],
)
def test_an_end_that_breaks_the_rules_is_noticed(pair: Pair, number: int, kind: int, content: bytes) -> None:
    with pytest.raises(TrunkError):
        pair.acceptor.receive(FRAME.pack(number, kind, len(content)) + content)


def test_a_number_is_used_once(pair: Pair) -> None:
    pair.open()
    pair.settle()
    with pytest.raises(TrunkError):
        pair.acceptor.receive(FRAME.pack(1, OPEN, 8) + b'["/",{}]')


def test_frames_of_channels_that_have_ended_are_ignored(pair: Pair) -> None:
    pair.acceptor.receive(FRAME.pack(7, 1, 1) + b"a" + FRAME.pack(7, END, 0))
    assert len(pair.acceptor) == 0


def test_the_end_of_a_channel_whose_close_was_not_answered_is_sent(pair: Pair) -> None:
    near = pair.open().user
    pair.settle()
    far = pair.accepted[1]
    assert far.channel is not None
    far.channel.pause_reading()
    near.close()
    pair.settle()
    near.abort()
    pair.settle()
    assert (near.ends, far.ends) == (1, 1)
