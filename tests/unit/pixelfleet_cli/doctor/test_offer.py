"""The conversation of a player, the codecs of an offer, and their judgement."""

import pytest

from pixelfleet_cli.doctor.findings.codecs import BROWSERS, MAX_CODECS, Video, played_by, video_of
from pixelfleet_cli.doctor.findings.conversation import Conversation
from pixelfleet_cli.doctor.findings.model import Result, Severity
from pixelfleet_cli.doctor.findings.offer import judge_conversation

HEAD = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n"
VIDEO = (
    "m=video 9 UDP/TLS/RTP/SAVPF 97 96 98 99\r\na=sendrecv\r\na=rtpmap:96 H264/90000\r\na=rtpmap:97 VP9/90000\r\n"
    "a=rtpmap:98 rtx/90000\r\na=rtpmap:99 ulpfec/90000\r\na=msid:- track\r\na=ssrc:1 msid:stream track\r\n"
)


def after(*messages: dict[str, object]) -> tuple[Conversation, list[dict[str, object]]]:
    """Return a conversation after these messages of a server, and the replies."""
    conversation = Conversation()
    return conversation, [reply for message in messages for reply in conversation.take(message)]


def judged(*messages: dict[str, object], code: int = 0) -> Result:
    return judge_conversation(after(*messages)[0], 10.0, code, "")


def name_of(result: Result) -> str:
    """Return the name of the only finding; empty without one."""
    return result.findings[0].kind.name if result.findings else ""


# -- the conversation -------------------------------------------------------------------------------


def test_a_player_lists_and_subscribes_to_the_first_streamer_once() -> None:
    listed: dict[str, object] = {"type": "streamerList", "ids": [3, "a", "b"]}
    conversation, replies = after(
        {"type": "matchmaker", "queued": True},
        {"type": "matchmaker", "matched": True, "dialect": "5.5"},
        {"type": "config", "peerConnectionOptions": {"iceServers": []}},
        {"type": "streamerList", "ids": []},
        listed,
        listed,
        {"type": "ping", "time": 7},
    )
    assert replies == [
        {"type": "listStreamers"},
        {"type": "subscribe", "streamerId": "a"},
        {"type": "pong", "time": 7},
    ]
    assert conversation.configuration == {"iceServers": []}
    assert not conversation.over
    conversation.take({"type": "offer", "sdp": "v=0"})
    assert conversation.over


@pytest.mark.parametrize(
    "message",
    [
        {"type": "matchmaker", "unserved": True},
        {"type": "subscribeFailed", "message": "no"},
        {"type": "subscribeFailed"},
    ],
    ids=str,
)
def test_a_conversation_ends_when_nothing_more_can_be_learned(message: dict[str, object]) -> None:
    assert after(message)[0].over


def test_a_player_that_waits_may_still_be_matched() -> None:
    position: dict[str, object] = {"type": "matchmaker", "position": 4}
    assert not after(position)[0].over
    assert after(position, {"type": "matchmaker", "matched": True})[0].position is None


@pytest.mark.parametrize(
    "message",
    [
        {"type": "offer", "sdp": 7},
        {"type": "config", "peerConnectionOptions": 7},
        {"type": "streamerList", "ids": {"a": 1}},
        {"type": "matchmaker", "position": True, "matched": 1, "unserved": 1},
        {"type": "noise"},
    ],
    ids=str,
)
def test_a_malformed_message_ends_no_conversation(message: dict[str, object]) -> None:
    assert not after(message)[0].over


# -- the offer --------------------------------------------------------------------------------------


def test_the_codecs_are_in_the_order_of_preference() -> None:
    video = video_of(HEAD + AUDIO + VIDEO)
    assert video == Video(codecs=("VP9", "H264"), sends=True, has_stream=True)


@pytest.mark.parametrize(
    ("sdp", "expected"),
    [
        ("", None),
        (HEAD + AUDIO, None),
        ("m=\r\nm=video\r\nm=video x\r\n", None),
        (HEAD + VIDEO.replace("sendrecv", "recvonly"), Video(("VP9", "H264"), sends=False, has_stream=True)),
        (HEAD + VIDEO.replace("m=video 9", "m=video 0"), Video(("VP9", "H264"), sends=False, has_stream=True)),
        (HEAD + VIDEO.replace("m=video 9", "m=video 0") + "a=bundle-only\r\n", Video(("VP9", "H264"), True, True)),
        (HEAD + "m=video 9 RTP/SAVPF 200\r\n", Video((), sends=True, has_stream=False)),
        (HEAD + "m=video 9 RTP 45\r\na=rtpmap:45 AV1X/90000\r\na=msid:- x\r\n", Video(("AV1",), True, False)),
    ],
    ids=["empty", "audio", "broken", "recvonly", "port 0", "bundle-only", "no codec", "no stream"],
)
def test_the_video_of_an_offer(sdp: str, expected: Video | None) -> None:
    assert video_of(sdp) == expected


@pytest.mark.parametrize("line", ["m=video 1", "m=", "m=video 9 x 1 ", "a=rtpmap:1", "a=ssrc:1", "a=msid:"])
def test_a_long_line_is_read_in_linear_time(line: str) -> None:
    assert video_of(f"m=video 9 x 1\r\n{line}{'1' * 1024 * 1024}") is not None


def test_a_video_that_is_sent_comes_before_one_that_is_not() -> None:
    video = video_of(HEAD + VIDEO.replace("sendrecv", "inactive") + VIDEO.replace("VP9", "VP8"))
    assert video is not None
    assert video.codecs == ("VP8", "H264")


def test_an_offer_with_invented_codecs_fills_no_screen() -> None:
    numbers = range(500)
    formats = "".join(f"a=rtpmap:{number} C{number}/90000\r\n" for number in numbers)
    video = video_of(f"{HEAD}m=video 9 RTP {' '.join(map(str, numbers))}\r\n{formats}")
    assert video is not None
    assert len(video.codecs) == MAX_CODECS


def test_an_unknown_codec_is_played_by_none() -> None:
    assert "no browser" in played_by("MPEG4")
    assert played_by("VP8") == "every browser"


# -- the judgement ----------------------------------------------------------------------------------

CONFIG: dict[str, object] = {"type": "config", "peerConnectionOptions": {}}
MATCHED: dict[str, object] = {"type": "matchmaker", "matched": True}
LIST: dict[str, object] = {"type": "streamerList", "ids": ["a"]}
UNSERVED = "The matchmaker has no streamer that serves this URL."
NARROW = "m=video 9 RTP 45\r\na=rtpmap:45 AV1/90000\r\na=msid:s t\r\n"
LOOSE = "m=video 9 RTP 45\r\na=rtpmap:45 VP8/90000\r\na=msid:- t\r\n"
OFF = VIDEO.replace("sendrecv", "inactive")


@pytest.mark.parametrize(
    ("messages", "code", "name", "cause"),
    [
        ([], 0, "no-offer", "Neither a streamer nor a configuration in 10 s."),
        ([MATCHED], 0, "no-offer", "No configuration in 10 s."),
        ([MATCHED, CONFIG], 0, "no-offer", "No list of streamers in 10 s."),
        (
            [CONFIG, {"type": "streamerList", "ids": ["a"]}],
            0,
            "no-offer",
            "No offer 10 s after the player had subscribed.",
        ),
        ([CONFIG, {"type": "streamerList", "ids": []}], 0, "no-streamer", "The signalling server lists no streamer."),
        ([CONFIG], 4001, "join-refused", "Closed with 4001 (stream unavailable)"),
        ([{"type": "subscribeFailed"}], 4206, "join-refused", "The server gives no reason."),
        ([{"type": "matchmaker", "position": 3}], 0, "none-free", "The player is waiting at position 3."),
        ([{"type": "offer", "sdp": HEAD + "m=video 9 RTP 200\r\n"}], 0, "no-video", "The offer has no video."),
        (
            [{"type": "offer", "sdp": VIDEO.replace("sendrecv", "inactive")}],
            0,
            "no-video",
            "Its video is switched off.",
        ),
        ([{"type": "offer", "sdp": NARROW}], 0, "codec-narrow", f"AV1 is played by {BROWSERS['AV1']}."),
        ([{"type": "offer", "sdp": LOOSE}], 0, "video-without-stream", "The video has no msid, or msid:-."),
        ([{"type": "matchmaker", "unserved": True}], 0, "no-streamer", UNSERVED),
        ([{"type": "offer", "sdp": HEAD + VIDEO}], 0, "", ""),
    ],
)
def test_a_conversation_is_judged(messages: list[dict[str, object]], code: int, name: str, cause: str) -> None:
    result = judged(*messages, code=code)
    assert name_of(result) == name
    assert not name or result.findings[0].cause == cause


def test_a_legacy_streamer_is_no_finding() -> None:
    result = judged({"type": "matchmaker", "matched": True, "dialect": "legacy"}, CONFIG)
    assert (result.severity, name_of(result)) == (Severity.NOTE, "")
