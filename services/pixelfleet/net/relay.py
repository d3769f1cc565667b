"""Relays messages between a player's socket and a dialled upstream socket, without interpreting them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from pixelfleet.net.early_budget import MESSAGE_OVERHEAD, EarlyBudget
from pixelfleet.net.websocket import WebSocket
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode
from pixelfleet.protocol.endings import passed_on

MAX_EARLY_MESSAGES: Final = 256
MAX_EARLY_BYTES: Final = 512 * 1024
"""Limits of the messages that a player may send before its upstream is connected; a page sends far less."""

MAX_QUEUED_BYTES: Final = 8 * 1024
"""Bytes of messages that a player may send while it waits for a streamer. A page sends a few hundred."""

FORWARDABLE_CODES: Final = frozenset({1000, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, *range(3000, 5000)})
"""Close codes that an endpoint may send (RFC 6455, 7.4), except 1001, after which Epic's page does not reconnect."""


def forwardable(code: int) -> int:
    """Return a close code for a client, or a replacement for one that may not be sent to it."""
    if code in FORWARDABLE_CODES:
        return code
    return close_codes.STREAM_UNAVAILABLE.code


class Upstream(Protocol):
    """What a relay needs of the dialled socket."""

    def send(self, data: bytes) -> None:
        """Send one message of the player."""

    def close(self, why: CloseCode) -> None:
        """Close the connection."""


class _Upstream:
    """The handler of the dialled socket."""

    def __init__(self, relay: "Relay") -> None:
        self.relay = relay
        self.message: Callable[[bytes], None] = self._first
        """Sends a message to the player; from the second message on it is the player's own `send`."""

    def _first(self, data: bytes) -> None:
        self.relay.settle()
        self.message = self.relay.down.send
        self.relay.down.send(data)

    def closed(self, code: int, reason: str) -> None:
        """Notify the relay."""
        self.relay.upstream_closed(code, reason)


@dataclass(slots=True, eq=False)
class Relay:
    """The handler of a player's socket: buffers messages until the upstream is connected, then forwards them."""

    down: WebSocket
    on_end: Callable[[int, str], None]
    """Called once when the player's socket has closed, with the code and the reason."""
    on_upstream_lost: Callable[[int, str], None] | None = None
    """Called when the upstream closes first; without it the player is closed with the upstream's code."""
    up: Upstream | None = None
    delivered: bool = False
    """Whether another upstream can no longer take over: the player has received a message, or the buffer is full."""
    early: list[bytes] = field(default_factory=list)
    """The player's messages before its first from upstream: they are repeated to the next upstream if this one ends."""
    early_bytes: int = 0
    early_limit: int = MAX_EARLY_BYTES
    """The bytes that may be stored in `early`."""
    budget: EarlyBudget | None = None
    """Shared with the relays of other players; None is no limit in sum."""
    charged: int = 0
    """The bytes that are charged to the budget."""

    def message(self, data: bytes) -> None:
        """Forward a message of the player, or buffer it."""
        if self.up is not None:
            self.up.send(data)
            if self.delivered:
                return
        if self._store(data):
            return
        if self.up is not None:
            self.settle()  # too much to repeat to another upstream
        else:
            self._discard_early()
            self.down.close(close_codes.RATE_LIMITED)

    def closed(self, code: int, reason: str) -> None:
        """Close the upstream of a player that has disconnected, with how that ended.

        `join` closes one that is still being dialled.
        """
        self._discard_early()
        if self.up is not None:
            self.up.close(passed_on(code, reason))
        self.on_end(code, reason)

    def join(self, up: Upstream) -> _Upstream:
        """Start to relay: send the buffered messages in order. Returns the handler of the dialled socket.

        The upstream is closed if the player has disconnected or is being closed.
        """
        if not self.down.is_open:
            up.close(passed_on(*self.down.ended))
            return _Upstream(self)
        self.up = up
        for data in self.early:
            up.send(data)
        return _Upstream(self)

    def limit_early(self, size: int) -> None:
        """Limit the player's messages that are kept without an upstream, also the fragments of an unfinished one."""
        self.early_limit = size
        self.down.limit_fragments(size)

    def answer_early(self, answer: Callable[[bytes], bytes | None]) -> None:
        """Answer the player's messages that are kept and have an answer, and keep the others."""
        kept = []
        for data in self.early:
            if (reply := answer(data)) is None:
                kept.append(data)
            else:
                self.down.send(reply)
        self._discard_early()
        for data in kept:
            self._store(data)

    def settle(self) -> None:
        """Keep this upstream for good and drop the buffered messages."""
        self.delivered = True
        self._discard_early()

    def upstream_closed(self, code: int, reason: str) -> None:
        """Handle the close of the dialled socket."""
        self.up = None
        if self.on_upstream_lost is not None:
            self.on_upstream_lost(code, reason)
        else:
            self.forward_close(code, reason)

    def close(self, why: CloseCode) -> None:
        """Close both sides, the upstream first."""
        if self.up is not None:
            self.up.close(why)
        self.down.close(why)

    def forward_close(self, code: int, reason: str) -> None:
        """Close the player's socket with the code and the reason of its upstream."""
        self.down.close_raw(forwardable(code), reason)

    def _store(self, data: bytes) -> bool:
        """Buffer an early message; return False if a limit forbids it."""
        size, charged = self.early_bytes + len(data), self.charged + len(data) + MESSAGE_OVERHEAD
        if len(self.early) >= MAX_EARLY_MESSAGES or size > self.early_limit:
            return False
        if self.budget is not None and not self.budget.resize(self.charged, charged):
            return False
        self.early.append(data)
        self.early_bytes, self.charged = size, charged
        return True

    def _discard_early(self) -> None:
        if self.early:
            if self.budget is not None:
                self.budget.resize(self.charged, 0)
            self.early, self.early_bytes, self.charged = [], 0, 0
