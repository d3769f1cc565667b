"""Requests for a websocket that a proxy in front has changed, so that they are none any more.

A proxy that is not configured for websockets removes the headers `Upgrade` and `Connection`, or sends HTTP/1.0. It
passes the other headers of the request on, and by these it is recognized.
"""

from typing import Final

import structlog
from aiohttp import web

from pixelfleet.net.limits import Buckets, client_key
from pixelfleet.net.request_head import is_upgrade

WARNING_SECONDS: Final = 60.0
"""The shortest time between two warnings about one proxy: pages repeat their requests every few seconds."""

MAX_PROXIES: Final = 1024
"""Addresses for which the time of the last warning is stored; a further one replaces the least recently used."""

NEXT_STEP: Final = "configure it to pass websockets on, see docs/how-to/reverse-proxies.md"

log = structlog.get_logger(__name__)


class LostUpgrades:
    """The warnings of one port."""

    def __init__(self) -> None:
        self._warnings = Buckets(1 / WARNING_SECONDS, 1.0, MAX_PROXIES)

    def warn(self, peer: str, path: str, why: str, now: float) -> None:
        """Log a request from an address, if none from it was logged in the last minute; `now` is in seconds."""
        if self._warnings.take(client_key(peer), now) == 0.0:
            log.warning(
                "a request for a websocket arrived without its upgrade",
                proxy=peer,
                path=path[:200],
                why=why,
                likely_cause="the proxy at this address does not pass websockets on",
                next_step=NEXT_STEP,
            )


def is_lost_upgrade(request: web.Request) -> bool:
    """Return whether a request has the key of a websocket and asks for no upgrade."""
    return "Sec-WebSocket-Key" in request.headers and not is_upgrade(request)
