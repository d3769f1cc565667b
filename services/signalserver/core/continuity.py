"""The messages of one negotiation between a page and the server, across the websockets that carry them. No I/O.

Both sides count the messages of each direction from 0 on. The server keeps what the page has not acknowledged, so that
it can send it again over the next websocket; the page does the same. What is kept is bounded for each page and in sum.
A page that lacks a message that is no longer kept must negotiate again.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

MAX_MESSAGES: Final = 256
MAX_BYTES: Final = 512 * 1024
"""The messages of one page that are kept at most: a negotiation has some dozen, of 10 KiB together."""

MAX_ALL_BYTES: Final = 64 * 1024 * 1024


@dataclass(slots=True)
class Budget:
    """The bytes that all lines of a server keep."""

    most: int = MAX_ALL_BYTES
    used: int = 0


class Line:
    """The counted messages of one page in both directions."""

    __slots__ = ("_budget", "_bytes", "_kept", "acknowledged", "received")

    def __init__(self, budget: Budget) -> None:
        self.received = 0
        """The number of messages that the page has sent and the server has handled."""
        self.acknowledged = 0
        """The number of messages that are no longer kept: the first kept message has this number."""
        self._budget = budget
        self._kept: deque[bytes] = deque()
        self._bytes = 0

    @property
    def sent(self) -> int:
        """The number of messages to the page so far."""
        return self.acknowledged + len(self._kept)

    def keep(self, data: bytes) -> None:
        """Count a message to the page and keep it; beyond the bounds the oldest messages are dropped."""
        kept, budget = self._kept, self._budget
        kept.append(data)
        size = len(data)
        self._bytes += size
        budget.used += size
        if len(kept) > MAX_MESSAGES or self._bytes > MAX_BYTES or budget.used > budget.most:
            self._trim()

    def acknowledge(self, received: int) -> None:
        """Drop the first `received` messages, which the page has; ignore a number that was not sent."""
        if received <= self.sent:
            while self.acknowledged < received:
                self._drop()

    def resume(self, received: int) -> list[bytes] | None:
        """Return the messages after the first `received` ones; None if some are no longer kept or were never sent."""
        if not self.acknowledged <= received <= self.sent:
            return None
        self.acknowledge(received)
        return list(self._kept)

    def end(self) -> None:
        """Drop all messages: the negotiation is over."""
        self.acknowledge(self.sent)

    def _trim(self) -> None:
        budget = self._budget
        while self._kept and (len(self._kept) > MAX_MESSAGES or self._bytes > MAX_BYTES or budget.used > budget.most):
            self._drop()

    def _drop(self) -> None:
        size = len(self._kept.popleft())
        self._bytes -= size
        self._budget.used -= size
        self.acknowledged += 1
