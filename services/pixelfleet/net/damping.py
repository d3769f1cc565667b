"""Holds back the answers to clients whose connections end at once. No I/O, bounded memory.

Epic's page of 5.2 dials again without any pause after every close, about 60 times a second; later ones dial every 2 s,
without end. Such a client is answered later and later, with the refusal or the websocket that it would get anyway.
"""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog

from pixelfleet.net.limits import MAX_CLIENTS, Counts, client_key
from pixelfleet.net.request_head import RequestHead

log = structlog.get_logger(__name__)

QUICK_SECONDS: Final = 2.0
"""A connection that the service closes within this time after its answer has ended at once, as has a refused one."""

FREE_ENDS: Final = 10
"""Ends in a row after which a client is still answered immediately."""

FIRST_HOLD_SECONDS: Final = 0.125
"""How long the first answer is held back; the time doubles with each further end."""

FORGET_SECONDS: Final = 30.0
"""A client whose last such end is older starts again."""

MAX_HELD: Final = 1024
MAX_HELD_PER_CLIENT: Final = 32
"""Answers that are held back at a time; further requests of such clients are refused with 429."""

HELD_SHARE: Final = 4
"""The held answers of a port are at most its connection limit divided by this: a client can pose as many, by the header
X-Forwarded-For, and the process needs file descriptors for others."""

RELAYED_HEADER: Final = "X-Pixelfleet-Relayed"
"""The header of a request that a router relays. The router has held it back; a second delay could exceed the time limit
of its dial, and the matchmaker would count as unreachable."""

FORWARDED_LENGTH: Final = 128
"""The characters of X-Forwarded-For, from its end, that belong to the key of a client."""


class Damper:
    """The clients of one port whose last connections ended at once."""

    def __init__(self, longest: float, connections: int = MAX_HELD * HELD_SHARE) -> None:
        """`longest` is the longest time in seconds for which an answer is held back; 0 disables this.

        `connections` is the connection limit of the port.
        """
        self._longest = longest
        self._most = min(MAX_HELD, connections // HELD_SHARE)
        self._ends: OrderedDict[str, tuple[int, float]] = OrderedDict()
        """The ends in a row of each client, and the time of the last."""
        self._held = Counts(MAX_HELD_PER_CLIENT)
        self.held = 0
        """The number of answers that are held back."""

    def __len__(self) -> int:
        """The number of clients that are remembered."""
        return len(self._ends)

    def delay(self, client: str, now: float) -> float:
        """Return for how many seconds the answer to a new request is to be held back."""
        count, last = self._ends.get(client, (0, now))
        if count <= FREE_ENDS or now - last >= FORGET_SECONDS:
            return 0.0
        return float(min(self._longest, FIRST_HOLD_SECONDS * 2.0 ** (count - FREE_ENDS - 1)))

    def ended(self, client: str, now: float) -> None:
        """Record that a connection of a client was refused, or closed at once."""
        if not self._longest:
            return
        count, last = self._ends.pop(client, (0, now))
        count = 1 if now - last >= FORGET_SECONDS else min(count + 1, 2 * FREE_ENDS)
        self._ends[client] = (count, now)
        if len(self._ends) > MAX_CLIENTS:
            self._ends.popitem(last=False)
        if count == FREE_ENDS + 1:
            log.warning("client dials again and again; its answers are held back", client=client)

    def closed(self, client: str, answered: float, now: float) -> None:
        """Record that the service closed a connection of a client that was answered at the time `answered`."""
        if now - answered < QUICK_SECONDS:
            self.ended(client, now)

    def has_room(self, client: str) -> bool:
        """Return whether a further answer to a client may be held back."""
        return self.held < self._most and not self._held.full(client)

    @contextmanager
    def holding(self, client: str) -> Iterator[None]:
        """Count an answer as held back."""
        self.held += 1
        self._held.add(client)
        try:
            yield
        finally:
            self.held -= 1
            self._held.remove(client)


def damping_key(head: RequestHead) -> str:
    """Return the key of a client: its address, and the addresses that proxies have reported; empty if it is exempt.

    The headers need no trust: a page cannot write them, and a client that does gains nothing.
    """
    if RELAYED_HEADER in head.headers:
        return ""
    forwarded = ",".join(head.headers.getall("X-Forwarded-For", ()))
    return f"{client_key(head.remote)} {forwarded[-FORWARDED_LENGTH:]}" if forwarded else client_key(head.remote)
