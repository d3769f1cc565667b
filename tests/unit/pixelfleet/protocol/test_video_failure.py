"""The labels of failures, which come from players, and the text of a close."""

import pytest

from pixelfleet.protocol.sdp import MAX_CODECS
from pixelfleet.protocol.video_failure import CONFIG_REFUSED, NO_CODEC, codec_label, no_codec_reason, reported_failure


@pytest.mark.parametrize(
    ("reason", "codecs", "label"),
    [
        (NO_CODEC, ("H264", "VP8"), "H264"),
        (NO_CODEC, ("vp9",), "VP9"),
        (NO_CODEC, ("H266",), "other"),
        (NO_CODEC, (), "other"),
        (CONFIG_REFUSED, (), "none"),
    ],
)
def test_a_label_is_one_of_a_fixed_set(reason: str, codecs: tuple[str, ...], label: str) -> None:
    assert codec_label(reason, codecs) == label


def test_the_reason_of_a_close_names_the_codecs_and_fits_into_a_close_frame() -> None:
    assert no_codec_reason(("H264", "VP8")) == "no common video codec: H264, VP8"
    assert no_codec_reason(()) == "no common video codec"
    assert len(no_codec_reason(("X" * 20,) * MAX_CODECS)) <= 123


@pytest.mark.parametrize(
    ("stats", "failure"),
    [
        ({"failure": "config_refused"}, (CONFIG_REFUSED, ())),
        ({"failure": "no_codec", "codec": "h264"}, (NO_CODEC, ("H264",))),
        ({"failure": "no_codec", "codec": "evil\n"}, (NO_CODEC, ())),
        ({"failure": "no_codec", "codec": ["H264"]}, (NO_CODEC, ())),
        ({"failure": "config_refused", "codec": "H264"}, (CONFIG_REFUSED, ())),
        ({"failure": "boredom"}, None),
        ({"failure": ["no_codec"]}, None),
        ({}, None),
    ],
)
def test_a_page_reports_a_reason_of_the_catalogue(
    stats: dict[str, object], failure: tuple[str, tuple[str, ...]] | None
) -> None:
    assert reported_failure(stats) == failure
