"""Offers, answers and candidates: what ends a session, and the little that a server changes in them."""

import pytest

from pixelfleet.protocol import close_codes
from pixelfleet.protocol.sdp import MAX_LENGTH, STREAM
from signalserver.core.roster import Admission
from signalserver.core.state import Rules
from tests.unit.pixelfleet.protocol.test_sdp import described, recorded, section
from tests.unit.signalserver.core.conversation import SDP, Conversation

OFFER, REFUSAL = recorded("chromium_offer_h264"), recorded("firefox_answer_refused")
WHY = "no common video codec: H264"


@pytest.fixture
def talk() -> Conversation:
    talk = Conversation()
    talk.streamer("s", "cam")
    return talk


def refuse(talk: Conversation, key: str, player_id: str) -> None:
    talk.send("s", "offer", sdp=OFFER, playerId=player_id)
    talk.receive(key)
    talk.receive("s")
    talk.send(key, "answer", sdp=REFUSAL)


# -- a codec that the browser lacks -----------------------------------------------------------------


def test_an_answer_that_refuses_the_video_ends_the_session_with_the_codec(talk: Conversation) -> None:
    player_id = talk.subscribed("p", "cam")
    refuse(talk, "p", player_id)
    assert talk.closed["p"] == (close_codes.NO_CODEC, WHY)
    assert close_codes.NO_CODEC.retry is close_codes.Retry.NEVER
    assert talk.receive("p") == [{"type": "subscribeFailed", "message": WHY}]
    assert talk.receive("s") == [{"type": "playerDisconnected", "playerId": player_id}]
    assert talk.failures == [("p", "no_codec", ("H264",))]


def test_an_offer_that_is_too_long_for_an_examination_is_forwarded_and_not_stored(talk: Conversation) -> None:
    talk.player("p")
    talk.send("p", "offer", sdp=OFFER)
    assert talk.switchboard.players()[0].offer is not None
    talk.send("p", "offer", sdp=OFFER + "a=x\r\n" * (MAX_LENGTH // 5))
    assert [message["type"] for message in talk.receive("s")][-2:] == ["offer", "offer"]
    assert talk.switchboard.players()[0].offer is None


def test_the_slot_of_a_session_without_video_is_free_at_once(talk: Conversation) -> None:
    talk.player("p", admission=Admission("session", "cam", "game"))
    talk.send("p", "subscribe", streamerId="game")
    refuse(talk, "p", talk.switchboard.players()[0].player_id)
    assert talk.switchboard.players() == []
    assert talk.switchboard.streamers()[0].subscribers == {}


def test_a_streamer_that_refuses_the_video_of_a_players_offer_ends_the_session(talk: Conversation) -> None:
    talk.player("p", offers=True)
    talk.send("p", "subscribe", streamerId="cam")
    talk.send("p", "offer", sdp=described(section(direction="recvonly", codecs="VP8 AV1")))
    player_id = talk.receive("s")[-1]["playerId"]
    talk.send("s", "answer", sdp=described(section(0)), playerId=player_id)
    assert talk.closed["p"] == (close_codes.NO_CODEC, "no common video codec: VP8, AV1")
    assert talk.kinds("p") == ["subscribeFailed"]
    assert talk.kinds("s") == ["playerDisconnected"]


def test_a_player_of_an_sfu_is_ended_too(talk: Conversation) -> None:
    talk.sfu("f", "room")
    talk.send("f", "startStreaming")
    player_id = talk.subscribed("p", "room")
    talk.send("f", "offer", sdp=OFFER, playerId=player_id)
    talk.send("p", "answer", sdp=REFUSAL)
    assert talk.closed["p"][0] is close_codes.NO_CODEC
    assert talk.kinds("f") == ["playerConnected", "playerDisconnected"]


def test_an_sfu_that_refuses_the_video_of_a_players_offer_ends_the_session(talk: Conversation) -> None:
    talk.sfu("f", "room")
    talk.send("f", "startStreaming")
    player_id = talk.subscribed("p", "room")
    talk.send("p", "offer", sdp=described(section(direction="recvonly")))
    talk.send("f", "answer", sdp=described(section(0)), playerId=player_id)
    assert talk.closed["p"] == (close_codes.NO_CODEC, WHY)
    assert talk.kinds("p") == ["subscribeFailed"]


def test_an_sfu_may_refuse_a_video(talk: Conversation) -> None:
    talk.sfu("f", "room")
    talk.send("f", "subscribe", streamerId="cam")
    talk.send("s", "offer", sdp=OFFER, playerId=talk.receive_one("s")["playerId"])
    talk.send("f", "answer", sdp=REFUSAL)
    assert talk.kinds("s") == ["answer"]
    assert talk.closed == {}


def test_a_page_may_refuse_the_video_later(talk: Conversation) -> None:
    player_id = talk.subscribed("p", "cam")
    talk.send("s", "offer", sdp=OFFER, playerId=player_id)
    talk.send("p", "answer", sdp=SDP)
    refuse(talk, "p", player_id)
    assert talk.kinds("s") == ["answer"]
    assert talk.closed == {}


def test_a_second_streamer_is_a_session_of_its_own(talk: Conversation) -> None:
    player_id = talk.subscribed("p", "cam")
    talk.send("s", "offer", sdp=OFFER, playerId=player_id)
    talk.send("p", "answer", sdp=SDP)
    talk.send("p", "unsubscribe")
    talk.send("p", "subscribe", streamerId="cam")
    refuse(talk, "p", player_id)
    assert talk.closed["p"][0] is close_codes.NO_CODEC


def test_an_answer_without_an_offer_is_forwarded(talk: Conversation) -> None:
    talk.subscribed("p", "cam")
    talk.receive("s")
    talk.send("p", "answer", sdp=REFUSAL)
    assert talk.kinds("s") == ["answer"]


def test_a_page_may_report_one_failure(talk: Conversation) -> None:
    talk.player("p")
    for _ in range(2):
        talk.send("p", "stats", data='{"failure": "config_refused"}')
    assert talk.failures == [("p", "config_refused", ())]


# -- a video without a stream -----------------------------------------------------------------------


def test_a_track_without_a_stream_gets_one_in_the_offer(talk: Conversation) -> None:
    player_id = talk.subscribed("p", "cam")
    talk.send("s", "offer", sdp=OFFER, playerId=player_id, multiplex=True)
    named = OFFER.replace("a=msid:- ", f"a=msid:{STREAM} ", 1)
    assert named != OFFER
    assert talk.receive_one("p") == {"type": "offer", "sdp": named, "playerId": player_id, "multiplex": True}


def test_a_track_without_a_stream_gets_one_in_the_answer_and_behind_an_sfu(talk: Conversation) -> None:
    talk.player("p", offers=True)
    talk.send("p", "subscribe", streamerId="cam")
    talk.send("s", "answer", sdp=OFFER, playerId=talk.receive_one("s")["playerId"])
    assert "a=msid:- " not in talk.receive_one("p")["sdp"]
    talk.sfu("f", "room")
    talk.send("f", "startStreaming")
    talk.send("f", "offer", sdp=OFFER, playerId=talk.subscribed("q", "room"))
    assert "a=msid:- " not in talk.receive_one("q")["sdp"]


def test_an_sfu_gets_the_offer_unchanged(talk: Conversation) -> None:
    talk.sfu("f", "room")
    talk.send("f", "subscribe", streamerId="cam")
    talk.send("s", "offer", sdp=OFFER, playerId=talk.receive_one("s")["playerId"])
    assert talk.receive_one("f")["sdp"] == OFFER


def test_the_offer_is_unchanged_without_the_setting() -> None:
    talk = Conversation(Rules(name_streams=False))
    talk.streamer("s", "cam")
    talk.send("s", "offer", sdp=OFFER, playerId=talk.subscribed("p", "cam"))
    assert talk.receive_one("p")["sdp"] == OFFER
