"""What the switchboard's peers are reached by: a websocket, or a resumable player over its present websocket."""

from collections.abc import Callable
from typing import Protocol

from pixelfleet.protocol.close_codes import CloseCode


class PeerSocket(Protocol):
    """The key of a peer in the switchboard."""

    on_pong: Callable[[], None] | None
    """Called for each pong."""

    def send(self, data: bytes) -> None:
        """Send one text message."""

    def ping(self) -> None:
        """Send a ping."""

    def close(self, why: CloseCode, reason: str | None = None) -> None:
        """Close the peer's connection, and with it its session."""
