"""Keys that sign tokens and links."""

from typing import Final

MIN_KEY_BYTES: Final = 32
"""The length of the digest; a shorter key weakens the signature (RFC 7518, 3.2)."""


def check_key(option: str, key: str) -> None:
    """Raise ValueError, with the option's name, when a key is too short."""
    if len(key.encode()) < MIN_KEY_BYTES:
        raise ValueError(f"{option}: must have at least {MIN_KEY_BYTES} bytes")
