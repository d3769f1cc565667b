from pixelfleet_cli.loadtest.core.streamer import CannedStreamer


def test_a_streamer_names_itself_and_offers() -> None:
    streamer = CannedStreamer("load-1")
    (named,) = streamer.take({"type": "identify"})
    assert named["id"] == "load-1"
    before = streamer.is_registered
    streamer.take({"type": "endpointIdConfirm", "committedId": "load-1"})
    assert (before, streamer.is_registered) == (False, True)
    (offer,) = streamer.take({"type": "playerConnected", "playerId": "7"})
    assert (offer["type"], offer["playerId"]) == ("offer", "7")
    assert streamer.players == {"7"}
    assert streamer.take({"type": "playerDisconnected", "playerId": "7"}) == []
    assert streamer.players == set()


def test_a_player_that_offers_gets_no_offer() -> None:
    assert CannedStreamer("a").take({"type": "playerConnected", "playerId": "7", "sendOffer": False}) == []


def test_pings_are_answered_and_other_messages_ignored() -> None:
    streamer = CannedStreamer("a")
    assert streamer.take({"type": "ping", "time": 3}) == [{"type": "pong", "time": 3}]
    assert streamer.take({"type": "playerConnected"}) == []
    assert streamer.take({"type": "answer", "playerId": "7", "sdp": ""}) == []
