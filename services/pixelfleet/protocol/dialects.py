"""The three generations of streamers, and what each may be sent."""

from enum import Enum
from typing import Final


class Dialect(Enum):
    """How a streamer speaks."""

    LEGACY = "legacy"
    """4.27: no ids, the player offers, an unknown message is fatal to it."""

    MIDDLE = "5.0"
    """5.0 to 5.4: identifies; players are not told their id."""

    MODERN = "5.5"
    """5.5 and later: announces a protocol version; players are told their id."""

    @property
    def keeps_player_id(self) -> bool:
        """Whether what a player receives still carries `playerId`."""
        return self is Dialect.MODERN


LEGACY_STREAMER_UNDERSTANDS: Final = frozenset({"config", "offer", "iceCandidate", "playerDisconnected", "pong"})
"""All that may be sent to a 4.27 streamer: it drops the link on anything else."""


NOT_FOR_MIDDLE_STREAMERS: Final = frozenset({"layerPreference"})
"""What a 5.0 to 5.4 streamer does not know, and today's pages send all the same."""


def understands(dialect: Dialect, kind: str) -> bool:
    """Tell whether a streamer of this dialect may be sent a message of this type."""
    if dialect is Dialect.LEGACY:
        return kind in LEGACY_STREAMER_UNDERSTANDS
    return dialect is Dialect.MODERN or kind not in NOT_FOR_MIDDLE_STREAMERS


def identified_dialect(protocol_version: str | None) -> Dialect:
    """Return the dialect of a streamer that has sent `endpointId`."""
    return Dialect.MIDDLE if protocol_version is None else Dialect.MODERN
