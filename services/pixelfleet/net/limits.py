"""Limits on what one peer or one client address may do: token buckets and counts. No clock, no I/O, bounded memory."""

from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final

MAX_CLIENTS: Final = 65_536
"""Clients that one set of buckets holds; for a further one, the least recently used bucket is removed."""

KEYS_REMEMBERED: Final = 4096
"""Addresses whose keys are remembered: to parse one costs more than to count it."""

V6_NETWORK_BITS: Final = 64
"""An IPv6 client has a whole network of addresses, so limits apply to the network."""


@lru_cache(KEYS_REMEMBERED)
def client_key(address: str) -> str:
    """Return the key under which a client is limited: its IPv4 address, or its IPv6 network."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address[:64]
    if ip.version == 6:
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ip_network((int(ip), V6_NETWORK_BITS), strict=False))
    return str(ip)


@dataclass(slots=True)
class TokenBucket:
    """A token bucket, full at first: `burst` tokens at once, then `rate` tokens per second.

    Times are seconds of one monotonic clock. An infinite rate is no limit.
    """

    rate: float
    burst: float
    left: float = field(init=False)
    since: float = 0.0

    def __post_init__(self) -> None:
        self.left = self.burst

    def take(self, now: float) -> bool:
        """Use one token; return False, and use none, if there is not a whole one."""
        # Refilled here as well as in `_refill`: every websocket message passes here, and a call costs as much again.
        left = min(self.burst, self.left + (now - self.since) * self.rate)
        self.since = now
        if left < 1.0:
            self.left = left
            return False
        self.left = left - 1.0
        return True

    def charge(self, now: float) -> None:
        """Use one token even if there is none: the debt delays the next one."""
        self._refill(now)
        self.left -= 1.0

    def wait(self, now: float) -> float:
        """Return the seconds until there is a whole token, 0.0 if there is one."""
        self._refill(now)
        return max(0.0, 1.0 - self.left) / self.rate

    def _refill(self, now: float) -> None:
        self.left = min(self.burst, self.left + (now - self.since) * self.rate)
        self.since = now


class Buckets:
    """One token bucket for each client. A rate of 0 is no limit."""

    def __init__(self, rate: float, burst: float, most: int = MAX_CLIENTS) -> None:
        """`rate` is in tokens per second; `most` is the number of clients that are remembered."""
        self._rate = rate
        self._burst = burst
        self._most = most
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, client: str, now: float) -> float:
        """Use one token and return 0.0, or use none and return the seconds until there is one."""
        if self._rate <= 0:
            return 0.0
        bucket = self._of(client)
        return 0.0 if bucket.take(now) else bucket.wait(now)

    def wait(self, client: str, now: float) -> float:
        """Return what `take` would, without using a token."""
        if self._rate <= 0 or client not in self._buckets:
            return 0.0
        return self._of(client).wait(now)

    def give_back(self, client: str) -> None:
        """Return a token that `take` used."""
        bucket = self._buckets.get(client)
        if bucket is not None:
            bucket.left = min(bucket.burst, bucket.left + 1.0)

    def charge(self, client: str, now: float) -> None:
        """Use one token even if there is none: the debt delays the client's next one."""
        if self._rate > 0:
            self._of(client).charge(now)

    def _of(self, client: str) -> TokenBucket:
        bucket = self._buckets.get(client)
        if bucket is None:
            while len(self._buckets) >= self._most:
                self._buckets.popitem(last=False)
            bucket = self._buckets[client] = TokenBucket(self._rate, self._burst)
        else:
            self._buckets.move_to_end(client)
        return bucket


class Counts:
    """How many things each client has open. 0 is no limit. Nothing is kept of a client that has none."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._open)

    def full(self, client: str) -> bool:
        """Return whether a client may have no more."""
        return bool(self._most) and self._open.get(client, 0) >= self._most

    def add(self, client: str) -> None:
        """Count one more."""
        self._open[client] = self._open.get(client, 0) + 1

    def remove(self, client: str) -> None:
        """Count one less."""
        left = self._open.get(client, 0) - 1
        if left > 0:
            self._open[client] = left
        else:
            self._open.pop(client, None)
