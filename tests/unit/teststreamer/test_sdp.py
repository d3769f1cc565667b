"""The processing of session descriptions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teststreamer.sdp import (
    LocalCandidate,
    for_trickling,
    is_hidden,
    local_candidates,
    negotiated_codec,
    without_candidates,
)

HOST = "candidate:1 1 udp 2130706431 192.0.2.7 50000 typ host"
OTHER = "candidate:2 1 udp 2130706431 198.51.100.7 50001 typ host"
REFLEXIVE = "candidate:3 1 udp 1694498815 203.0.113.1 50002 typ srflx raddr 192.0.2.7 rport 50000"
HIDDEN = "candidate:4 1 udp 2113937151 7a2c-11.LOCAL 50003 typ host"


def sdp(*lines: str) -> str:
    return "".join(f"{line}\r\n" for line in lines)


@pytest.mark.parametrize(
    ("payloads", "codec"),
    [("97 98", "vp8"), ("99 97", "h264"), ("98 99", "h264"), ("100", None), ("", None), ("101 97", "vp8")],
)
def test_the_codec_that_comes_first_counts(payloads: str, codec: str | None) -> None:
    answer = sdp(
        "v=0",
        "m=audio 9 UDP/TLS/RTP/SAVPF 96",
        "a=rtpmap:96 opus/48000/2",
        f"m=video 9 UDP/TLS/RTP/SAVPF {payloads}",
        "a=rtpmap:97 VP8/90000",
        "a=rtpmap:98 rtx/90000",
        "a=rtpmap:99 H264/90000",
        "a=rtpmap:100 AV1/90000",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "a=rtpmap:101 H264/90000",
    )
    assert negotiated_codec(answer) == codec


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    negotiated_codec(text)
    local_candidates(text, ())
    without_candidates(text)
    for_trickling(text)


def test_a_players_description_is_taken_without_hidden_names_and_without_an_end() -> None:
    text = sdp("v=0", "m=video 9 X 97", f"a={HOST}", f"a={HIDDEN}", "a=end-of-candidates", "a=mid:0")
    assert for_trickling(text) == sdp("v=0", "m=video 9 X 97", f"a={HOST}", "a=mid:0")
    assert is_hidden(HIDDEN)
    assert not is_hidden(HOST)


def test_our_candidates_are_those_of_the_first_part() -> None:
    text = sdp(
        "v=0",
        "m=video 9 X 97",
        "a=mid:7",
        f"a={HOST}",
        f"a={REFLEXIVE}",
        "m=application 9 Y z",
        "a=mid:8",
        f"a={OTHER}",
    )
    assert local_candidates(text, ()) == [LocalCandidate(HOST, "7", 0), LocalCandidate(REFLEXIVE, "7", 0)]


def test_addresses_that_were_not_asked_for_stay_private() -> None:
    text = sdp("v=0", "m=video 9 X 97", "a=mid:0", f"a={HOST}", f"a={OTHER}", f"a={REFLEXIVE}")
    assert [each.candidate for each in local_candidates(text, {"198.51.100.7"})] == [OTHER]
    assert [each.candidate for each in local_candidates(text, {"192.0.2.7"})] == [HOST, REFLEXIVE]


def test_our_description_goes_without_candidates() -> None:
    text = sdp("v=0", "m=video 9 X 97", f"a={HOST}", "a=end-of-candidates", "a=mid:0")
    assert without_candidates(text) == sdp("v=0", "m=video 9 X 97", "a=mid:0")
