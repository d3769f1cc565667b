"""The few things that the streamer reads from session descriptions itself; aiortc does the rest."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from teststreamer.encoder import Codec

_CODEC_NAMES: Final[dict[str, Codec]] = {"h264": "h264", "vp8": "vp8"}
_RTPMAP: Final = re.compile(r"a=rtpmap:(\d+) ([^/]+)/")


@dataclass(frozen=True, slots=True)
class LocalCandidate:
    """A candidate of ours, as `iceCandidate` messages carry it."""

    candidate: str
    mid: str
    line_index: int


def negotiated_codec(answer: str) -> Codec | None:
    """Return the codec that an answer puts first for video, which is the one that is sent; None for one of neither."""
    names: dict[str, str] = {}
    payloads: list[str] = []
    for line in answer.splitlines():
        if line.startswith("m="):
            if payloads:
                break
            payloads = line.split()[3:] if line.startswith("m=video ") else []
        elif payloads and (found := _RTPMAP.match(line)):
            names[found[1]] = found[2].lower()
    codecs = (_CODEC_NAMES.get(names.get(payload, "")) for payload in payloads)
    return next((codec for codec in codecs if codec), None)


def for_trickling(remote: str) -> str:
    """Return a player's description without what would end the search for a path early, or hold it up.

    A player's network addresses may be hidden behind `.local` names. Looking those up means asking the whole network,
    and waiting for the time-out where nobody answers. It is not needed: the player's checks arrive at our candidates,
    and show where it is. For the same reason more candidates than were announced can be expected.
    """
    kept = (
        line
        for line in remote.splitlines()
        if line != "a=end-of-candidates" and not (line.startswith("a=candidate:") and is_hidden(line))
    )
    return "".join(f"{line}\r\n" for line in kept)


def is_hidden(candidate: str) -> bool:
    """Tell whether a candidate has a multicast DNS name in place of an address."""
    return any(field.lower().endswith(".local") for field in candidate.split()[4:5])


def local_candidates(description: str, addresses: Collection[str]) -> list[LocalCandidate]:
    """Return the candidates of our description's first part, which all of it is bundled on.

    With `addresses`, host candidates of others are left out, and those that reveal them as the related address.
    """
    candidates: list[str] = []
    mid = ""
    first = description.split("\r\nm=", 2)[1:2]
    for line in first[0].splitlines() if first else []:
        if line.startswith("a=mid:"):
            mid = line.removeprefix("a=mid:")
        elif line.startswith("a=candidate:"):
            candidates.append(line.removeprefix("a="))
    return [LocalCandidate(candidate, mid, 0) for candidate in candidates if _is_from(candidate, addresses)]


def _is_from(candidate: str, addresses: Collection[str]) -> bool:
    fields = candidate.split()
    related = fields[fields.index("raddr") + 1] if "raddr" in fields else fields[4]
    return not addresses or related in addresses


def without_candidates(description: str) -> str:
    """Return a description of ours with no candidates in it; they follow one by one."""
    kept = (
        line
        for line in description.splitlines()
        if not line.startswith("a=candidate:") and line != "a=end-of-candidates"
    )
    return "".join(f"{line}\r\n" for line in kept)
