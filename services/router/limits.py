"""How much one client address may ask for: token buckets and counts, with bounded memory and no clock of their own."""

from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final

MOST_ADDRESSES: Final = 65_536
"""Addresses that one set of buckets remembers; for a further one that which was seen longest ago is forgotten."""

V6_NETWORK_BITS: Final = 64
"""An IPv6 client has a whole network of addresses, so it is the network that is counted."""


def client_key(address: str) -> str:
    """Return what a client is counted under: its IPv4 address, or its IPv6 network."""
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
class _Bucket:
    left: float
    since: float


class Buckets:
    """A token bucket a client: `burst` at once, then `rate` a second. A rate of 0 is no limit."""

    def __init__(self, rate: float, burst: float, most: int = MOST_ADDRESSES) -> None:
        self._rate = rate
        self._burst = burst
        self._most = most
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, client: str, now: float) -> float:
        """Use up one; return 0.0, or in how many seconds there is one again, and then nothing is used up."""
        if self._rate <= 0:
            return 0.0
        bucket = self._at(client, now)
        if bucket.left >= 1.0:
            bucket.left -= 1.0
            return 0.0
        return (1.0 - bucket.left) / self._rate

    def wait(self, client: str, now: float) -> float:
        """Return what `take` would, without using anything up."""
        if self._rate <= 0 or client not in self._buckets:
            return 0.0
        return max(0.0, 1.0 - self._at(client, now).left) / self._rate

    def _at(self, client: str, now: float) -> _Bucket:
        bucket = self._buckets.get(client)
        if bucket is None:
            while len(self._buckets) >= self._most:
                self._buckets.popitem(last=False)
            bucket = self._buckets[client] = _Bucket(self._burst, now)
        else:
            bucket.left = min(self._burst, bucket.left + max(0.0, now - bucket.since) * self._rate)
            bucket.since = now
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
        """Tell whether a client may have no more."""
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
