"""Limits per peer or per client address: token buckets and counts. No clock, no I/O, bounded memory."""

from collections import OrderedDict
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final

MAX_CLIENTS: Final = 65_536
"""Clients in one set of buckets; a further client replaces the least recently used one."""

KEYS_REMEMBERED: Final = 4096
"""The size of the cache of client keys: parsing an address costs more than counting it."""

V6_NETWORK_BITS: Final = 64
"""An IPv6 client may use all addresses of its network, so limits apply to the network."""


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


class TokenBucket:
    """A token bucket that starts full: `burst` tokens at once, then `rate` tokens per second.

    Times are seconds of one monotonic clock. An infinite rate means no limit.
    """

    __slots__ = ("burst", "left", "rate", "since")

    def __init__(self, rate: float, burst: float, since: float = 0.0) -> None:
        self.rate = rate
        self.burst = self.left = burst
        self.since = since

    def take(self, now: float) -> bool:
        """Use one token and return True; return False if there is less than one."""
        # Repeats `_refill` without a call: this runs for every websocket message.
        left = min(self.burst, self.left + (now - self.since) * self.rate)
        self.since = now
        if left < 1.0:
            self.left = left
            return False
        self.left = left - 1.0
        return True

    def charge(self, now: float) -> None:
        """Use one token even if there is none: the bucket goes negative."""
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
    """One token bucket per client. A rate of 0 means no limit."""

    def __init__(self, rate: float, burst: float, max_clients: int = MAX_CLIENTS) -> None:
        """`rate` is in tokens per second."""
        self._rate = rate
        self._burst = burst
        self._max_clients = max_clients
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    @classmethod
    def per_minute(cls, count: float) -> "Buckets":
        """Return buckets for `count` tokens per minute, of which a client may take half at once."""
        return cls(count / 60, max(1.0, count / 2))

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, client: str, now: float) -> float:
        """Use one token and return 0.0, or return the seconds until there is a token."""
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
        """Use one token even if there is none: the client waits longer for its next one."""
        if self._rate > 0:
            self._of(client).charge(now)

    def _of(self, client: str) -> TokenBucket:
        bucket = self._buckets.get(client)
        if bucket is None:
            while len(self._buckets) >= self._max_clients:
                self._buckets.popitem(last=False)
            bucket = self._buckets[client] = TokenBucket(self._rate, self._burst)
        else:
            self._buckets.move_to_end(client)
        return bucket


class Counts:
    """Counts what each client has open. A limit of 0 means no limit. Clients with a count of 0 take no memory."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._open)

    def full(self, client: str) -> bool:
        """Return whether a client has reached the limit."""
        return bool(self._limit) and self._open.get(client, 0) >= self._limit

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
