"""The memory for messages that clients send before their upstream is connected, bounded over all clients. No I/O."""

from typing import Final

FREE_BYTES: Final = 1024
"""A client may keep this much without a share of the common budget, so that large senders do not affect small ones."""

MESSAGE_OVERHEAD: Final = 64
"""Bytes that a stored message takes in addition to its content."""


class EarlyBudget:
    """The bytes that all clients of a process may keep beyond FREE_BYTES each."""

    def __init__(self, total: int) -> None:
        self.remaining = total

    def resize(self, before: int, after: int) -> bool:
        """Change the bytes that one client keeps; return False, and change nothing, when too few remain."""
        step = max(0, after - FREE_BYTES) - max(0, before - FREE_BYTES)
        if step > 0 and step > self.remaining:
            return False
        self.remaining -= step
        return True
