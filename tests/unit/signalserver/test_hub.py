"""The hub: gauges, counters, log lines and calls."""

from time import perf_counter

import pytest
from structlog.testing import capture_logs

from pixelfleet.protocol import close_codes
from pixelfleet.protocol.first_frame import STEPS
from signalserver.core.message_rules import MAX_PATH_CHANGES
from signalserver.core.outputs import Call
from signalserver.core.roster import Admission, Role
from signalserver.core.state import Rules
from signalserver.journal import UNREAL_4, UNREAL_5_0
from tests.parts import eventually
from tests.unit.pixelfleet.protocol.test_sdp import recorded
from tests.unit.signalserver.core.conversation import SDP
from tests.unit.signalserver.hubs import Made, make_hub


@pytest.fixture
async def made() -> Made:
    return make_hub()


async def test_the_gauges_follow_the_connected_peers(made: Made) -> None:
    streamer, player = made.streamer("cam"), made.player()
    assert (made.hub.count(Role.PLAYER), made.hub.count(Role.STREAMER)) == (1, 1)
    assert made.gauge("signalserver_player_socket_connections") == 1
    assert made.gauge("stream_player_connections") == 1
    assert made.gauge("signalserver_stream_socket_connections") == 1
    assert made.gauge("signalserver_stream_socket_open_indicator") == 1
    assert made.gauge("signalserver_free_stream_indicator") == 1
    player.send("subscribe", streamerId="cam")
    assert made.gauge("signalserver_free_stream_indicator") == 0
    player.leave()
    assert made.gauge("stream_player_connections") == 0
    assert made.gauge("signalserver_free_stream_indicator") == 1
    streamer.leave()
    assert made.gauge("signalserver_stream_socket_open_indicator") == 0
    assert made.gauge("signalserver_free_stream_indicator") == 0


async def test_a_relayed_message_is_counted_and_timed(made: Made) -> None:
    streamer, player = made.streamer("cam"), made.player()
    player.send("subscribe", streamerId="cam")
    streamer.send("offer", sdp=SDP, playerId=player.connection.peer_id)
    assert player.kinds() == ["config", "offer"]
    assert made.metrics.messages.received["streamer", "offer"] == 1
    assert made.metrics.messages.sent["offer"] == 1
    assert made.gauge("signalserver_relay_seconds_count") == 1


async def test_each_log_line_names_the_peer_and_its_session(made: Made) -> None:
    with capture_logs() as lines:
        streamer = made.streamer("cam")
        player = made.player(Admission("session-1", "cam", "game"))
        player.send("dance")
        player.leave(4000, "why")
        streamer.leave()
    events = {(line["event"], line["role"]): line for line in lines}
    for event in ("peer connected", "message dropped", "peer disconnected"):
        line = events[event, "player"]
        assert (line["peer"], line["session"]) == (player.connection.peer_id, "session-1")
    assert events["streamer named", "streamer"]["peer"] == "cam"
    assert events["peer disconnected", "streamer"]["peer"] == "cam"


async def test_the_first_frame_is_counted_and_logged_once_per_player(made: Made) -> None:
    made.streamer("cam")
    player, other = made.player(Admission("session-1", "cam", "game")), made.player()
    with capture_logs() as lines:
        for _ in range(3):
            player.send("stats", data='{"firstFrame": {"opened": 200, "configured": 260, "frame": 5260}}')
        other.send("stats", data='{"firstFrame": {"frame": "soon"}}')
    assert [line for line in lines if line["event"] == "first frame"] == [
        {
            "event": "first frame",
            "log_level": "info",
            "peer": player.connection.peer_id,
            "session": "session-1",
            "page": 0.2,
            "dial": 0.06,
            "picture": 5.0,
        }
    ]
    assert made.gauge("signalserver_first_frame_seconds_count") == 1
    assert made.gauge("signalserver_first_frame_seconds_sum") == pytest.approx(5.26)
    shown = {
        (sample.labels["step"], sample.name.rpartition("_")[2]): sample.value
        for family in made.metrics.registries.all.collect()
        for sample in family.samples
        if sample.name in ("signalserver_first_frame_step_seconds_sum", "signalserver_first_frame_step_seconds_count")
    }
    assert shown["picture", "sum"] == pytest.approx(5.0)
    assert {step: shown[step, "count"] for step in STEPS.values()} == {
        "page": 1,
        "match": 0,
        "dial": 1,
        "offer": 0,
        "path": 0,
        "picture": 1,
    }


async def test_the_logged_statistics_of_a_player_are_limited(made: Made) -> None:
    made.streamer("cam")
    player = made.player()
    with capture_logs() as lines:
        for number in range(10 * MAX_PATH_CHANGES):
            player.send("stats", data=f'{{"path": "{("host", "relayed")[number % 2]}"}}')
    assert len(lines) == MAX_PATH_CHANGES


async def test_a_failed_video_is_counted_and_logged_with_its_codec(made: Made) -> None:
    streamer, player = made.streamer("cam"), made.player()
    player.send("subscribe", streamerId="cam")
    streamer.send("offer", sdp=recorded("chromium_offer_h264"), playerId=player.connection.peer_id)
    with capture_logs() as lines:
        player.send("answer", sdp=recorded("firefox_answer_refused"))
    assert [(line["event"], line["why"], line["codecs"]) for line in lines] == [("video failed", "no_codec", "H264")]
    assert player.socket.closes == [(4207, "no common video codec: H264")]
    count = made.metrics.registries.all.get_sample_value
    assert count("signalserver_video_failures_total", {"reason": "no_codec", "codec": "H264"}) == 1


async def test_what_a_strict_streamer_is_not_sent_is_counted_and_logged_once(made: Made) -> None:
    with capture_logs() as lines:
        made.streamer().leave(4000, "Unsupported message `endpointIdConfirm` received from SS")
        streamer = made.streamer()
        streamer.send("endpointId", id="cam")
        player = made.player()
        player.send("subscribe", streamerId="cam")
        for _ in range(3):
            player.send("layerPreference", spatialLayer=0, temporalLayer=0)
    assert streamer.kinds() == ["config", "identify", "playerConnected"]
    refused = [line for line in lines if line["event"] == "streamer refused a message"]
    assert [(line["type"], line["next"]) for line in refused] == [("endpointIdConfirm", UNREAL_5_0)]
    withheld = [line for line in lines if line["event"] == "message not forwarded"]
    assert [(line["type"], line["streamer"]) for line in withheld] == [("layerPreference", "cam")]
    assert made.metrics.messages.dropped["player", "layerPreference"] == 3


async def test_a_refusal_of_a_4_27_streamer_is_logged_with_the_remedy(made: Made) -> None:
    with capture_logs() as lines:
        made.streamer().leave(4001, "Unsupported message received: identify")
    assert [line["next"] for line in lines if line["event"] == "streamer refused a message"] == [UNREAL_4]


@pytest.mark.parametrize("answers", [True, False])
async def test_the_holder_of_an_id_is_pinged_before_it_is_replaced(made: Made, *, answers: bool) -> None:
    old, new = made.streamer("cam", identity="10.0.0.7"), made.streamer(identity="10.0.0.7")
    old.socket.answers = answers
    new.send("endpointId", id="cam")
    assert old.socket.pings == 1
    confirm = {"type": "endpointIdConfirm", "committedId": "cam1" if answers else "cam"}
    await eventually(lambda: confirm in new.received(), "the id is confirmed")
    assert old.socket.closes == ([] if answers else [(4004, close_codes.REPLACED.reason)])


async def test_sdp_and_candidates_are_not_logged(made: Made) -> None:
    with capture_logs() as lines:
        streamer, player = made.streamer("cam"), made.player()
        player.send("subscribe", streamerId="cam")
        streamer.send("offer", sdp="hush", playerId=player.connection.peer_id)
        player.send("answer", sdp=["hush"])
        player.send("iceCandidate", candidate="hush")
    assert "hush" not in str(lines)


async def test_the_logged_bad_messages_of_a_peer_are_limited() -> None:
    made = make_hub(Rules(max_bad_messages=2000))
    player = made.player()
    with capture_logs() as lines:
        for _ in range(1000):
            player.send("dance")
    assert [line["count"] for line in lines] == [2**power for power in range(10)]
    assert made.metrics.messages.dropped["player", "unknown"] == 1000


async def test_a_kicked_player_gets_the_reason_before_it_is_closed(made: Made) -> None:
    streamer, player = made.streamer("cam"), made.player()
    player.send("subscribe", streamerId="cam")
    made.hub.kick(player.socket.real, "time is up")
    assert player.received()[-1] == {"type": "subscribeFailed", "message": "time is up"}
    assert player.socket.closes == [(close_codes.KICKED.code, "time is up")]
    assert streamer.kinds()[-1] == "playerDisconnected"
    assert made.metrics.messages.sent["subscribeFailed"] == 1


async def test_a_call_goes_to_the_application_if_there_is_one() -> None:
    player = make_hub().player()
    player.send("control", action="x" * 1000)
    answer = player.received()[-1]
    assert answer == {"type": "response", "action": "x" * 256, "error": "control is not configured here"}
    calls: list[tuple[str, str]] = []
    player = make_hub(on_call=lambda connection, call: calls.append((connection.peer_id, call.action))).player()
    player.send("control", action="next")
    assert calls == [(player.connection.peer_id, "next")]


async def test_a_call_of_a_disconnected_player_is_dropped(made: Made) -> None:
    player = made.player()
    player.leave()
    made.hub.execute([Call(player.socket.real, "next", None)])
    assert player.kinds() == ["config"]


async def test_every_change_wakes_the_watchers(made: Made) -> None:
    changed = made.hub.watch()
    streamer = made.streamer("cam")
    assert changed.is_set()
    changed.clear()
    player = made.player()
    player.send("subscribe", streamerId="cam")
    assert changed.is_set()
    changed.clear()
    streamer.send("ping")
    assert not changed.is_set()


async def test_closing_all_closes_each_once(made: Made) -> None:
    peers = [made.streamer("cam"), made.player(), made.player()]
    peers[1].send("subscribe", streamerId="cam")
    made.hub.close_all(close_codes.RESTARTING)
    assert [len(peer.socket.closes) for peer in peers] == [1, 1, 1]
    assert peers[0].socket.closes[0][0] == close_codes.RESTARTING.code
    assert peers[2].socket.closes[0][0] == close_codes.RESTARTING.code


async def test_a_session_without_a_token_can_be_ended(made: Made) -> None:
    player, other = made.player(), made.player()
    made.hub.end_session(f"direct-{player.connection.peer_id}")
    assert player.socket.closes == [(close_codes.KICKED.code, close_codes.KICKED.reason)]
    assert other.socket.closes == []


async def test_a_kicked_session_is_refused_from_then_on(made: Made) -> None:
    player = made.player(Admission("session-1", "cam", "game"))
    made.hub.kick(player.socket.real, "time is up")
    assert made.hub.sessions.refuses("session-1", perf_counter())
