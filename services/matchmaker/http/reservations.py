"""Leases for pages that dial by themselves, and how many of them one address may take. No clock, no I/O."""

from collections import OrderedDict
from typing import Final

MAX_ADDRESSES: Final = 10_000
"""Addresses that are remembered; the one that has asked least lately is forgotten for a further one."""


class OfferLimit:
    """So many slots a minute for each address: whoever takes them and does not come keeps others from them."""

    def __init__(self, per_minute: int) -> None:
        """With 0 there is no limit."""
        self._rate = per_minute / 60
        self._burst = float(per_minute)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, address: str, now: float) -> bool:
        """Tell whether an address may take one more; `now` is in seconds."""
        return not self._rate or self._left_for(address, now) >= 1.0

    def take(self, address: str, now: float) -> None:
        """An address has taken one."""
        if not self._rate:
            return
        self._left[address] = (self._left_for(address, now) - 1.0, now)
        self._left.move_to_end(address)
        if len(self._left) > MAX_ADDRESSES:
            self._left.popitem(last=False)

    def _left_for(self, address: str, now: float) -> float:
        left, since = self._left.get(address, (self._burst, now))
        return min(self._burst, left + (now - since) * self._rate)
