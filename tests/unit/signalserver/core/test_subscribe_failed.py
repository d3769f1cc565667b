"""A page of 5.2 to 5.4 does not support `subscribeFailed`: it is closed after it. Later pages stay connected."""

import pytest

from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode
from signalserver.core.state import FAILED_SUBSCRIBE_SECONDS, Rules
from tests.unit.signalserver.core.conversation import Conversation

PING_SECONDS = 30.0
"""The interval of the pings of pages of 5.5 and later."""


@pytest.fixture
def talk() -> Conversation:
    """A server whose streamer is full, and a player that was sent `subscribeFailed`."""
    talk = Conversation(Rules(max_players_per_streamer=1))
    talk.streamer("s", "cam")
    talk.subscribed("first", "cam")
    talk.player("p")
    talk.send("p", "listStreamers")
    talk.send("p", "subscribe", streamerId="cam")
    assert talk.kinds("p") == ["streamerList", "subscribeFailed"]
    return talk


@pytest.mark.parametrize(("wanted", "why"), [("cam", close_codes.FULL), ("other", close_codes.NO_STREAMER)])
def test_a_page_that_never_pings_is_closed_with_a_code_to_retry_later(wanted: str, why: CloseCode) -> None:
    talk = Conversation(Rules(max_players_per_streamer=1))
    talk.streamer("s", "cam")
    talk.subscribed("first", "cam")
    talk.player("p")
    talk.send("p", "subscribe", streamerId=wanted)
    talk.pass_time(FAILED_SUBSCRIBE_SECONDS - 1)
    assert "p" not in talk.closed
    talk.pass_time(1)
    assert talk.closed["p"] == (why, why.reason)
    assert why.retry is close_codes.Retry.LATER
    assert "first" not in talk.closed


def test_a_page_that_pings_stays_connected(talk: Conversation) -> None:
    assert PING_SECONDS < FAILED_SUBSCRIBE_SECONDS
    talk.pass_time(PING_SECONDS)
    talk.send("p", "ping", time=1)
    talk.pass_time(10 * FAILED_SUBSCRIBE_SECONDS)
    assert "p" not in talk.closed


def test_a_page_that_subscribes_after_all_stays_connected(talk: Conversation) -> None:
    talk.leave("first")
    talk.pass_time(FAILED_SUBSCRIBE_SECONDS - 1)
    talk.send("p", "subscribe", streamerId="cam")
    talk.pass_time(10 * FAILED_SUBSCRIBE_SECONDS)
    assert "p" not in talk.closed


def test_repeated_failures_do_not_postpone_the_close(talk: Conversation) -> None:
    talk.pass_time(FAILED_SUBSCRIBE_SECONDS - 1)
    talk.send("p", "subscribe", streamerId="cam")
    talk.pass_time(1)
    assert talk.closed["p"][0] is close_codes.FULL


def test_an_sfu_is_not_closed(talk: Conversation) -> None:
    talk.sfu("f", "sfu")
    talk.send("f", "subscribe", streamerId="cam")
    assert talk.kinds("f") == ["subscribeFailed"]
    talk.pass_time(10 * FAILED_SUBSCRIBE_SECONDS)
    assert "f" not in talk.closed
