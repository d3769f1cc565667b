"""Each rule of the signalling protocol, by name."""

import pytest

from pixelfleet.protocol import close_codes
from signalserver.core.roster import Admission
from signalserver.core.state import Rules
from tests.unit.signalserver.core.conversation import CANDIDATE, SDP, Conversation


@pytest.fixture
def talk() -> Conversation:
    return Conversation()


# -- on connect -------------------------------------------------------------------------------------


def test_a_streamer_is_sent_config_and_identify(talk: Conversation) -> None:
    talk.streamer("s")
    assert talk.kinds("s") == ["config", "identify"]


def test_an_sfu_is_sent_config_and_identify(talk: Conversation) -> None:
    talk.sfu("f")
    assert talk.kinds("f") == ["config", "identify"]


def test_a_player_is_sent_config_before_anything_else() -> None:
    talk = Conversation()
    talk.streamer("s", "cam")
    talk.player("p")
    talk.send("p", "listStreamers")
    assert talk.kinds("p") == ["streamerList"]


# -- names ------------------------------------------------------------------------------------------


def test_a_streamer_is_listed_only_after_it_has_identified(talk: Conversation) -> None:
    talk.streamer("s")
    talk.player("p")
    talk.send("p", "listStreamers")
    assert talk.receive_one("p")["ids"] == []
    talk.send("s", "endpointId", id="cam")
    talk.send("p", "listStreamers")
    assert talk.receive_one("p")["ids"] == ["cam"]


def test_an_id_in_use_becomes_id1_then_id2(talk: Conversation) -> None:
    committed = []
    for key in ("a", "b", "c"):
        talk.streamer(key)
        talk.receive(key)
        talk.send(key, "endpointId", id="cam")
        committed.append(talk.receive_one(key)["committedId"])
    assert committed == ["cam", "cam1", "cam2"]


def test_a_second_endpoint_id_renames_and_notifies_the_players(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    talk.subscribed("p", "cam")
    talk.receive("p")
    talk.send("s", "endpointId", id="camera")
    assert talk.receive_one("p") == {"type": "streamerIdChanged", "newID": "camera"}
    talk.send("p", "listStreamers")
    assert talk.receive_one("p")["ids"] == ["camera"]


def test_the_same_endpoint_id_again_changes_nothing(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    talk.subscribed("p", "cam")
    talk.receive("p")
    talk.send("s", "endpointId", id="cam")
    assert talk.receive("p") == []
    assert talk.receive("s")[-1] == {"type": "endpointIdConfirm", "committedId": "cam"}


def test_an_empty_endpoint_id_is_refused(talk: Conversation) -> None:
    talk.streamer("s")
    talk.send("s", "endpointId", id="")
    assert talk.drops[-1].kind == "endpointId"
    assert talk.switchboard.streamers() == []


def test_a_streamer_that_does_not_identify_gets_a_default_id_after_ten_seconds(talk: Conversation) -> None:
    talk.streamer("s")
    talk.pass_time(9.9)
    assert talk.switchboard.streamers() == []
    talk.pass_time(0.1)
    assert [source.endpoint_id for source in talk.switchboard.streamers()] == ["streamer"]


# -- subscriptions ----------------------------------------------------------------------------------


def test_subscribing_sends_the_streamer_player_connected(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    player_id = talk.subscribed("p", "cam")
    expected = {"type": "playerConnected", "playerId": player_id, "dataChannel": True, "sfu": False}
    assert talk.receive_one("s") == expected
    assert player_id.isdecimal()


def test_a_player_that_offers_is_announced_with_send_offer_false(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    talk.player("p", offers=True)
    talk.send("p", "subscribe", streamerId="cam")
    assert talk.receive_one("s")["sendOffer"] is False


def test_subscribing_to_an_unknown_streamer_fails(talk: Conversation) -> None:
    talk.player("p")
    talk.send("p", "subscribe", streamerId="cam")
    assert talk.kinds("p") == ["subscribeFailed"]
    assert "p" not in talk.closed


def test_subscribing_while_subscribed_leaves_the_old_streamer_first(talk: Conversation) -> None:
    talk.streamer("a", "one")
    talk.streamer("b", "two")
    player_id = talk.subscribed("p", "one")
    talk.receive("a")
    talk.send("p", "subscribe", streamerId="two")
    assert talk.receive_one("a") == {"type": "playerDisconnected", "playerId": player_id}
    assert talk.receive_one("b")["type"] == "playerConnected"


def test_a_second_unsubscribe_does_nothing(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    talk.subscribed("p", "cam")
    talk.receive("s")
    talk.send("p", "unsubscribe")
    assert talk.kinds("s") == ["playerDisconnected"]
    talk.send("p", "unsubscribe")
    assert talk.receive("s") == []


def test_max_players_gives_the_next_one_subscribe_failed() -> None:
    talk = Conversation(Rules(max_players_per_streamer=1))
    talk.streamer("s", "cam")
    talk.subscribed("p", "cam")
    talk.player("q")
    talk.send("q", "subscribe", streamerId="cam")
    assert talk.kinds("q") == ["subscribeFailed"]
    talk.leave("p")
    talk.send("q", "subscribe", streamerId="cam")
    assert talk.kinds("s") == ["playerConnected", "playerDisconnected", "playerConnected"]


@pytest.mark.parametrize("kind", ["offer", "answer", "iceCandidate"])
def test_a_player_that_did_not_subscribe_is_subscribed_to_the_first_streamer(talk: Conversation, kind: str) -> None:
    talk.streamer("a", "one")
    talk.streamer("b", "two")
    talk.player("p")
    talk.send("p", kind, sdp=SDP, candidate=CANDIDATE)
    assert talk.kinds("a") == ["playerConnected", kind]
    assert talk.receive("b") == []


def test_a_player_that_offers_without_subscribing_gets_no_offer(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    talk.player("p")
    talk.send("p", "offer", sdp=SDP)
    assert [message.get("sendOffer") for message in talk.receive("s")] == [False, None]


def test_a_player_that_did_not_subscribe_is_closed_when_there_is_no_streamer(talk: Conversation) -> None:
    talk.player("p")
    talk.send("p", "offer", sdp=SDP)
    assert talk.closed["p"][0] is close_codes.NO_STREAMER


def test_when_a_streamer_leaves_only_its_players_are_closed(talk: Conversation) -> None:
    talk.streamer("a", "one")
    talk.streamer("b", "two")
    talk.subscribed("p", "one")
    talk.subscribed("q", "two")
    talk.leave("a")
    assert talk.closed["p"][0] is close_codes.STREAMER_LEFT
    assert "q" not in talk.closed


def test_when_a_player_leaves_its_streamer_is_notified_once(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    player_id = talk.subscribed("p", "cam")
    talk.receive("s")
    talk.leave("p")
    talk.leave("p")
    assert talk.receive_one("s") == {"type": "playerDisconnected", "playerId": player_id}


# -- forwarding -------------------------------------------------------------------------------------


def test_the_server_overwrites_the_player_id_in_players_messages(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    player_id = talk.subscribed("p", "cam")
    talk.receive("s")
    talk.send_raw("p", b'{"type":"answer","sdp":"x","playerId":"102","playerId":"103"}')
    assert talk.receive_one("s")["playerId"] == player_id


def test_unknown_fields_survive_both_ways(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    player_id = talk.subscribed("p", "cam")
    talk.receive("s")
    extra = {"colour": {"deep": [1, 2.5, None, "ä"]}}
    talk.send("p", "answer", sdp=SDP, minBitrateBps=1, **extra)
    assert talk.receive_one("s") == {"type": "answer", "sdp": SDP, "playerId": player_id, "minBitrateBps": 1, **extra}
    talk.send("s", "offer", sdp=SDP, playerId=player_id, multiplex=True, **extra)
    assert talk.receive_one("p") == {"type": "offer", "sdp": SDP, "playerId": player_id, "multiplex": True, **extra}


@pytest.mark.parametrize("version", ["1.3.0", None])
def test_a_player_gets_its_id_whatever_its_streamer_announces(talk: Conversation, version: str | None) -> None:
    talk.streamer("s", "cam", version=version)
    player_id = talk.subscribed("p", "cam")
    talk.send("s", "offer", sdp=SDP, playerId=player_id)
    talk.send("s", "iceCandidate", candidate=CANDIDATE, playerId=player_id)
    assert [message["playerId"] for message in talk.receive("p")] == [player_id, player_id]


def test_a_streamer_may_address_only_its_own_players(talk: Conversation) -> None:
    talk.streamer("a", "one")
    talk.streamer("b", "two")
    player_id = talk.subscribed("p", "one")
    talk.send("b", "offer", sdp=SDP, playerId=player_id)
    talk.send("b", "disconnectPlayer", playerId=player_id)
    assert talk.receive("p") == []
    assert "p" not in talk.closed
    assert [drop.sender for drop in talk.drops] == ["b", "b"]


def test_a_streamers_message_without_a_known_player_id_is_dropped_and_closes_nothing(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    talk.subscribed("p", "cam")
    talk.send("s", "offer", sdp=SDP)
    talk.send("s", "offer", sdp=SDP, playerId="9999")
    talk.send("s", "iceCandidate", candidate=CANDIDATE, playerId=None)
    assert len(talk.drops) == 3
    assert talk.receive("p") == []
    assert talk.closed == {}


def test_an_unknown_type_is_dropped_and_closes_nothing(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    talk.player("p")
    talk.send("p", "dance")
    talk.send("s", "dance")
    assert [drop.kind for drop in talk.drops] == ["unknown", "unknown"]
    assert talk.closed == {}


@pytest.mark.parametrize(
    "data",
    [b"null", b"1", b'"x"', b"[]", b"{}", b'{"type":1}', b'{"type":null}', b"", b"{", b"\xff\xfe"],
)
def test_an_invalid_message_is_dropped_and_closes_nothing(talk: Conversation, data: bytes) -> None:
    talk.streamer("s", "cam")
    talk.player("p")
    for key in ("s", "p"):
        talk.send_raw(key, data)
    assert [drop.kind for drop in talk.drops] == ["malformed", "malformed"]
    assert talk.closed == {}


@pytest.mark.parametrize("key", ["s", "p"])
def test_a_message_that_nests_too_deep_closes_its_sender_only(talk: Conversation, key: str) -> None:
    talk.streamer("s", "cam")
    talk.player("p")
    talk.send_raw(key, b'{"type":"ping","time":' + b"[" * 32 + b"]" * 32 + b"}")
    assert {peer: why for peer, (why, _) in talk.closed.items()} == {key: close_codes.TOO_DEEP}
    assert [(drop.sender, drop.kind) for drop in talk.drops] == [(key, "malformed")]


def test_a_peer_with_too_many_bad_messages_is_closed() -> None:
    talk = Conversation(Rules(max_bad_messages=3))
    talk.player("p")
    for _ in range(3):
        talk.send_raw("p", b"null")
    assert talk.closed["p"][0] is close_codes.BAD_MESSAGES


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("offer", {"sdp": 1}),
        ("offer", {}),
        ("iceCandidate", {"candidate": "candidate:1"}),
        ("iceCandidate", {"candidate": {"sdpMid": "0"}}),
        ("subscribe", {"streamerId": ["cam"]}),
        ("layerPreference", {"spatialLayer": "high", "temporalLayer": 1}),
    ],
)
def test_a_wrong_type_in_a_known_field_is_dropped(talk: Conversation, kind: str, fields: dict[str, object]) -> None:
    talk.streamer("s", "cam")
    talk.subscribed("p", "cam")
    talk.receive("s")
    talk.send("p", kind, **fields)
    assert talk.drops[-1].kind == kind
    assert talk.receive("s") == []


def test_disconnect_player_closes_it_with_1011_and_the_reason(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    player_id = talk.subscribed("p", "cam")
    talk.send("s", "disconnectPlayer", playerId=player_id, reason="afk")
    assert talk.closed["p"] == (close_codes.DISCONNECTED_BY_STREAMER, "afk")
    assert talk.closed["p"][0].code == 1011


@pytest.mark.parametrize("key", ["s", "p", "f"])
def test_any_peer_may_ping_and_gets_its_time_in_the_pong(talk: Conversation, key: str) -> None:
    talk.streamer("s", "cam")
    talk.player("p")
    talk.sfu("f", "sfu")
    talk.send(key, "ping", time=12.5)
    assert talk.receive_one(key) == {"type": "pong", "time": 12.5}


def test_a_layer_preference_of_the_streamers_goes_to_its_sfu(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    talk.sfu("f", "sfu")
    talk.send("f", "subscribe", streamerId="cam")
    talk.subscribed("p", "cam")
    talk.receive("p")
    talk.send("s", "layerPreference", spatialLayer=1, temporalLayer=1, playerId="1")
    assert talk.kinds("f") == ["layerPreference"]
    assert talk.receive("p") == []


def test_a_players_kick_is_refused(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    talk.subscribed("p", "cam")
    talk.subscribed("q", "cam")
    talk.send("q", "kick")
    assert talk.drops[-1].kind == "kick"
    assert talk.closed == {}


def test_control_becomes_a_call_to_the_application(talk: Conversation) -> None:
    talk.player("p")
    talk.send("p", "control", action="scene/next", payload={"n": 1})
    assert (talk.calls[0].player, talk.calls[0].action, talk.calls[0].payload) == ("p", "scene/next", {"n": 1})


@pytest.mark.parametrize("version", ["1.3.0", None])
def test_a_layer_preference_reaches_a_streamer_whatever_it_announces(talk: Conversation, version: str | None) -> None:
    talk.streamer("s", "cam", version=version)
    talk.subscribed("p", "cam")
    talk.receive("s")
    talk.send("p", "layerPreference", spatialLayer=0, temporalLayer=0, playerId="")
    assert talk.kinds("s") == ["layerPreference"]


def test_players_get_their_number_where_the_rules_require_it() -> None:
    talk = Conversation(Rules(tell_player_count=True))
    talk.player("p")
    talk.player("q")
    talk.leave("p")
    assert [message["count"] for message in talk.receive("q")] == [1]
    talk = Conversation()
    talk.player("p")
    talk.player("q")
    assert talk.receive("p") == []


# -- 4.27 -------------------------------------------------------------------------------------------


def test_a_legacy_streamer_is_sent_only_messages_of_its_dialect() -> None:
    talk = Conversation(Rules(legacy_streamers=True))
    talk.streamer("s")
    talk.player("p")
    talk.send("p", "listStreamers")
    assert talk.receive("p") == []
    talk.send("p", "offer", sdp=SDP)
    talk.send("p", "iceCandidate", candidate=CANDIDATE)
    talk.send("p", "answer", sdp=SDP)
    talk.send("p", "layerPreference", spatialLayer=0, temporalLayer=0)
    talk.send("s", "ping", time=1)
    talk.leave("p")
    assert talk.kinds("s") == ["config", "offer", "iceCandidate", "pong", "playerDisconnected"]
    assert [(entry.kind, entry.first) for entry in talk.withheld] == [("answer", True), ("layerPreference", True)]


@pytest.mark.parametrize("as_number", [True, False])
def test_a_legacy_streamer_may_write_player_ids_as_numbers(as_number: bool) -> None:
    talk = Conversation(Rules(legacy_streamers=True))
    talk.streamer("s")
    talk.player("p")
    talk.send("p", "offer", sdp=SDP)
    player_id = talk.receive("s")[-1]["playerId"]
    talk.send("s", "answer", sdp=SDP, playerId=int(player_id) if as_number else player_id)
    assert talk.receive_one("p") == {"type": "answer", "sdp": SDP}


# -- SFUs -------------------------------------------------------------------------------------------


def test_an_sfu_is_a_player_to_its_streamer_and_a_streamer_to_its_players(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    talk.sfu("f", "sfu")
    talk.send("f", "listStreamers")
    assert talk.receive_one("f")["ids"] == ["cam"]
    talk.send("f", "subscribe", streamerId="cam")
    connected = talk.receive_one("s")
    assert connected["sfu"] is True
    talk.send("s", "offer", sdp=SDP, playerId=connected["playerId"], sfu=True)
    assert talk.receive_one("f")["type"] == "offer"
    talk.send("f", "answer", sdp=SDP)
    assert talk.receive_one("s")["playerId"] == connected["playerId"]

    talk.player("p")
    talk.send("p", "listStreamers")
    assert talk.receive_one("p")["ids"] == ["cam"]
    talk.send("f", "startStreaming")
    talk.send("p", "listStreamers")
    assert talk.receive_one("p")["ids"] == ["cam", "sfu"]
    talk.send("p", "subscribe", streamerId="sfu")
    player_id = talk.receive_one("f")["playerId"]
    talk.send("f", "offer", sdp=SDP, playerId=player_id)
    assert talk.receive_one("p") == {"type": "offer", "sdp": SDP}
    talk.send("p", "answer", sdp=SDP)
    assert talk.receive_one("f")["playerId"] == player_id
    talk.send("p", "dataChannelRequest")
    assert talk.receive_one("f")["type"] == "dataChannelRequest"
    talk.send("f", "peerDataChannels", playerId=player_id, sendStreamId=1, recvStreamId=2)
    assert talk.receive_one("p") == {"type": "peerDataChannels", "sendStreamId": 1, "recvStreamId": 2}
    talk.send("f", "iceCandidate", playerId=player_id, candidate=CANDIDATE)
    assert talk.receive_one("p") == {"type": "iceCandidate", "playerId": player_id, "candidate": CANDIDATE}


def test_an_sfus_data_channels_reach_its_streamer_with_the_sfus_id(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    talk.sfu("f", "sfu")
    talk.send("f", "subscribe", streamerId="cam")
    sfu_id = talk.receive_one("s")["playerId"]
    talk.send("f", "streamerDataChannels", playerId="101", sfuId="0", sendStreamId=1, recvStreamId=2)
    assert talk.receive_one("s")["sfuId"] == sfu_id


def test_an_sfu_whose_streamer_leaves_is_notified_and_its_players_are_closed(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    talk.sfu("f", "sfu")
    talk.send("f", "subscribe", streamerId="cam")
    talk.send("f", "startStreaming")
    talk.subscribed("p", "sfu")
    talk.receive("f")
    talk.leave("s")
    assert talk.kinds("f") == ["streamerDisconnected", "playerDisconnected"]
    assert talk.closed["p"][0] is close_codes.STREAMER_LEFT
    assert "f" not in talk.closed


def test_a_player_may_subscribe_to_an_sfu_before_it_streams(talk: Conversation) -> None:
    talk.sfu("f", "sfu")
    player_id = talk.subscribed("p", "sfu")
    assert talk.receive_one("f") == {
        "type": "playerConnected",
        "playerId": player_id,
        "dataChannel": True,
        "sfu": False,
    }
    talk.pass_time(100)
    assert talk.switchboard.longest_unanswered(talk.now) == 0
    talk.send("f", "startStreaming")
    assert talk.switchboard.longest_unanswered(talk.now) == 100
    talk.send("f", "offer", sdp=SDP, playerId=player_id)
    assert talk.receive_one("p") == {"type": "offer", "sdp": SDP}


def test_an_sfu_that_does_not_stream_is_not_chosen_for_a_player(talk: Conversation) -> None:
    talk.sfu("f", "sfu")
    talk.player("p")
    talk.send("p", "listStreamers")
    assert talk.receive_one("p")["ids"] == []
    talk.send("p", "offer", sdp=SDP)
    assert talk.closed["p"][0] is close_codes.NO_STREAMER


def test_the_players_of_an_sfu_that_stops_streaming_are_closed(talk: Conversation) -> None:
    talk.sfu("f", "sfu")
    talk.send("f", "startStreaming")
    talk.subscribed("p", "sfu")
    talk.send("f", "stopStreaming")
    assert talk.closed["p"][0] is close_codes.STREAMER_LEFT
    assert talk.switchboard.streamers() == []


# -- players with a lease ---------------------------------------------------------------------------


LEASED = Admission(session_id="session-1", endpoint_id="two", shown_as="game")


def test_a_leased_player_is_shown_only_its_streamer_under_the_apps_name(talk: Conversation) -> None:
    talk.streamer("a", "one")
    talk.streamer("b", "two")
    talk.player("p", admission=LEASED)
    talk.send("p", "listStreamers")
    assert talk.receive_one("p")["ids"] == ["game"]
    talk.send("p", "subscribe", streamerId="game")
    assert talk.receive("a") == []
    assert talk.kinds("b") == ["playerConnected"]


def test_a_leased_player_can_subscribe_to_nothing_else(talk: Conversation) -> None:
    talk.streamer("a", "one")
    talk.streamer("b", "two")
    talk.player("p", admission=LEASED)
    talk.send("p", "subscribe", streamerId="one")
    assert talk.kinds("p") == ["subscribeFailed"]
    assert talk.receive("a") == []


def test_a_leased_player_that_does_not_subscribe_gets_its_streamer(talk: Conversation) -> None:
    talk.streamer("a", "one")
    talk.streamer("b", "two")
    talk.player("p", admission=LEASED)
    talk.send("p", "offer", sdp=SDP)
    assert talk.receive("a") == []
    assert talk.kinds("b") == ["playerConnected", "offer"]


def test_a_leased_player_whose_streamer_left_is_closed_with_a_code_to_reconnect(talk: Conversation) -> None:
    talk.streamer("a", "one")
    talk.player("p", admission=LEASED)
    talk.send("p", "subscribe", streamerId="game")
    assert talk.closed["p"][0] is close_codes.STREAM_UNAVAILABLE


def test_a_leased_player_is_not_notified_of_a_new_streamer_id(talk: Conversation) -> None:
    talk.streamer("b", "two")
    talk.player("p", admission=LEASED)
    talk.send("p", "subscribe", streamerId="game")
    talk.send("b", "endpointId", id="three")
    assert talk.receive("p") == []


# -- the driver -------------------------------------------------------------------------------------


def test_a_kick_closes_the_player_and_notifies_its_streamer(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    talk.subscribed("p", "cam")
    talk.receive("s")
    talk.disconnect("p", close_codes.KICKED, "be nice")
    assert talk.closed["p"] == (close_codes.KICKED, "be nice")
    assert talk.kinds("s") == ["playerDisconnected"]


def test_a_message_of_an_unknown_peer_is_ignored(talk: Conversation) -> None:
    assert talk.switchboard.received("nobody", b"{}", 0.0) == []
    assert talk.switchboard.left("nobody") == []


def test_a_key_in_use_is_an_error(talk: Conversation) -> None:
    talk.player("p")
    with pytest.raises(ValueError, match="in use"):
        talk.switchboard.player_connected("p", 0.0, b"{}")


# -- outputs about the application ------------------------------------------------------------------


def test_a_subscribed_player_waits_for_its_streamers_first_message(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    talk.pass_time(5)
    player_id = talk.subscribed("p", "cam")
    talk.pass_time(7)
    assert talk.switchboard.longest_unanswered(talk.now) == 7
    talk.send("s", "offer", sdp=SDP, playerId=player_id)
    assert talk.switchboard.longest_unanswered(talk.now) == 0


def test_a_player_that_offered_waits_for_the_answer(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    talk.player("p", offers=True)
    talk.send("p", "subscribe", streamerId="cam")
    talk.pass_time(7)
    assert talk.switchboard.longest_unanswered(talk.now) == 0
    talk.send("p", "offer", sdp=SDP)
    talk.pass_time(3)
    assert talk.switchboard.longest_unanswered(talk.now) == 3
    talk.send("s", "answer", sdp=SDP, playerId="101")
    assert talk.switchboard.longest_unanswered(talk.now) == 0


def test_a_player_that_left_no_longer_waits(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    talk.subscribed("p", "cam")
    talk.pass_time(7)
    talk.leave("p")
    assert talk.switchboard.longest_unanswered(talk.now) == 0


def test_a_player_of_a_4_27_streamer_waits_for_the_answer() -> None:
    talk = Conversation(Rules(legacy_streamers=True))
    talk.streamer("s")
    talk.player("p")
    talk.send("p", "offer", sdp=SDP)
    talk.pass_time(3)
    assert talk.switchboard.longest_unanswered(talk.now) == 3


def test_an_output_has_the_id_that_a_streamer_got(talk: Conversation) -> None:
    talk.streamer("a", "cam")
    talk.streamer("b", "cam")
    talk.send("a", "endpointId", id="lens")
    assert talk.named == [("a", "cam", "cam"), ("b", "cam1", "cam"), ("a", "lens", "lens")]


# -- the time until the first answer ----------------------------------------------------------------


@pytest.fixture
def bounded() -> Conversation:
    talk = Conversation(Rules(first_media_seconds=60.0))
    talk.streamer("s", "cam")
    return talk


def test_a_leased_player_that_never_negotiates_is_closed_and_its_slot_is_free(bounded: Conversation) -> None:
    bounded.player("p", admission=Admission("session-1", "cam", "game"))
    bounded.pass_time(59.0)
    bounded.send("p", "ping")
    assert "p" not in bounded.closed
    bounded.pass_time(1.0)
    assert bounded.closed["p"] == (close_codes.NO_MEDIA, close_codes.NO_MEDIA.reason)
    assert bounded.receive("p")[-1] == {"type": "subscribeFailed", "message": close_codes.NO_MEDIA.reason}
    assert bounded.switchboard.players() == []


def test_a_player_that_ignores_the_offer_is_closed(bounded: Conversation) -> None:
    player_id = bounded.subscribed("p", "cam")
    bounded.send("s", "offer", playerId=player_id, sdp=SDP)
    bounded.send("p", "iceCandidate", candidate=CANDIDATE)
    bounded.pass_time(60.0)
    assert bounded.closed["p"][0] is close_codes.NO_MEDIA


def test_a_player_gains_no_time_by_subscribing_again(bounded: Conversation) -> None:
    bounded.send("s", "offer", playerId=bounded.subscribed("p", "cam"), sdp=SDP)
    bounded.pass_time(50.0)
    bounded.send("p", "unsubscribe")
    bounded.send("p", "subscribe", streamerId="cam")
    bounded.send("s", "offer", playerId=bounded.switchboard.players()[0].player_id, sdp=SDP)
    bounded.pass_time(10.0)
    assert bounded.closed["p"][0] is close_codes.NO_MEDIA


def test_a_player_whose_streamer_is_silent_may_try_another_one(bounded: Conversation) -> None:
    bounded.player("p", offers=True)
    bounded.send("p", "subscribe", streamerId="cam")
    bounded.send("p", "offer", sdp=SDP)
    bounded.pass_time(60.0)
    assert bounded.closed["p"][0] is close_codes.STREAM_UNAVAILABLE


@pytest.mark.parametrize("offers", ["streamer", "player"])
def test_a_player_with_an_answer_stays(bounded: Conversation, offers: str) -> None:
    player_id = bounded.subscribed("p", "cam")
    if offers == "streamer":
        bounded.send("s", "offer", playerId=player_id, sdp=SDP)
        bounded.send("p", "answer", sdp=SDP)
    else:
        bounded.send("p", "offer", sdp=SDP)
        bounded.send("s", "answer", playerId=player_id, sdp=SDP)
    bounded.pass_time(3600.0)
    assert "p" not in bounded.closed


def test_a_player_of_an_sfu_with_an_answer_stays(bounded: Conversation) -> None:
    bounded.sfu("f", "room")
    bounded.send("f", "startStreaming")
    player_id = bounded.subscribed("p", "room")
    bounded.send("p", "offer", sdp=SDP)
    bounded.send("f", "answer", playerId=player_id, sdp=SDP)
    bounded.pass_time(3600.0)
    assert "p" not in bounded.closed


def test_a_player_without_a_slot_may_wait(bounded: Conversation) -> None:
    bounded.player("p")
    bounded.pass_time(3600.0)
    assert "p" not in bounded.closed


def test_without_a_limit_a_silent_player_stays(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    talk.subscribed("p", "cam")
    talk.pass_time(3600.0)
    assert "p" not in talk.closed
