"""Why a player can show no video: the reasons, their labels in metrics, and the report of a page. No I/O."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pixelfleet.protocol import close_codes

NO_CODEC: Final = "no_codec"
"""The stream and the browser have no video codec in common."""
CONFIG_REFUSED: Final = "config_refused"
"""The browser refuses the ICE configuration."""
REASONS: Final = (NO_CODEC, CONFIG_REFUSED)

CODECS: Final = ("H264", "H265", "VP8", "VP9", "AV1")
OTHER_CODEC: Final = "other"
WITHOUT_CODEC: Final = "none"
"""The label of failures that concern no codec."""


def codec_label(reason: str, codecs: Sequence[str]) -> str:
    """Return the metric label for the codecs of a failed video, the preferred one first: a fixed set of texts."""
    if reason != NO_CODEC:
        return WITHOUT_CODEC
    name = codecs[0].upper() if codecs else ""
    return name if name in CODECS else OTHER_CODEC


def no_codec_reason(codecs: Sequence[str]) -> str:
    """Return the reason of the close, which names the offered codecs."""
    return ": ".join(filter(None, [close_codes.NO_CODEC.reason, ", ".join(codecs)]))


def reported_failure(page_stats: Mapping[str, Any]) -> tuple[str, tuple[str, ...]] | None:
    """Return the reason and the codecs of the failure in a page's statistics; None when they have none.

    The statistics have `{"failure": reason}` and, with the reason `no_codec`, `"codec"`.
    """
    reason, codec = page_stats.get("failure"), page_stats.get("codec")
    if type(reason) is not str or reason not in REASONS:
        return None
    # The codec becomes a value in the log: a name that is not known is not repeated there.
    name = codec.upper() if isinstance(codec, str) and reason == NO_CODEC else ""
    return reason, (name,) if name in CODECS else ()
