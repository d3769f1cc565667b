"""How the video of a page plays, from the page's statistics. No I/O."""

from collections.abc import Mapping
from typing import Any, Final

from pixelfleet.protocol.video_failure import CODECS

MAX_STALL_SECONDS: Final = 86_400.0
"""Longer stalls are ignored: the tab was in the background, or the computer asleep."""


def reported_playback(page_stats: Mapping[str, Any]) -> tuple[str, float] | None:
    """Return the codec and the longest stall in seconds in a page's statistics; None when they have no stall.

    The statistics have `{"longestStall": seconds}` and, if the browser names it, `"codec"`. The name of a codec that is
    not known is empty.
    """
    stall, codec = page_stats.get("longestStall"), page_stats.get("codec")
    if not isinstance(stall, int | float) or isinstance(stall, bool) or not 0 <= stall <= MAX_STALL_SECONDS:
        return None
    name = codec.upper() if isinstance(codec, str) else ""
    return name if name in CODECS else "", float(stall)
