"""The video of an SDP offer, and the browsers that play its codecs. No I/O."""

import re
from dataclasses import dataclass
from typing import Final

MAX_LINES: Final = 4096
"""Lines of an SDP that are read; an offer has a few hundred."""

MAX_CODECS: Final = 16
"""Codecs of an offer that are named; browsers know half as many."""

BROWSERS: Final[dict[str, str]] = {
    "H264": "Chrome, Edge, Safari, and Firefox with its OpenH264 plugin",
    "VP8": "every browser",
    "VP9": "Chrome, Edge, Firefox, and Safari from 15",
    "AV1": "Chrome and Edge; Firefox and Safari in recent versions only",
    "H265": "Safari, and Chrome and Edge with a hardware decoder; not Firefox",
}
"""The browsers that play each codec over WebRTC."""

COMMON: Final = frozenset({"H264", "VP8"})
"""The codecs that RFC 7742 requires of browsers."""

_RTPMAP: Final = re.compile(r"a=rtpmap:(\d{1,3}) ([A-Za-z0-9.-]{1,32})/\d+")
_MEDIA: Final = re.compile(r"m=(\w+) (\d{1,5})(?:/\d{1,5})? \S+ ?([\d ]*)")
_MSID: Final = re.compile(r"a=(?:msid:|ssrc:\d+ msid:)(\S+)")


@dataclass(frozen=True, slots=True)
class Video:
    """The video of an offer."""

    codecs: tuple[str, ...]
    """In the order of preference, each once; without retransmission and error correction."""
    sends: bool
    """Whether the streamer offers to send it."""
    has_stream: bool
    """Whether its track belongs to a stream."""


def video_of(sdp: str) -> Video | None:
    """Return the first video of an SDP that can be sent, else the first one; None without video."""
    found = [video for video in map(_video, _sections(sdp)) if video is not None]
    return next((video for video in found if video.sends), found[0] if found else None)


def played_by(codec: str) -> str:
    """Return the browsers that play a codec."""
    return BROWSERS.get(codec, "no browser, as far as is known")


def _sections(sdp: str) -> list[list[str]]:
    sections: list[list[str]] = []
    for line in sdp.splitlines()[:MAX_LINES]:
        if line.startswith("m="):
            sections.append([line])
        elif sections:
            sections[-1].append(line)
    return sections


def _video(lines: list[str]) -> Video | None:
    media = _MEDIA.match(lines[0])
    if media is None or media[1] != "video":
        return None
    names = {found[1]: found[2] for line in lines if (found := _RTPMAP.match(line))}
    offered = [names[number] for number in media[3].split() if number in names]
    codecs = [_canonical(name) for name in offered]
    stopped = any(line in ("a=inactive", "a=recvonly") for line in lines)
    bundle_only = "a=bundle-only" in lines
    repairs = ("RTX", "RED", "ULPFEC", "FLEXFEC-03")
    streams = [found[1] for line in lines if (found := _MSID.match(line))]
    return Video(
        codecs=tuple(dict.fromkeys(name for name in codecs if name not in repairs))[:MAX_CODECS],
        sends=not stopped and (media[2] != "0" or bundle_only),
        has_stream=any(stream != "-" for stream in streams) if streams else False,
    )


def _canonical(name: str) -> str:
    upper = name.upper()
    return {"AV1X": "AV1", "HEVC": "H265"}.get(upper, upper)
