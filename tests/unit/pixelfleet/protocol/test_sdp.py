"""Session descriptions: those of `descriptions/` were made by Chromium 156 and Firefox 153."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.protocol.sdp import (
    MAX_CODECS,
    MAX_LENGTH,
    MAX_SECTIONS,
    RECEIVES,
    SENDS,
    STREAM,
    Video,
    lacks_streams,
    offers_data,
    refused_codecs,
    videos,
    with_streams,
)

RECORDED = Path(__file__).parent / "descriptions"


def recorded(name: str) -> str:
    return (RECORDED / f"{name}.sdp").read_bytes().decode()


def section(port: int = 9, *, direction: str = "sendonly", codecs: str = "H264", more: str = "") -> str:
    names = codecs.split()
    formats = " ".join(str(96 + number) for number in range(len(names)))
    lines = [f"m=video {port} UDP/TLS/RTP/SAVPF {formats}", f"a={direction}", more]
    lines += [f"a=rtpmap:{96 + number} {name}/90000" for number, name in enumerate(names)]
    return "\r\n".join(filter(None, lines)) + "\r\n"


def described(*sections: str, session: str = "") -> str:
    return "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n" + session + "".join(sections)


AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=sendonly\r\na=rtpmap:111 opus/48000/2\r\n"


def test_a_browsers_offer_has_one_video_with_its_codecs() -> None:
    assert videos(recorded("chromium_offer_h264")) == [Video(0, False, "sendonly", ("H264",))]
    assert videos(recorded("firefox_answer_refused")) == [Video(0, True, "inactive", ("VP8",))]


@pytest.mark.parametrize(
    ("offer", "answer", "codecs"),
    [
        ("chromium_offer_h264", "firefox_answer_refused", ("H264",)),
        ("chromium_offer_h266", "chromium_answer_refused", ("H266",)),
        ("chromium_offer_vp8", "chromium_answer_vp8", None),
    ],
)
def test_a_browser_without_the_codec_refuses_the_video(offer: str, answer: str, codecs: tuple[str] | None) -> None:
    assert refused_codecs(recorded(offer), recorded(answer), SENDS) == codecs


@pytest.mark.parametrize(
    ("offer", "answer", "refused"),
    [
        pytest.param([section()], [section(0)], True, id="the only video"),
        pytest.param([AUDIO, section()], [AUDIO, section(0)], True, id="behind audio"),
        pytest.param([section(), section(codecs="AV1")], [section(0), section()], False, id="one of two"),
        pytest.param([section(), section(codecs="AV1")], [section(0), section(0)], True, id="both"),
        pytest.param([section()], [section(direction="inactive")], False, id="stopped by the page"),
        pytest.param([section(direction="recvonly")], [section(0)], False, id="a video of the player"),
        pytest.param([section(direction="inactive")], [section(0)], False, id="a stopped video"),
        pytest.param([section(0)], [section(0)], False, id="refused by the offer"),
        pytest.param([section(0, more="a=bundle-only")], [section(0)], True, id="offered in a bundle"),
        pytest.param([section()], [section(0, more="a=bundle-only")], False, id="accepted in a bundle"),
        pytest.param([AUDIO], [AUDIO], False, id="no video"),
        pytest.param([section()], [], False, id="no sections"),
    ],
)
def test_only_an_answer_that_refuses_every_video_is_a_refusal(
    offer: list[str], answer: list[str], refused: bool
) -> None:
    assert (refused_codecs(described(*offer), described(*answer), SENDS) is not None) is refused


def test_a_player_that_offers_wants_the_videos_that_it_receives() -> None:
    offer, answer = described(section(direction="recvonly")), described(section(0))
    assert refused_codecs(offer, answer, RECEIVES) == ("H264",)


def test_the_direction_of_the_session_applies_to_videos_without_one() -> None:
    video = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n"
    assert [found.direction for found in videos(described(video, session="a=recvonly\r\n"))] == ["recvonly"]
    assert [found.direction for found in videos(described(video))] == ["sendrecv"]


def test_codecs_are_in_the_order_of_preference_without_repairs() -> None:
    offer = described(section(codecs="VP9 rtx H264 red ulpfec flexfec-03 VP9 VP8"))
    assert videos(offer)[0].codecs == ("VP9", "H264", "VP8")
    odd = described(section(codecs=" ".join(f"C{number}" for number in range(9))))
    assert refused_codecs(odd, described(section(0)), SENDS) == tuple(f"C{number}" for number in range(MAX_CODECS))


def test_a_description_beyond_the_bounds_is_not_examined() -> None:
    offer, answer = described(section()), described(section(0, direction="inactive"))
    assert refused_codecs(offer, answer, SENDS) == ("H264",)
    for sections in (section(0) * MAX_SECTIONS, "a=x\r\n" * (MAX_LENGTH // 5)):
        assert refused_codecs(offer, answer + sections, SENDS) is None
        assert refused_codecs(offer + sections, answer, SENDS) is None
    assert len(videos(described(section() * MAX_SECTIONS))) == MAX_SECTIONS


def test_a_track_without_a_stream_gets_one_and_nothing_else_changes() -> None:
    sdp = recorded("chromium_offer_h264")
    assert lacks_streams(sdp)
    changed = with_streams(sdp)
    assert not lacks_streams(changed)
    before, after = sdp.split("\r\n"), changed.split("\r\n")
    different = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert different == [(old, old.replace("a=msid:- ", f"a=msid:{STREAM} ")) for old, _ in different]
    assert len(different) == 1


@pytest.mark.parametrize("line", ["a=msid:-x track", "a=msid:stream track", "a=ssrc:1 msid:- track", "b=a=msid:- x"])
def test_a_track_with_a_stream_keeps_it(line: str) -> None:
    assert not lacks_streams(described(section(more=line)))


@pytest.mark.parametrize("line", ["a=msid:- track", "a=msid:-"])
def test_a_track_needs_no_id_to_get_a_stream(line: str) -> None:
    sdp = described(section(more=line))
    assert lacks_streams(sdp)
    assert f"{line.replace('-', STREAM, 1)}\r\n" in with_streams(sdp)


LINES = st.sampled_from(
    ["m=video 0 x 96", "m=video", "m=", "m=audio 9", "a=rtpmap:96 ", "a=rtpmap:96 VP8/90000", "a=inactive", "a=msid:-"]
)
ANY_SDP = st.one_of(st.text(max_size=60), st.lists(LINES, max_size=8).map("\r\n".join))


@given(offer=ANY_SDP, answer=ANY_SDP)
def test_any_text_is_read_without_an_error(offer: str, answer: str) -> None:
    codecs = refused_codecs(offer, answer, SENDS)
    assert codecs is None or len(codecs) <= MAX_CODECS
    assert not lacks_streams(with_streams(offer))


@pytest.mark.parametrize(
    ("sections", "offers"),
    [
        ("m=video 9 UDP/TLS/RTP/SAVPF 96", False),
        ("m=video 9 a 96\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel", True),
        ("m=application 0 UDP/DTLS/SCTP webrtc-datachannel", False),
        ("m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\na=bundle-only", True),
    ],
)
def test_a_data_channel_is_offered_unless_it_is_refused(sections: str, offers: bool) -> None:
    assert offers_data(f"v=0\r\n{sections}\r\n") is offers


def test_a_browser_offers_a_data_channel() -> None:
    assert offers_data(recorded("chromium_offer_h264"))
