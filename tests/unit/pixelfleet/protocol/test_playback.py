"""How the video of a page plays, as the page reports it: any values of a client."""

import pytest

from pixelfleet.protocol.playback import reported_playback


@pytest.mark.parametrize(
    ("stats", "playback"),
    [
        ({"longestStall": 1.5, "codec": "h264"}, ("H264", 1.5)),
        ({"longestStall": 0}, ("", 0.0)),
        ({"longestStall": 2, "codec": "X-secret"}, ("", 2.0)),
        ({"longestStall": 2, "codec": 7}, ("", 2.0)),
        ({"codec": "VP8"}, None),
        ({"longestStall": -1}, None),
        ({"longestStall": 1e9}, None),
        ({"longestStall": True}, None),
        ({"longestStall": "1"}, None),
        ({}, None),
    ],
)
def test_only_known_codecs_and_possible_stalls_are_read(
    stats: dict[str, object], playback: tuple[str, float] | None
) -> None:
    assert reported_playback(stats) == playback
