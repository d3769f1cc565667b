"""Checks of HTTP requests: bearer tokens, origins, and the address of a client behind proxies."""

import hmac
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from aiohttp import web
from multidict import MultiMapping
from pydantic import SecretStr

MAX_FORWARDED_HOPS: Final = 32

ADDRESSES_REMEMBERED: Final = 4096
"""The size of the cache of parsed addresses."""


def same_secret(given: str | None, secret: SecretStr) -> bool:
    """Return whether a request gave the secret; the comparison takes constant time."""
    return given is not None and hmac.compare_digest(
        given.encode("utf-8", "surrogateescape"), secret.get_secret_value().encode()
    )


def bearer_token(header: str | None) -> str | None:
    """Return the token of an `Authorization: Bearer` header."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def bearer_header(token: SecretStr | None) -> dict[str, str]:
    """Return the `Authorization` header for a token, or no header without one."""
    return {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}


class TokenGuard:
    """Requires a bearer token; refuses every request while no token is configured."""

    def __init__(self, token: SecretStr | None, option: str) -> None:
        self._token = token
        self._option = option

    def holds(self, request: web.Request) -> bool:
        """Return whether the request has the token."""
        return self._token is not None and same_secret(bearer_token(request.headers.get("Authorization")), self._token)

    def check(self, request: web.Request) -> None:
        """Raise HTTPForbidden when no token is configured, HTTPUnauthorized when the request lacks the right one."""
        if self._token is None:
            raise web.HTTPForbidden(reason=f"closed until {self._option} is set")
        if not self.holds(request):
            raise web.HTTPUnauthorized(reason="a bearer token is needed", headers={"WWW-Authenticate": "Bearer"})


def origin_allowed(origin: str | None, allowed: Sequence[str]) -> bool:
    """Return whether a page of this origin may connect. Clients other than browsers send no origin and may connect."""
    return origin is None or "*" in allowed or origin.rstrip("/").lower() in {a.rstrip("/").lower() for a in allowed}


def client_address(peer: str, headers: MultiMapping[str], proxies: int) -> str:
    """Return the client's IP address as reported by the number of trusted proxies before this service.

    Each proxy appends the address of its peer to `X-Forwarded-For`. Only the last `proxies` entries are trusted; a
    client can forge the entries before them.
    """
    if proxies <= 0 or "X-Forwarded-For" not in headers:
        return peer
    hops = [hop.strip() for line in headers.getall("X-Forwarded-For") for hop in line.split(",")]
    hops = hops[-MAX_FORWARDED_HOPS:]
    if len(hops) < proxies:
        return peer
    try:
        return str(ip_address(_without_port(hops[-proxies])))
    except ValueError:
        return peer


@lru_cache(ADDRESSES_REMEMBERED)
def is_loopback(address: str) -> bool:
    """Return whether an IP address is one of this machine's loopback interface."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    return ip.is_loopback or (ip.version == 6 and ip.ipv4_mapped is not None and ip.ipv4_mapped.is_loopback)


def _without_port(hop: str) -> str:
    """Return an address without the port that some proxies add: `192.0.2.7:4711`, `[2001:db8::7]:4711`."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
