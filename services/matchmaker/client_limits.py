"""The limits of players' connections from one client address."""

import asyncio
from http import HTTPStatus
from typing import Final

import structlog
from multidict import MultiMapping

from pixelfleet.net.access import client_address, is_loopback
from pixelfleet.net.limits import Buckets, Counts, client_key
from pixelfleet.net.refusal import Refusal
from pixelfleet.net.request_head import RequestHead

log = structlog.get_logger(__name__)

LOCAL: Final = ""
"""The key of all clients on this machine, which have no limits."""

TOO_MANY_JOINS: Final = "too many new players from this address"
TOO_MANY_PLAYERS: Final = "too many players from this address"


def player_address(remote: str, headers: MultiMapping[str], proxies: int) -> str:
    """Return the address of a player; `proxies` is the number of trusted entries of X-Forwarded-For.

    Without trusted proxies, a peer on this machine is still taken for one if it sends the header: a router or a web
    server, whose players would otherwise be one client.
    """
    return client_address(remote, headers, proxies or int(is_loopback(remote)))


class ClientLimits:
    """Counts the joins and the open connections of each client."""

    def __init__(self, *, proxies: int, joins_per_minute: float, connections: int) -> None:
        """`proxies` is the number of trusted entries of X-Forwarded-For; a limit of 0 is no limit."""
        self._proxies = proxies
        self._joins = Buckets.per_minute(joins_per_minute)
        self._open = Counts(connections)
        self._now = asyncio.get_running_loop().time
        self._warned = False

    def client(self, head: RequestHead) -> str:
        """Return the key under which the client of a request is counted.

        A peer on this machine may be a proxy that does not name its clients, so clients on this machine have no limits.
        """
        address = player_address(head.remote, head.headers, self._proxies)
        return LOCAL if is_loopback(address) else client_key(address)

    def check(self, client: str, head: RequestHead) -> Refusal | None:
        """Count a join; return the refusal if the client has reached a limit."""
        if client == LOCAL:
            return None
        seconds = self._joins.take(client, self._now())
        if seconds > 0:
            self._warn(client, head)
            return _too_many(TOO_MANY_JOINS, {"Retry-After": str(int(seconds) + 1)})
        if self._open.full(client):
            self._warn(client, head)
            return _too_many(TOO_MANY_PLAYERS, {})
        return None

    def opened(self, client: str) -> None:
        """Count an open connection."""
        if client != LOCAL:
            self._open.add(client)

    def closed(self, client: str) -> None:
        """Count a connection as closed."""
        if client != LOCAL:
            self._open.remove(client)

    def _warn(self, client: str, head: RequestHead) -> None:
        """Log once that the refused client is probably a proxy: clients could repeat the line without limit."""
        if not self._proxies and not self._warned and "X-Forwarded-For" in head.headers:
            self._warned = True
            log.warning("all players of a proxy count as one client; set --trusted-proxies", client=client)


def _too_many(why: str, headers: dict[str, str]) -> Refusal:
    return Refusal(HTTPStatus.TOO_MANY_REQUESTS, why.encode(), headers)
