"""Which matchmaker comes next: the one with the fewest connections among those that answer. No sockets, no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from pixelfleet.net.addresses import url_host
from pixelfleet.service.backoff import Backoff

BACKOFF: Final = Backoff(first=0.5, longest=30.0)
"""How long a matchmaker that failed gets no players."""


@dataclass(slots=True, eq=False)
class Target:
    """One matchmaker at one address."""

    url: str
    """As it was given: `ws://matchmaker:3000`."""
    address: str
    """The IP address that its name has."""
    connections: int = 0
    failures: int = 0
    out_until: float = 0.0
    """Until when nobody is sent there."""
    why: str = ""
    """Why it was last left out."""
    ws_url: str = field(init=False)
    """Where its players are taken, by its name."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        self.ws_url = f"{'wss' if self.is_secure else 'ws'}://{parts.netloc}{parts.path.rstrip('/')}"

    @property
    def http_url(self) -> str:
        """Where its REST API is, by its address."""
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port else ""
        return f"{'https' if self.is_secure else 'http'}://{url_host(self.address)}{port}{parts.path.rstrip('/')}"

    @property
    def host(self) -> str:
        """Its name and port, as a request names them."""
        return urlsplit(self.url).netloc

    @property
    def name(self) -> str:
        """Its name alone, as its certificate has it."""
        return urlsplit(self.url).hostname or ""

    @property
    def is_secure(self) -> bool:
        """Whether it is spoken to over TLS."""
        return urlsplit(self.url).scheme in ("wss", "https")


class Pool:
    """The matchmakers that are known."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._targets: dict[tuple[str, str], Target] = {}
        self._turn = 0
        self.urls = tuple(urls)

    def targets(self) -> list[Target]:
        """Return all of them."""
        return list(self._targets.values())

    def resolved(self, addresses: Mapping[str, Sequence[str]]) -> None:
        """Take what names have resolved to; a name that is not in there keeps the addresses that it had.

        Who is connected to an address that is gone stays so.
        """
        kept = {key: target for key, target in self._targets.items() if key[0] not in addresses}
        for url, found in addresses.items():
            for address in found:
                kept[url, address] = self._targets.get((url, address)) or Target(url, address)
        self._targets = kept

    def candidates(self, now: float) -> list[Target]:
        """Return whom to try, in this order: the fewest connections first, and those alike take turns.

        When all are left out, all are tried: the one that has been out longest first.
        """
        every = self.targets()
        usable = [target for target in every if target.out_until <= now]
        if not usable:
            return sorted(every, key=lambda target: target.out_until - BACKOFF.delay(target.failures))
        if len(usable) == 1:
            return usable
        self._turn = (self._turn + 1) % len(usable)
        return sorted(usable[self._turn :] + usable[: self._turn], key=lambda target: target.connections)

    def usable(self, now: float) -> int:
        """Return how many are not left out."""
        return sum(target.out_until <= now for target in self._targets.values())

    def failed(self, target: Target, now: float, why: str) -> bool:
        """Leave one out, twice as long for each failure in a row; tell whether it was in until now."""
        was_in = target.failures == 0
        if target.out_until <= now:  # what fails while it is out is the same failure
            target.failures += 1
            target.out_until = now + BACKOFF.delay(target.failures)
        target.why = why
        return was_in

    def answered(self, target: Target) -> bool:
        """Take one in again; tell whether it was out until now."""
        was_out = target.failures > 0
        target.failures, target.out_until, target.why = 0, 0.0, ""
        return was_out
