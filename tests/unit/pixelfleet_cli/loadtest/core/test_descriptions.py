import pytest

from pixelfleet.protocol.sdp import RECEIVES, SENDS, refused_codecs, videos
from pixelfleet_cli.loadtest.core.descriptions import MAX_LENGTH, OFFER, answer_to


def test_the_offer_sends_one_video_of_h264() -> None:
    (video,) = videos(OFFER)
    assert video.codecs == ("H264",)
    assert video.direction in SENDS


def test_the_answer_accepts_the_video_and_the_data_channel() -> None:
    answer = answer_to(OFFER)
    assert refused_codecs(OFFER, answer, SENDS) is None
    (video,) = videos(answer)
    assert video.direction in RECEIVES
    assert not video.refused
    assert answer.count("\nm=") == OFFER.count("\nm=")
    assert "a=mid:0" in answer
    assert "a=mid:1" in answer


def test_aiortc_accepts_the_descriptions() -> None:
    parse = pytest.importorskip("aiortc.sdp").SessionDescription.parse
    assert [each.kind for each in parse(OFFER).media] == ["video", "application"]
    assert [each.kind for each in parse(answer_to(OFFER)).media] == ["video", "application"]


@pytest.mark.parametrize(
    "offer", ["", "v=0\r\n", "m=", "v=0\nm=video", "x" * (MAX_LENGTH + 1), "v=0" + "\nm=a 9 b c" * 99]
)
def test_any_text_has_an_answer_of_bounded_length(offer: str) -> None:
    assert len(answer_to(offer)) < MAX_LENGTH
