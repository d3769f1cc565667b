"""What a TURN server asks for: a fixed user, or credentials that are made for one session and expire."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final, Protocol

from pydantic import SecretStr

NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""Names that credentials can be made for. coturn cuts a username at its first colon and takes 512 bytes."""

MIN_SECRET_BYTES: Final = 16
"""Whoever holds credentials can try secrets against them at leisure, so a short one would be found."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A username and its password."""

    username: str
    credential: str


class Mint(Protocol):
    """Makes credentials."""

    def make(self, name: str, now: float, lifetime: float) -> Credentials:
        """Return credentials for a name that hold for `lifetime` seconds after `now`, a unix time."""


@dataclass(frozen=True, slots=True)
class FixedUser:
    """One user for everybody, for TURN servers that share no secret with us."""

    username: str
    credential: SecretStr

    def make(self, name: str, now: float, lifetime: float) -> Credentials:
        """Return the user; it never expires."""
        return Credentials(self.username, self.credential.get_secret_value())


@dataclass(frozen=True, slots=True)
class SharedSecret:
    """Credentials that a TURN server can check without asking anybody: coturn's `use-auth-secret`."""

    secret: SecretStr
    leeway: float = 0.0
    """Seconds that the TURN servers' clocks may be ahead of ours."""

    def make(self, name: str, now: float, lifetime: float) -> Credentials:
        """Return `<unix expiry>:<name>` and the HMAC-SHA1 of that under the secret, in base64."""
        username = f"{int(now + lifetime + self.leeway)}:{name}"
        key = self.secret.get_secret_value().encode()
        digest = hmac.digest(key, username.encode(), hashlib.sha1)
        return Credentials(username, base64.b64encode(digest).decode())
