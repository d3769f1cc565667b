"""The conversation on a data channel."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teststreamer.datachannel import MAX_FILLER, Conversation, Facts
from teststreamer.datachannel_codec import TO_STREAMER, DataMessage, Direction, Value, decode, encode
from teststreamer.stage import Stage

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=8,
)


class Host:
    """Records the requests."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    def facts(self) -> Facts:
        return Facts("cam", frame=5, encode_seconds=0.002, capture_seconds=0.003, average_qp=18.4)

    def initial_settings(self) -> dict[str, object]:
        return {"WebRTC": {"FPS": 30}}

    def request_keyframe(self, player_id: str) -> None:
        self.asked.append(("keyframe", player_id))

    def set_playing(self, player_id: str, playing: bool) -> None:
        self.asked.append(("playing", player_id, playing))

    def take_quality_control(self, player_id: str) -> None:
        self.asked.append(("quality", player_id))


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def stage() -> Stage:
    return Stage(lambda: 1000.0)


@pytest.fixture
def talk(stage: Stage, host: Host) -> Conversation:
    return Conversation("101", stage, host)


def ask(talk: Conversation, name: str, *values: Value) -> list[DataMessage]:
    answers = talk.receive(encode(name, *values, direction=Direction.TO_STREAMER))
    return [decode(answer, Direction.FROM_STREAMER) for answer in answers]


def ask_json(talk: Conversation, name: str, *values: Value) -> tuple[str, Any]:
    (answer,) = ask(talk, name, *values)
    return answer.name, json.loads(str(answer.values["text"]))


def test_the_greeting_has_all_that_a_page_waits_for(talk: Conversation) -> None:
    names = [decode(data, Direction.FROM_STREAMER).name for data in talk.greeting()]
    assert names == [
        "Protocol",
        "Protocol",
        "InitialSettings",
        "VideoEncoderAvgQP",
        "QualityControlOwnership",
        "InputControlOwnership",
    ]


def test_a_ui_interaction_is_echoed(talk: Conversation, stage: Stage) -> None:
    name, echo = ask_json(talk, "UIInteraction", '{"do": ["x", 1]}')
    assert name == "Response"
    assert echo == {"type": "echo", "streamer": "cam", "player": "101", "frame": 5, "received": {"do": ["x", 1]}}
    assert stage.inputs[0].text == '{"do": ["x", 1]}'


@given(JSON)
def test_any_json_comes_back(descriptor: Any) -> None:
    talk = Conversation("101", Stage(), Host())
    assert ask_json(talk, "UIInteraction", json.dumps(descriptor))[1]["received"] == descriptor


def test_a_text_that_is_no_json_comes_back_as_text(talk: Conversation) -> None:
    assert ask_json(talk, "UIInteraction", "dance!")[1]["received"] == "dance!"


def test_what_is_too_large_to_come_back_is_left_out(talk: Conversation) -> None:
    _, echo = ask_json(talk, "UIInteraction", "x" * 32760)
    assert (echo["received"], echo["truncated"]) == (None, True)


def test_the_latency_test_is_answered_with_times(talk: Conversation) -> None:
    name, times = ask_json(talk, "LatencyTest", '{"StartTime": 1}')
    assert name == "LatencyTest"
    assert times == {"ReceiptTimeMs": 1e6, "EncodeMs": 2, "CaptureToSendMs": 3, "TransmissionTimeMs": 1e6}


@pytest.mark.parametrize(("asked", "filled"), [(0, 0), (10, 10), (10**9, MAX_FILLER), (-5, 0)])
def test_the_channels_latency_test_is_answered_with_a_bounded_filler(
    talk: Conversation, asked: int, filled: int
) -> None:
    text = json.dumps({"Seq": 4, "FillResponseSize": asked, "Filler": "AAA"})
    name, answer = ask_json(talk, "DataChannelLatencyTest", text)
    assert (name, answer["Seq"], len(answer["Filler"])) == ("DataChannelLatencyTest", 4, filled)
    assert answer["ReceivedTimestamp"] <= answer["SentTimestamp"]


@pytest.mark.parametrize(
    "text", ["", "nonsense", "[]", '{"Seq": "x"}', '{"Seq": 1, "FillResponseSize": []}', '{"a":' * 5_000]
)
def test_a_latency_test_that_cannot_be_read_is_counted(talk: Conversation, stage: Stage, text: str) -> None:
    assert ask(talk, "DataChannelLatencyTest", text) == []
    assert stage.counts["malformed"] == 1


def test_requests_reach_the_streamer(talk: Conversation, host: Host) -> None:
    for name in ("IFrameRequest", "StopStreaming", "StartStreaming", "RequestQualityControl"):
        assert ask(talk, name) == []
    assert host.asked == [("keyframe", "101"), ("playing", "101", False), ("playing", "101", True), ("quality", "101")]


def test_the_owner_of_the_quality_is_told_so(talk: Conversation, stage: Stage) -> None:
    assert decode(talk.ownership(), Direction.FROM_STREAMER).values == {"owned": 0}
    stage.quality_controller = "101"
    assert decode(talk.ownership(), Direction.FROM_STREAMER).values == {"owned": 1}


def test_the_quantiser_is_a_number_in_text(talk: Conversation) -> None:
    assert decode(talk.average_qp(), Direction.FROM_STREAMER).values == {"text": "18"}


def test_settings_and_echoes_are_answered(talk: Conversation) -> None:
    assert ask_json(talk, "RequestInitialSettings") == ("InitialSettings", {"WebRTC": {"FPS": 30}})
    assert [answer.name for answer in ask(talk, "TestEcho")] == ["TestEcho"]


def test_each_gamepad_gets_a_number(talk: Conversation) -> None:
    numbers = [ask_json(talk, "GamepadConnected")[1]["controllerId"] for _ in range(2)]
    assert numbers == [1, 2]


def test_only_a_persons_input_is_recorded(talk: Conversation, stage: Stage) -> None:
    ask(talk, "RequestInitialSettings")
    ask(talk, "MouseWheel", -120, 1, 2)
    ask(talk, "Command", '{"WebRTC.Fps":60}')
    assert [seen.kind for seen in stage.inputs] == ["MouseWheel", "Command"]


@given(
    st.binary(max_size=300) | st.text(max_size=20), st.sampled_from(sorted(TO_STREAMER.values(), key=lambda x: x.id))
)
def test_nothing_that_a_player_sends_raises(data: bytes | str, layout: Any) -> None:
    stage = Stage()
    talk = Conversation("101", stage, Host())
    for sent in (data, bytes([layout.id]) + data if isinstance(data, bytes) else data):
        for answer in talk.receive(sent):
            decode(answer, Direction.FROM_STREAMER)
