"""Errors of a load test by code: a bounded set of short texts, each with what it usually means. No I/O."""

from typing import Final

from pixelfleet.protocol import close_codes
from pixelfleet.service.shown import one_line

MAX_CODES: Final = 40
"""Further codes are counted as OTHER."""

OTHER: Final = "other"
NO_MEDIA: Final = "no first frame"
NO_TIME: Final = "no answer in time"
UNREACHABLE: Final = "unreachable"
STREAMER_LOST: Final = "test streamer lost"

_PER_ADDRESS: Final = (
    "The router and the matchmaker limit the joins and connections of one address: raise --joins-per-minute and "
    "--connections-per-address for the test, or run it from several machines."
)
HINTS: Final = {
    "HTTP 429": _PER_ADDRESS,
    "HTTP 503": "The service is full or has no matchmaker: see its log, and pixelfleet doctor.",
    "HTTP 401": "The installation asks for a sign-in: give a URL with a signed link of pixelfleet link.",
    "HTTP 403": "The installation refuses this client: see its log.",
    "HTTP 404": "No websocket is served there: give the URL of the page, or of the matchmaker.",
    "close 4103": "The queue was too long for --queue-seconds of the matchmaker: there are too few streamers.",
    "close 4100": "No streamer is connected: see pixelfleet doctor.",
    "close 4102": "A service has reached its limit of connections.",
    "close 4104": _PER_ADDRESS,
    "close 4205": "Players without media stay at most --first-media-seconds of the signalling server: use --negotiate.",
    "close 4007": "The session was over before the player came back: see --resume-seconds of the signalling server.",
    "close 4005": "A service was replaced during the test.",
    NO_TIME: "The service did not answer the dial: it is overloaded, or this machine is.",
    UNREACHABLE: "No connection was possible: the service is down, or a limit of this machine is reached (open files, "
    "local ports).",
    NO_MEDIA: "The media found no network path, or the streamer sent none: see pixelfleet doctor --join.",
}
"""By the beginning of the code."""


def of_close(code: int) -> str:
    """Return the code of a close by the other side."""
    label = close_codes.label_of(code)
    return f"close {code}" if label == "other" else f"close {code} {label}"


def of_dial(status: int, why: str) -> str:
    """Return the code of a failed dial; `status` is the HTTP status of a refusal, or 0."""
    if status:
        return f"HTTP {status}"
    return NO_TIME if why == NO_TIME else UNREACHABLE


def of_refusal(text: str) -> str:
    """Return the code of a `subscribeFailed`; its text may be of any server."""
    return f"refused: {one_line(text, 60)}"


def hint_of(code: str) -> str:
    """Return what a code usually means; empty if that is not known."""
    return next((hint for begin, hint in HINTS.items() if code.startswith(begin)), "")
