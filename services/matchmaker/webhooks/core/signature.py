"""The signature of webhooks, in the form of Standard Webhooks. No I/O.

The signed content is `id.timestamp.body`, and each key adds one signature, so that a receiver accepts the old and the
new key while they are exchanged.
"""

import binascii
import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Final

PREFIX: Final = "whsec_"
MIN_BYTES: Final = 24
MAX_BYTES: Final = 64

ID_HEADER: Final = "webhook-id"
TIMESTAMP_HEADER: Final = "webhook-timestamp"
SIGNATURE_HEADER: Final = "webhook-signature"


def keys_of(secrets: str) -> tuple[bytes, ...]:
    """Return the keys of secrets, which white space or commas separate. Raises ValueError for an invalid one."""
    keys = []
    for secret in secrets.replace(",", " ").split():
        try:
            key = b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            key = b""
        if not secret.startswith(PREFIX) or not MIN_BYTES <= len(key) <= MAX_BYTES:
            raise ValueError(f"must be {PREFIX} and {MIN_BYTES} to {MAX_BYTES} bytes in base64")
        keys.append(key)
    if not keys:
        raise ValueError("has no secret")
    return tuple(keys)


def signed_headers(keys: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers of a request; `timestamp` is the unix time in seconds."""
    content = b"%b.%d.%b" % (message_id.encode(), timestamp, body)
    digests = (hmac.digest(key, content, hashlib.sha256) for key in keys)
    return {
        ID_HEADER: message_id,
        TIMESTAMP_HEADER: str(timestamp),
        SIGNATURE_HEADER: " ".join(f"v1,{b64encode(digest).decode()}" for digest in digests),
    }
