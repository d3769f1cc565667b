"""Addresses in options and URLs."""

from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

URLS_REMEMBERED: Final = 4096
"""The size of the cache: a matchmaker parses the same few hundred URLs for every player."""

_LOOPBACK: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
"""The loopback address for a listener on all addresses."""


def parse_address(text: str) -> tuple[str, int]:
    """Return host and port of `host:port`; raise ValueError for any other text."""
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.port is None or parts.path or parts.query or parts.username:
        raise ValueError("must be host:port")
    return parts.hostname, parts.port


@lru_cache(URLS_REMEMBERED)
def url_address(url: str) -> tuple[str, int]:
    """Return host and port of an HTTP or websocket URL; without a port, the default port of its scheme."""
    target = urlsplit(url)
    return target.hostname or "", target.port or (443 if target.scheme in ("wss", "https") else 80)


def url_host(host: str) -> str:
    """Return a host as a URL has it: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def local_host(host: str) -> str:
    """Return the host for a URL with which this machine reaches a listener on `host`."""
    return url_host(_LOOPBACK.get(host, host))
