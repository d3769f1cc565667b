"""The request of a router for a trunk to a matchmaker, which carries the connections of its players. No I/O.

A matchmaker offers a trunk with `Hold` (`handover.py`), on the connection of any player. A router that knows trunks
then dials one with a signed claim. Players whose router has none have connections of their own, as before.
"""

from typing import Final

TRUNK_HEADER: Final = "X-Pixelfleet-Trunk"
"""The header with the claim of a router."""

TRUNK_TARGET: Final = "/?app=*trunk"
"""The request target. A matchmaker that knows no trunks refuses it, because it names no valid application."""

MAX_REASON_LENGTH: Final = 200
"""The longest reason of a refusal."""
