"""Load balancing over matchmakers: the fewest connections among those that are not excluded. No sockets, no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from pixelfleet.net.addresses import url_host
from pixelfleet.service.backoff import Backoff

BACKOFF: Final = Backoff(first=0.5, longest=30.0)
"""How long a matchmaker is excluded after a failure."""


@dataclass(slots=True, eq=False)
class Target:
    """One matchmaker at one address."""

    url: str
    """As configured: `ws://matchmaker:3000`."""
    address: str
    """One of the IP addresses of its name."""
    connections: int = 0
    failures: int = 0
    out_until: float = 0.0
    """The end of its exclusion, on the event loop's clock."""
    why: str = ""
    """The reason of its last exclusion."""
    silent: bool = False
    """Whether it gave no answer to the last check of its readiness."""
    ws_url: str = field(init=False)
    """Its base URL for websockets, with the name as host."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        self.ws_url = f"{'wss' if self.is_secure else 'ws'}://{parts.netloc}{parts.path.rstrip('/')}"

    @property
    def http_url(self) -> str:
        """Its base URL for HTTP, with the address as host."""
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port else ""
        return f"{'https' if self.is_secure else 'http'}://{url_host(self.address)}{port}{parts.path.rstrip('/')}"

    @property
    def host(self) -> str:
        """Its name and port, for the Host header."""
        return urlsplit(self.url).netloc

    @property
    def name(self) -> str:
        """Its host name, as in its certificate."""
        return urlsplit(self.url).hostname or ""

    @property
    def is_secure(self) -> bool:
        """Whether it is reached over TLS."""
        return urlsplit(self.url).scheme in ("wss", "https")


class Pool:
    """All targets."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._targets: dict[tuple[str, str], Target] = {}
        self._turn = 0
        self.urls = tuple(urls)

    def targets(self) -> list[Target]:
        """Return all targets."""
        return list(self._targets.values())

    def resolved(self, addresses: Mapping[str, Sequence[str]]) -> None:
        """Replace the addresses of the names in `addresses`; other names keep theirs.

        Existing connections to a removed address are not touched.
        """
        remaining = {key: target for key, target in self._targets.items() if key[0] not in addresses}
        for url, found in addresses.items():
            for address in found:
                remaining[url, address] = self._targets.get((url, address)) or Target(url, address)
        self._targets = remaining

    def candidates(self, now: float) -> list[Target]:
        """Return the targets in the order in which to try them: the fewest connections first, equal ones in turn.

        When all are excluded, all are returned: the one that was excluded first comes first.
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
        """Return the number of targets that are not excluded."""
        return sum(target.out_until <= now for target in self._targets.values())

    def failed(self, target: Target, now: float, why: str) -> bool:
        """Exclude a target, twice as long for each failure in a row; return whether it was usable before."""
        was_usable = target.failures == 0
        if target.out_until <= now:  # a failure during the exclusion is the same failure
            target.failures += 1
            target.out_until = now + BACKOFF.delay(target.failures)
        target.why = why
        return was_usable

    def answered(self, target: Target) -> bool:
        """End a target's exclusion; return whether it was excluded."""
        was_excluded = target.failures > 0
        target.failures, target.out_until, target.why = 0, 0.0, ""
        return was_excluded
