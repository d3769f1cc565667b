"""Joins a player's socket to one that we dial for it, and passes messages both ways without reading them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pixelfleet.net.early_budget import MESSAGE_OVERHEAD, EarlyBudget
from pixelfleet.net.websocket import WebSocket
from pixelfleet.protocol import close_codes

MAX_EARLY_MESSAGES: Final = 256
MAX_EARLY_BYTES: Final = 512 * 1024
"""What a player may send before its upstream is there: more than any page does, less than an attacker would like."""

FORWARDABLE_CODES: Final = frozenset({1000, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, *range(3000, 5000)})
"""Close codes that an endpoint may send (RFC 6455, 7.4), but for 1001, which would keep Epic's page away for good."""


def forwardable(code: int) -> int:
    """Return a code that may be passed on in place of one that arrived."""
    if code in FORWARDABLE_CODES:
        return code
    return close_codes.STREAM_UNAVAILABLE.code


class _Upstream:
    """The handler of the dialled socket."""

    def __init__(self, relay: "Relay") -> None:
        self.relay = relay
        self.message: Callable[[bytes], None] = self._first
        """Passes a message down; from the second on it is the player's own `send`."""

    def _first(self, data: bytes) -> None:
        self.relay.settle()
        self.message = self.relay.down.send
        self.relay.down.send(data)

    def closed(self, code: int, reason: str) -> None:
        """Let the relay know."""
        self.relay.upstream_closed(code, reason)


@dataclass(slots=True, eq=False)
class Relay:
    """The handler of a player's socket: keeps what comes early, then passes everything on."""

    down: WebSocket
    on_end: Callable[[int, str], None]
    """Called once, when the player's socket is gone, with the code and the reason."""
    on_upstream_lost: Callable[[int, str], None] | None = None
    """Called when the upstream went first; without it the player is closed with the upstream's code."""
    up: WebSocket | None = None
    delivered: bool = False
    """Whether the player has heard anything from upstream, or has said too much to it to begin again with another."""
    early: list[bytes] = field(default_factory=list)
    """What the player said before it heard anything: an upstream that ends before that may be followed by another."""
    early_bytes: int = 0
    early_limit: int = MAX_EARLY_BYTES
    """The bytes that may be stored in `early`."""
    budget: EarlyBudget | None = None
    """Shared with the relays of other players; None is no limit in sum."""
    charged: int = 0
    """The bytes that are charged to the budget."""

    def message(self, data: bytes) -> None:
        """Take a message of the player's."""
        if self.up is not None:
            self.up.send(data)
            if self.delivered:
                return
        if self._store(data):
            return
        if self.up is not None:
            self.settle()  # too much to be said again to another: this upstream is the one
        else:
            self._discard_early()
            self.down.close(close_codes.RATE_LIMITED)

    def closed(self, code: int, reason: str) -> None:
        """The player is gone: its upstream goes too, and one that is still dialled finds nobody."""
        self._discard_early()
        if self.up is not None:
            self.up.close(close_codes.NORMAL)
        self.on_end(code, reason)

    def join(self, up: WebSocket) -> _Upstream:
        """Begin to relay: deliver what came early, in order. Returns the handler for the dialled socket.

        An upstream that comes when the player is gone, or going, is closed.
        """
        if not self.down.is_open:
            up.close(close_codes.NORMAL)
            return _Upstream(self)
        self.up = up
        for data in self.early:
            up.send(data)
        return _Upstream(self)

    def settle(self) -> None:
        """There will be no other upstream: what the player said before is needed no more."""
        self.delivered = True
        self._discard_early()

    def upstream_closed(self, code: int, reason: str) -> None:
        """The dialled socket is gone."""
        self.up = None
        if self.on_upstream_lost is not None:
            self.on_upstream_lost(code, reason)
        else:
            self.pass_on_end(code, reason)

    def _store(self, data: bytes) -> bool:
        """Keep an early message; return False when a limit forbids it."""
        size, charged = self.early_bytes + len(data), self.charged + len(data) + MESSAGE_OVERHEAD
        if len(self.early) >= MAX_EARLY_MESSAGES or size > self.early_limit:
            return False
        if self.budget is not None and not self.budget.resize(self.charged, charged):
            return False
        self.early.append(data)
        self.early_bytes, self.charged = size, charged
        return True

    def _discard_early(self) -> None:
        if self.budget is not None:
            self.budget.resize(self.charged, 0)
        self.early, self.early_bytes, self.charged = [], 0, 0

    def pass_on_end(self, code: int, reason: str) -> None:
        """Close the player as its upstream was closed."""
        self.down.close_raw(forwardable(code), reason)
