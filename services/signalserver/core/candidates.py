"""ICE candidates without a media section, which players of 5.2 to 5.5 refuse. No I/O.

Such a player needs `sdpMid` or `sdpMLineIndex`. Some streamers send neither. With one bundle for all media sections
every candidate belongs to the bundle's first section, so the index is certain.
"""

from typing import Any, Final

REJECTED: Final = "0"
"""The port of a media section that is rejected, or that is part of a bundle only."""


def bundle_index(sdp: str) -> int | None:
    """Return the index of the media section to which all candidates of an SDP belong; None when it is not certain."""
    session, *media = sdp.split("\nm=")
    if len(media) == 1:
        return 0
    _, *bundles = session.split("\na=group:BUNDLE ")
    if len(bundles) != 1:
        return None
    bundled = bundles[0].partition("\n")[0].split()
    members = frozenset(bundled)  # a list would be searched once for each section
    mids = [section.partition("\na=mid:")[2].partition("\n")[0].strip() for section in media]
    outside = any(mid not in members and _port(section) != REJECTED for mid, section in zip(mids, media, strict=True))
    return None if outside or not bundled or bundled[0] not in mids else mids.index(bundled[0])


def _port(section: str) -> str:
    """Return the port of a media section, which begins after `m=`."""
    return section.partition(" ")[2].partition(" ")[0]


def lacks_section(candidate: dict[str, Any]) -> bool:
    """Return whether a candidate names no media section."""
    return candidate.get("sdpMid") is None and candidate.get("sdpMLineIndex") is None
