"""The messages of one negotiation between a page and the server, across the websockets that carry them. No I/O.

Both sides count the messages of each direction from 0 on. The server keeps what the page has not acknowledged, so that
it can send it again over the next websocket; the page does the same. What is kept is bounded for each page and in sum.
A page that lacks a message that is no longer kept must negotiate again.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MESSAGE_BYTES: Final = 1024
"""What a message counts in addition to its size, so that small ones are bounded, too."""

MAX_BYTES: Final = 512 * 1024
"""The messages of one page that are kept at most: a negotiation has some dozen, of 10 KiB together."""

MAX_ALL_BYTES: Final = 64 * 1024 * 1024

GRANT_BYTES: Final = 16 * 1024
"""A line gets its share of the budget in portions of this size, so that most messages cost one comparison."""

DROPPED_AT_ONCE: Final = 16
"""The oldest messages that a full line drops: of a page that acknowledges nothing, most messages cost no more."""


@dataclass(slots=True)
class Budget:
    """The bytes that all lines of a server may keep."""

    free: int = MAX_ALL_BYTES


def _nowhere(_: bytes) -> None:
    """Send nothing: there is no websocket."""


class Line:
    """The counted messages of one page in both directions."""

    __slots__ = ("_budget", "_free", "_granted", "_kept", "acknowledged", "carry", "received")

    def __init__(self, budget: Budget) -> None:
        self.received = 0
        """The number of messages that the page has sent and the server has handled."""
        self.acknowledged = 0
        """The number of messages that are no longer kept: the first kept message has this number."""
        self.carry: Callable[[bytes], None] = _nowhere
        """Sends a message over the present websocket."""
        self._budget = budget
        self._kept: deque[bytes] = deque()
        self._granted = 0
        """The bytes of the budget that this line has taken."""
        self._free = 0
        """The part of them that no message occupies."""

    @property
    def sent(self) -> int:
        """The number of messages to the page so far."""
        return self.acknowledged + len(self._kept)

    def send(self, data: bytes) -> None:
        """Count, keep and send a message to the page; beyond the bounds the oldest messages are no longer kept."""
        self._kept.append(data)
        self._free -= len(data) + MESSAGE_BYTES
        if self._free < 0:
            self._make_room()
        self.carry(data)

    def pause(self) -> None:
        """Only keep messages from now on: the websocket has ended."""
        self.carry = _nowhere

    def acknowledge(self, received: int) -> None:
        """Drop the first `received` messages, which the page has; ignore a number that was not sent."""
        if self.acknowledged <= received <= self.sent:
            self._drop(received - self.acknowledged)
            self._return_grants()

    def resume(self, received: int) -> list[bytes] | None:
        """Return the messages after the first `received` ones; None if some are no longer kept or were never sent."""
        if not self.acknowledged <= received <= self.sent:
            return None
        self.acknowledge(received)
        return list(self._kept)

    def end(self) -> None:
        """Drop all messages, and keep none from now on: the negotiation is over."""
        self.acknowledge(self.sent)
        self._budget = Budget(0)  # a call to the application may be answered after the end of its player

    def _make_room(self) -> None:
        while self._free < 0:
            if self._granted < MAX_BYTES and self._budget.free >= GRANT_BYTES:
                self._budget.free -= GRANT_BYTES
                self._granted += GRANT_BYTES
                self._free += GRANT_BYTES
            else:
                self._drop(min(DROPPED_AT_ONCE, len(self._kept)))

    def _drop(self, count: int) -> None:
        kept = self._kept
        if count == len(kept):
            kept.clear()
            self._free = self._granted
        else:
            for _ in range(count):
                self._free += len(kept.popleft()) + MESSAGE_BYTES
        self.acknowledged += count

    def _return_grants(self) -> None:
        while self._free >= GRANT_BYTES:
            self._free -= GRANT_BYTES
            self._granted -= GRANT_BYTES
            self._budget.free += GRANT_BYTES
