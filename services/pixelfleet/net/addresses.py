"""Addresses as people write them."""

from typing import Final
from urllib.parse import urlsplit

_LOOPBACK: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
"""Where what listens on every address is found from the same machine."""


def address_of(text: str) -> tuple[str, int]:
    """Return host and port of `host:port`; raise ValueError when it is not that."""
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.port is None or parts.path or parts.query or parts.username:
        raise ValueError("must be host:port")
    return parts.hostname, parts.port


def url_host(host: str) -> str:
    """Return a host as it is written in a URL: an IPv6 address stands in brackets."""
    return f"[{host}]" if ":" in host else host


def local_host(host: str) -> str:
    """Return the host, as it is written in a URL, under which this machine reaches what listens on `host`."""
    return url_host(_LOOPBACK.get(host, host))
