"""The processing of session descriptions that aiortc does not do."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from teststreamer.encoder import Codec

_CODEC_NAMES: Final[dict[str, Codec]] = {"h264": "h264", "vp8": "vp8"}
_RTPMAP: Final = re.compile(r"a=rtpmap:(\d+) ([^/]+)/")


@dataclass(frozen=True, slots=True)
class LocalCandidate:
    """A local candidate with the fields of an `iceCandidate` message."""

    candidate: str
    mid: str
    line_index: int


def negotiated_codec(answer: str) -> Codec | None:
    """Return the first supported video codec of an answer, which is the one to send, or None."""
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


def media_kinds(description: str) -> list[str]:
    """Return the different kinds of media of a description's sections, such as `video`, in their order."""
    found = (line[2:].partition(" ")[0] for line in description.splitlines() if line.startswith("m="))
    return list(dict.fromkeys(found))


def for_trickling(remote: str) -> str:
    """Return a player's description without hidden candidates and without the end of candidates.

    A browser can hide its addresses behind `.local` names. Their multicast DNS lookup is slow and often fails, and is
    not necessary: the player's connectivity checks reach the local candidates and reveal its address. For the same
    reason further candidates can follow an announced end.
    """
    lines = (
        line
        for line in remote.splitlines()
        if line != "a=end-of-candidates" and not (line.startswith("a=candidate:") and is_hidden(line))
    )
    return "".join(f"{line}\r\n" for line in lines)


def is_hidden(candidate: str) -> bool:
    """Return whether a candidate has a multicast DNS name in place of an address."""
    return any(field.lower().endswith(".local") for field in candidate.split()[4:5])


def local_candidates(description: str, addresses: Collection[str]) -> list[LocalCandidate]:
    """Return the candidates of the local description's first media section, on which all others are bundled.

    With `addresses`, candidates with another host address or related address are omitted.
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
    """Return a local description without candidates, which are sent one by one."""
    lines = (
        line
        for line in description.splitlines()
        if not line.startswith("a=candidate:") and line != "a=end-of-candidates"
    )
    return "".join(f"{line}\r\n" for line in lines)
