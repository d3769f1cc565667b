"""ICE candidates without a media section, which players of 5.2 to 5.5 refuse. No I/O.

Such a player needs `sdpMid` or `sdpMLineIndex`. Some streamers send neither. With one bundle for all media sections
every candidate belongs to the bundle's first section, so the index is certain.
"""

import re
from typing import Any, Final

_LINES: Final = re.compile(r"^(?:m=\S+ (\d+)|a=mid:(\S+)|a=group:BUNDLE[ \t]+(\S.*?)[ \t]*\r?$)", re.MULTILINE)
"""The lines of an SDP that name media sections: the port of each, its id, and the ids in a bundle."""

REJECTED: Final = "0"
"""The port of a media section that is rejected, or that is part of a bundle only."""


def bundle_index(sdp: str) -> int | None:
    """Return the index of the media section to which all candidates of an SDP belong; None when it is not certain."""
    ports: list[str] = []
    mids: list[str | None] = []
    bundles: list[str] = []
    for port, mid, bundle in _LINES.findall(sdp):
        if port:
            ports.append(port)
            mids.append(None)
        elif bundle:
            bundles.append(bundle)
        elif mids:
            mids[-1] = mid
    if len(ports) == 1:
        return 0
    if len(bundles) != 1:
        return None
    bundled = bundles[0].split()
    outside = any(mid not in bundled and port != REJECTED for mid, port in zip(mids, ports, strict=True))
    return None if outside or bundled[0] not in mids else mids.index(bundled[0])


def lacks_section(candidate: dict[str, Any]) -> bool:
    """Return whether a candidate names no media section."""
    return candidate.get("sdpMid") is None and candidate.get("sdpMLineIndex") is None
