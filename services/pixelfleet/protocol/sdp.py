"""What a server reads from session descriptions (SDP, RFC 8866): videos, their codecs, their streams. No I/O."""

import re
from dataclasses import dataclass
from typing import Final

STREAM: Final = "pixelfleet"
"""The name of the stream of tracks without a stream."""

SENDS: Final = frozenset({"sendrecv", "sendonly"})
RECEIVES: Final = frozenset({"sendrecv", "recvonly"})
"""The directions of a video that its own side sends or receives."""

MAX_CODECS: Final = 4
"""This many codecs of an offer are named, so that a close reason with all of them fits into its 123 bytes."""

MAX_LENGTH: Final = 64 * 1024
MAX_SECTIONS: Final = 64
"""Characters and media sections of a description that is examined for its codecs. Browsers make far shorter ones."""

_REPAIR: Final = frozenset({"rtx", "red", "ulpfec", "flexfec", "flexfec-03"})
"""Formats that repair a video and contain none."""

_CODEC: Final = re.compile(r"^a=rtpmap:(\d+) ([A-Za-z0-9._+-]{1,20})/", re.MULTILINE)
_DIRECTION: Final = re.compile(r"^a=(sendrecv|sendonly|recvonly|inactive)\r?$", re.MULTILINE)
_NO_STREAM: Final = re.compile(r"^a=msid:-(?=[ \r\n]|\Z)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Video:
    """One video of a session description."""

    index: int
    """Its place among all media sections. An answer has its sections in the order of the offer."""
    refused: bool
    direction: str
    codecs: tuple[str, ...]
    """The names of its codecs, the preferred one first."""


def videos(sdp: str) -> list[Video]:
    """Return the videos of a session description, in order; none if it has more than MAX_SECTIONS sections."""
    if sdp.count("\nm=") > MAX_SECTIONS:
        return []
    session, *sections = f"\n{sdp}".split("\nm=")
    inherited = _DIRECTION.search(session)
    found = []
    for index, section in enumerate(sections):
        kind, _, rest = section.partition(" ")
        if kind == "video":
            own = _DIRECTION.search(section) or inherited
            refused = rest.startswith(("0 ", "0/")) and "\na=bundle-only" not in section
            found.append(Video(index, refused, own[1] if own else "sendrecv", _codecs(section)))
    return found


def _codecs(section: str) -> tuple[str, ...]:
    names = dict(_CODEC.findall(section))
    formats = section.partition("\n")[0].split()[3:]
    return tuple(dict.fromkeys(names[payload] for payload in formats if names.get(payload, "rtx") not in _REPAIR))


def refused_codecs(offer: str, answer: str, wanted: frozenset[str]) -> tuple[str, ...] | None:
    """Return the codecs of the offered videos if an answer refuses all of these videos, else None.

    `wanted` has the directions of the offer's videos that matter: SENDS for an offer of a streamer, RECEIVES for one of
    a player. A browser refuses a video, with the port 0, when it has no codec in common with the offer.
    A description beyond MAX_LENGTH or MAX_SECTIONS is not examined, and the result is None.
    """
    if "m=video 0" not in answer or max(len(offer), len(answer)) > MAX_LENGTH:
        return None
    offered = [video for video in videos(offer) if video.direction in wanted and not video.refused]
    refused = {video.index for video in videos(answer) if video.refused}
    if not offered or any(video.index not in refused for video in offered):
        return None
    return tuple(dict.fromkeys(codec for video in offered for codec in video.codecs))[:MAX_CODECS]


def offers_data(sdp: str) -> bool:
    """Return whether a session description has a data channel that is not refused."""
    for section in f"\n{sdp}".split("\nm=")[1:]:
        kind, _, rest = section.partition(" ")
        if kind == "application" and (not rest.startswith(("0 ", "0/")) or "\na=bundle-only" in section):
            return True
    return False


def lacks_streams(sdp: str) -> bool:
    """Return whether a track of a session description belongs to no stream."""
    return "\na=msid:-" in sdp and _NO_STREAM.search(sdp) is not None


def with_streams(sdp: str) -> str:
    """Return a session description in which the tracks without a stream belong to the stream STREAM."""
    return _NO_STREAM.sub(f"a=msid:{STREAM}", sdp)
