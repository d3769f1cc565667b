"""The three dialects of the protocol, and the messages that streamers of each accept."""

import re
from enum import Enum
from typing import Final


class Dialect(Enum):
    """The generation of the protocol that a peer uses."""

    LEGACY = "legacy"
    """4.27: no ids, the player sends the offer, and an unknown message ends the connection."""

    MIDDLE = "5.0"
    """The streamer announces its id without a protocol version: 5.0 to 5.4, or a later one that leaves it out."""

    MODERN = "5.5"
    """5.5 and later: the streamer announces a protocol version."""

    @property
    def keeps_player_id(self) -> bool:
        """Whether messages to a player keep the field `playerId`. Pages before 5.5 ignore it."""
        return self is not Dialect.LEGACY


LEGACY_STREAMER_UNDERSTANDS: Final = frozenset({"config", "offer", "iceCandidate", "playerDisconnected", "pong"})
"""The messages that a 4.27 streamer accepts; it closes the connection on any other."""

STRICT_STREAMER_UNDERSTANDS: Final = LEGACY_STREAMER_UNDERSTANDS | {
    *("answer", "identify", "peerDataChannels", "ping", "playerConnected", "playerCount", "streamerDataChannels")
}
"""The messages that a 5.0 or 5.1 streamer accepts; it closes the connection on any other. Later ones ignore others."""

_REFUSAL: Final = re.compile(r"Unsupported message[^`:]{0,20}[`:] ?([A-Za-z]{1,32})")
"""The close reasons of 4.27 ("Unsupported message received: ping") and 5.0 ("Unsupported message `ping` received")."""


def understands(dialect: Dialect, kind: str, *, strict: bool) -> bool:
    """Return whether a streamer of this dialect accepts a message of this type.

    `strict`: it has closed a connection because of a message that it does not know.
    """
    if dialect is Dialect.LEGACY:
        return kind in LEGACY_STREAMER_UNDERSTANDS
    return not strict or kind in STRICT_STREAMER_UNDERSTANDS


def identified_dialect(protocol_version: str | None) -> Dialect:
    """Return the dialect of a streamer that has sent `endpointId`."""
    return Dialect.MIDDLE if protocol_version is None else Dialect.MODERN


def refused_message(reason: str) -> str | None:
    """Return the type of the message because of which a streamer closed its connection; None for another reason."""
    found = _REFUSAL.match(reason)
    return found[1] if found else None
