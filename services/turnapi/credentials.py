"""Credentials for TURN servers: a fixed user, or credentials that expire for each session."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final, Protocol

from pydantic import SecretStr

NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""Valid names in credentials. coturn splits a username at its first colon, and its limit is 512 bytes."""

MIN_SECRET_BYTES: Final = 16
"""Holders of credentials can guess the secret offline, so it must not be short."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A username and its password."""

    username: str
    credential: str


class CredentialIssuer(Protocol):
    """Creates credentials."""

    def make(self, name: str, now: float, lifetime: float) -> Credentials:
        """Return credentials for a name, valid for `lifetime` seconds after `now`, a unix time."""


@dataclass(frozen=True, slots=True)
class FixedUser:
    """One user for all players and streamers, for TURN servers without a shared secret."""

    username: str
    credential: SecretStr

    def make(self, name: str, now: float, lifetime: float) -> Credentials:
        """Return the user; it never expires."""
        return Credentials(self.username, self.credential.get_secret_value())


@dataclass(frozen=True, slots=True)
class SharedSecret:
    """Credentials that a TURN server verifies with a shared secret: coturn's `use-auth-secret`."""

    secret: SecretStr
    leeway: float = 0.0
    """Seconds that the TURN servers' clocks may be ahead."""

    def make(self, name: str, now: float, lifetime: float) -> Credentials:
        """Return `<unix expiry>:<name>` and the HMAC-SHA1 of that under the secret, in base64."""
        username = f"{int(now + lifetime + self.leeway)}:{name}"
        key = self.secret.get_secret_value().encode()
        digest = hmac.digest(key, username.encode(), hashlib.sha1)
        return Credentials(username, base64.b64encode(digest).decode())
