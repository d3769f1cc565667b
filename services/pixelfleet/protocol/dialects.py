"""The three dialects of the protocol, and the messages that each accepts."""

from enum import Enum
from typing import Final


class Dialect(Enum):
    """The generation of the protocol that a peer uses."""

    LEGACY = "legacy"
    """4.27: no ids, the player sends the offer, and an unknown message ends the connection."""

    MIDDLE = "5.0"
    """5.0 to 5.4: the streamer announces its id; players do not receive their id."""

    MODERN = "5.5"
    """5.5 and later: the streamer announces a protocol version; players receive their id."""

    @property
    def keeps_player_id(self) -> bool:
        """Whether messages to a player keep the field `playerId`."""
        return self is Dialect.MODERN


LEGACY_STREAMER_UNDERSTANDS: Final = frozenset({"config", "offer", "iceCandidate", "playerDisconnected", "pong"})
"""The messages that a 4.27 streamer accepts; it closes the connection on any other."""


NOT_FOR_MIDDLE_STREAMERS: Final = frozenset({"layerPreference"})
"""Messages of current pages that a 5.0 to 5.4 streamer does not support."""


def understands(dialect: Dialect, kind: str) -> bool:
    """Return whether a streamer of this dialect accepts a message of this type."""
    if dialect is Dialect.LEGACY:
        return kind in LEGACY_STREAMER_UNDERSTANDS
    return dialect is Dialect.MODERN or kind not in NOT_FOR_MIDDLE_STREAMERS


def identified_dialect(protocol_version: str | None) -> Dialect:
    """Return the dialect of a streamer that has sent `endpointId`."""
    return Dialect.MIDDLE if protocol_version is None else Dialect.MODERN
