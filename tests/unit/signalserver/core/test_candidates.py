"""Candidates without a media section get an index where one bundle makes it certain."""

from typing import Any

import pytest

from signalserver.core.candidates import bundle_index
from tests.unit.signalserver.core.conversation import CANDIDATE, Conversation

HEAD = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
VIDEO, AUDIO = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:v\r\n", "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:a\r\n"
DATA = "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\na=bundle-only\r\na=mid:d\r\n"
BUNDLE = "a=group:BUNDLE v a d\r\n"
BARE = {"candidate": CANDIDATE["candidate"], "usernameFragment": "uf"}


@pytest.mark.parametrize(
    ("sdp", "index"),
    [
        (HEAD + BUNDLE + VIDEO + AUDIO + DATA, 0),
        (HEAD + "a=group:BUNDLE a v d\r\n" + VIDEO + AUDIO + DATA, 1),
        (HEAD + BUNDLE + VIDEO + AUDIO + "m=text 0 RTP/AVP 1\r\na=mid:t\r\n", 0),
        ((HEAD + BUNDLE + VIDEO + AUDIO + DATA).replace("\r\n", "\n"), 0),
        (HEAD + VIDEO, 0),
        (HEAD + VIDEO + AUDIO, None),
        (HEAD + "a=group:BUNDLE v\r\n" + VIDEO + AUDIO, None),
        (HEAD + "a=group:BUNDLE v\r\na=group:BUNDLE a\r\n" + VIDEO + AUDIO, None),
        (HEAD + "a=group:BUNDLE x v a\r\n" + VIDEO + AUDIO, None),
        (HEAD + "a=group:BUNDLE \r\n" + VIDEO + AUDIO, None),
        (HEAD + "a=mid:early\r\n", None),
        ("", None),
    ],
)
def test_the_index_is_that_of_the_first_section_of_the_only_bundle(sdp: str, index: int | None) -> None:
    assert bundle_index(sdp) == index


@pytest.mark.timeout(60, method="signal")
def test_the_index_of_many_sections_and_a_long_bundle_is_found_in_linear_time() -> None:
    sdp = HEAD + "a=group:BUNDLE v " + "x " * 250_000 + "\r\n" + VIDEO + "m=a 0 b\r\n" * 60_000
    assert bundle_index(sdp) == 0


@pytest.fixture
def talk() -> Conversation:
    return Conversation()


@pytest.mark.parametrize("version", ["1.3.0", None])
@pytest.mark.parametrize("missing", [{}, {"sdpMid": None, "sdpMLineIndex": None}])
def test_a_candidate_without_a_section_gets_the_index_of_the_bundle(
    talk: Conversation, version: str | None, missing: dict[str, Any]
) -> None:
    talk.streamer("s", "cam", version=version)
    player_id = talk.subscribed("p", "cam")
    talk.send("s", "offer", sdp=HEAD + "a=group:BUNDLE a v\r\n" + VIDEO + AUDIO, playerId=player_id)
    talk.receive("p")
    talk.send("s", "iceCandidate", candidate={**BARE, **missing}, playerId=player_id, extra=1)
    received = talk.receive_one("p")
    assert received["candidate"] == {**missing, **BARE, "sdpMLineIndex": 1}
    assert received["extra"] == 1


def test_a_candidate_of_an_answer_gets_the_index_too(talk: Conversation) -> None:
    talk.streamer("s", "cam")
    player_id = talk.subscribed("p", "cam")
    talk.send("s", "answer", sdp=HEAD + BUNDLE + VIDEO + AUDIO, playerId=player_id)
    talk.receive("p")
    talk.send("s", "iceCandidate", candidate=BARE, playerId=player_id)
    assert talk.receive_one("p")["candidate"]["sdpMLineIndex"] == 0


def test_an_sfus_candidate_gets_the_index_too(talk: Conversation) -> None:
    talk.sfu("f", "sfu")
    talk.send("f", "startStreaming")
    player_id = talk.subscribed("p", "sfu")
    talk.send("f", "offer", sdp=HEAD + BUNDLE + VIDEO + AUDIO, playerId=player_id)
    talk.receive("p")
    talk.send("f", "iceCandidate", candidate=BARE, playerId=player_id)
    assert talk.receive_one("p")["candidate"]["sdpMLineIndex"] == 0


@pytest.mark.parametrize("sdp", [None, HEAD + VIDEO + AUDIO])
def test_a_candidate_stays_as_it_is_when_its_section_is_not_certain(talk: Conversation, sdp: str | None) -> None:
    talk.streamer("s", "cam")
    player_id = talk.subscribed("p", "cam")
    if sdp is not None:
        talk.send("s", "offer", sdp=sdp, playerId=player_id)
    talk.receive("p")
    talk.send("s", "iceCandidate", candidate=BARE, playerId=player_id)
    assert talk.receive_one("p")["candidate"] == BARE


@pytest.mark.parametrize("named", [{"sdpMid": "a"}, {"sdpMid": ""}, {"sdpMLineIndex": 1}])
def test_a_candidate_with_a_section_is_not_changed(talk: Conversation, named: dict[str, Any]) -> None:
    talk.streamer("s", "cam")
    player_id = talk.subscribed("p", "cam")
    talk.send("s", "offer", sdp=HEAD + BUNDLE + VIDEO + AUDIO, playerId=player_id)
    talk.receive("p")
    talk.send("s", "iceCandidate", candidate={**BARE, **named}, playerId=player_id)
    assert talk.receive_one("p")["candidate"] == {**BARE, **named}
