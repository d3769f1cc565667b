"""The addresses of streamers that close the connection on a message that they do not know, as 5.0 and 5.1 do.

Nothing in what such a streamer sends tells it from a later one. It is recognized by the reason of its close, and is
sent only the messages that it knows once it has connected again, which it does at once.
"""

from typing import Final

from pixelfleet.protocol.dialects import refused_message
from signalserver.core.outputs import MessageRefused
from signalserver.core.roster import K, Peer, Role

MAX_STRICT: Final = 1000
"""Addresses that are remembered; for a further one, the oldest is forgotten."""


class StrictStreamers:
    """The remembered addresses, in the order of their last refusals."""

    def __init__(self) -> None:
        self._addresses: dict[str, None] = {}

    def __contains__(self, address: str) -> bool:
        return address in self._addresses

    def left(self, peer: Peer[K], reason: str) -> MessageRefused | None:
        """Remember the address of a streamer that left because of a message; return what it refused."""
        kind = refused_message(reason)
        if kind is None or peer.role is not Role.STREAMER or peer.source is None:
            return None
        self._addresses.pop(peer.address, None)
        self._addresses[peer.address] = None
        if len(self._addresses) > MAX_STRICT:
            del self._addresses[next(iter(self._addresses))]
        return MessageRefused(kind, peer.source.endpoint_id, peer.address)

    def forget(self, address: str) -> None:
        """Forget an address: its streamer has announced a protocol version."""
        self._addresses.pop(address, None)
