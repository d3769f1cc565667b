"""Makes the secrets of webhooks."""

import secrets
from base64 import b64encode
from typing import Final

from matchmaker.webhooks.core.signature import PREFIX

SECRET_BYTES: Final = 32


def new_secret() -> str:
    """Return a new random secret."""
    return PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
