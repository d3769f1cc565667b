"""Keys that tokens and links are signed with."""

from typing import Final

MIN_KEY_BYTES: Final = 32
"""As long as the digest: a shorter key is weaker than the signature (RFC 7518, 3.2)."""


def check_key(option: str, key: str) -> None:
    """Raise ValueError that names the option when a key is too short."""
    if len(key.encode()) < MIN_KEY_BYTES:
        raise ValueError(f"{option}: must have at least {MIN_KEY_BYTES} bytes")
