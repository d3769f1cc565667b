"""Players without a websocket whose sessions are kept."""

from pixelfleet.protocol import close_codes
from signalserver.core.roster import Admission
from signalserver.core.state import Rules
from tests.unit.signalserver.core.conversation import CANDIDATE, SDP, Conversation

LEASED = Admission("session-1", "cam", "game")


def test_an_away_player_keeps_its_subscription_and_its_messages() -> None:
    talk = Conversation()
    talk.streamer("cam", "cam")
    player_id = talk.subscribed("player", "cam")
    talk.receive("cam")
    talk.away("player", 30)
    assert talk.switchboard.is_away("player")
    talk.send("cam", "iceCandidate", candidate=CANDIDATE, playerId=player_id)
    assert talk.kinds("cam") == []
    assert talk.kinds("player") == ["iceCandidate"]
    talk.resumed("player")
    assert not talk.switchboard.is_away("player")
    talk.pass_time(1000)
    assert talk.closed == {}


def test_an_away_player_that_does_not_return_is_closed() -> None:
    talk = Conversation()
    talk.streamer("cam", "cam")
    player_id = talk.subscribed("player", "cam")
    talk.receive("cam")
    talk.away("player", 30)
    talk.pass_time(29)
    assert (talk.closed, talk.switchboard.away_count) == ({}, 1)
    talk.pass_time(1)
    assert talk.closed["player"][0] is close_codes.SESSION_GONE
    assert talk.receive("cam") == [{"type": "playerDisconnected", "playerId": player_id}]
    assert talk.switchboard.away_count == 0


def test_a_further_absence_begins_the_time_anew() -> None:
    talk = Conversation()
    talk.player("player")
    talk.away("player", 5)
    talk.pass_time(4)
    talk.away("player", 30)
    talk.pass_time(29)
    assert talk.closed == {}
    talk.pass_time(1)
    assert talk.closed["player"][0] is close_codes.SESSION_GONE


def test_the_time_to_the_first_media_does_not_run_during_an_absence() -> None:
    talk = Conversation(Rules(first_media_seconds=60))
    talk.streamer("cam", "cam")
    talk.player("player", admission=LEASED)
    talk.pass_time(50)
    talk.away("player", 100)
    talk.pass_time(20)
    talk.away("player", 100)  # a second websocket that was lost
    talk.pass_time(20)
    talk.resumed("player")
    talk.pass_time(9)
    assert talk.closed == {}
    talk.pass_time(1)
    assert talk.closed["player"][0] is close_codes.NO_MEDIA


def test_a_player_that_is_lost_again_and_again_does_not_keep_its_slot_without_media() -> None:
    talk = Conversation(Rules(first_media_seconds=60))
    talk.streamer("cam", "cam")
    talk.player("player", admission=LEASED)
    for _ in range(6):
        assert talk.closed == {}
        talk.away("player", 30)
        talk.pass_time(20)
        talk.resumed("player")
    talk.away("player", 30)
    talk.pass_time(1)
    assert talk.closed["player"][0] is close_codes.SESSION_GONE


def test_a_player_with_media_may_be_lost_again_and_again() -> None:
    talk = Conversation(Rules(first_media_seconds=60))
    talk.streamer("cam", "cam")
    player_id = talk.subscribed("player", "cam")
    talk.send("cam", "offer", playerId=player_id, sdp=SDP)
    talk.send("player", "answer", sdp=SDP)
    for _ in range(20):
        talk.away("player", 30)
        talk.pass_time(20)
        talk.resumed("player")
    assert talk.closed == {}


def test_a_streamer_that_leaves_ends_the_session_of_its_away_player() -> None:
    talk = Conversation()
    talk.streamer("cam", "cam")
    talk.subscribed("player", "cam")
    talk.away("player", 30)
    talk.leave("cam")
    assert talk.closed["player"][0] is close_codes.STREAMER_LEFT
    assert talk.switchboard.away_count == 0


def test_an_away_player_can_be_closed_and_can_leave() -> None:
    talk = Conversation()
    for key in ("kicked", "left"):
        talk.player(key)
        talk.away(key, 30)
    talk.disconnect("kicked", close_codes.KICKED)
    talk.leave("left")
    assert talk.switchboard.away_count == 0
    assert talk.closed["kicked"][0] is close_codes.KICKED


def test_events_of_other_peers_are_ignored() -> None:
    talk = Conversation()
    talk.streamer("cam", "cam")
    talk.player("player")
    for key in ("cam", "nobody"):
        talk.away(key, 0)
        talk.resumed(key)
    talk.resumed("player")
    assert talk.switchboard.away_count == 0
    talk.pass_time(1)
    assert talk.closed == {}


def test_a_resumed_player_has_its_new_address() -> None:
    talk = Conversation()
    talk.player("player")
    talk.away("player", 30)
    talk.resumed("player", address="192.0.2.7")
    peer = talk.switchboard.peer("player")
    assert peer is not None
    assert peer.address == "192.0.2.7"


def test_a_player_whose_pings_are_answered_elsewhere_stays_after_subscribe_failed() -> None:
    talk = Conversation()
    talk.player("old")
    talk.player("player", pings=True)
    for key in ("old", "player"):
        talk.send(key, "subscribe", streamerId="none")
    talk.pass_time(1000)
    assert list(talk.closed) == ["old"]


def test_an_away_player_that_offered_is_not_closed_for_its_absence() -> None:
    talk = Conversation(Rules(first_media_seconds=10))
    talk.streamer("cam", "cam")
    talk.player("player", offers=True)
    talk.send("player", "offer", sdp=SDP)
    talk.away("player", 100)
    talk.pass_time(50)
    assert talk.closed == {}
