from pixelfleet_cli.loadtest.core.descriptions import OFFER
from pixelfleet_cli.loadtest.core.player import Player, Stage


def test_a_player_queues_and_gets_a_streamer() -> None:
    player = Player(negotiates=False)
    stages = []
    for message in (
        {"type": "matchmaker", "queued": True, "matched": False},
        {"type": "config", "peerConnectionOptions": {}},
    ):
        assert player.take(message) == []
        stages.append(player.stage)
    assert stages == [Stage.QUEUED, Stage.SERVED]


def test_a_negotiating_player_subscribes_once_and_answers() -> None:
    player = Player(negotiates=True)
    assert player.take({"type": "config"}) == [{"type": "listStreamers"}]
    assert player.take({"type": "streamerList", "ids": []}) == []
    assert player.take({"type": "streamerList", "ids": [1, "cam"]}) == [{"type": "subscribe", "streamerId": "cam"}]
    assert player.take({"type": "streamerList", "ids": ["cam"]}) == []
    (answer,) = player.take({"type": "offer", "sdp": OFFER})
    assert answer["type"] == "answer"
    assert player.stage == Stage.OFFERED


def test_a_player_with_media_leaves_the_answer_to_them() -> None:
    player = Player(negotiates=True, answers=False)
    assert player.take({"type": "offer", "sdp": OFFER}) == []
    assert player.stage == Stage.OFFERED


def test_a_refusal_is_kept_as_one_short_line() -> None:
    player = Player(negotiates=True)
    player.take({"type": "subscribeFailed", "message": "full\n" * 100})
    assert player.refused is not None
    assert len(player.refused) <= 80
    assert "\n" not in player.refused


def test_pings_are_answered() -> None:
    assert Player(negotiates=False).take({"type": "ping", "time": 5}) == [{"type": "pong", "time": 5}]


def test_a_new_arrival_begins_anew_and_a_resumed_one_does_not() -> None:
    player = Player(negotiates=True)
    player.query()
    player.take({"type": "session", "token": "t", "reloadSeconds": 5})
    player.take({"type": "config"})
    player.query()
    resumed = player.stage
    player.line.end()
    player.query()
    assert [resumed, player.stage] == [Stage.SERVED, Stage.DIALLED]


def test_messages_of_wrong_types_do_no_harm() -> None:
    player = Player(negotiates=True)
    for message in (
        {"type": "streamerList", "ids": None},
        {"type": "offer", "sdp": 5},
        {"type": "subscribeFailed"},
        {"type": "unknown"},
    ):
        assert player.take(message) == []
