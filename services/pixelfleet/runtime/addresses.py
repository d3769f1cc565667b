"""Addresses as people write them."""

from urllib.parse import urlsplit


def address_of(text: str) -> tuple[str, int]:
    """Return host and port of `host:port`; raise ValueError when it is not that."""
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.port is None or parts.path or parts.query or parts.username:
        raise ValueError("must be host:port")
    return parts.hostname, parts.port
