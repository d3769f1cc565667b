"""Sign-ins: the signed content of the cookie that a router sets after a browser has signed in at the issuer. No I/O.

Router and matchmaker verify a sign-in with a key that they derive from the session key; neither asks the issuer. So
browsers that are signed in stay so while the issuer is down.
"""

import hashlib
import hmac
from typing import Any, Final

import msgspec

from pixelfleet.auth.identity import Identity, InvalidCredentialsError
from pixelfleet.fleet.bounds import MAX_PRIORITY
from pixelfleet.service import signing

AUDIENCE: Final = "pixelfleet-sign-in"

COOKIE: Final = "pixelfleet_sign_in"

MAX_LENGTH: Final = 3800
"""Browsers store no cookie of more than 4096 bytes with its name and attributes."""


class SignInTooLongError(ValueError):
    """The claims of a token do not fit into a cookie."""


class SignIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who has signed in, and what the claims of the ID token allow."""

    subject: str
    name: str = ""
    """The name that the page shows to the person itself."""
    roles: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    priority: int | None = None
    tenant: str = ""
    sessions: int | None = None
    minutes: int | None = None

    @property
    def identity(self) -> Identity:
        """The identity of requests with this sign-in."""
        return Identity(
            subject=self.subject,
            method="oidc",
            roles=frozenset(self.roles),
            apps=self.apps,
            priority=self.priority,
            tenant=self.tenant,
            sessions=self.sessions,
            minutes=self.minutes,
        )


def sign_in_of(identity: Identity, name: str) -> SignIn:
    """Return the sign-in of an identity that the claims of an ID token gave."""
    return SignIn(
        subject=identity.subject,
        name=name,
        roles=tuple(sorted(identity.roles)),
        apps=identity.apps,
        priority=identity.priority,
        tenant=identity.tenant,
        sessions=identity.sessions,
        minutes=identity.minutes,
    )


def sign(sign_in: SignIn, key: bytes, seconds: int) -> str:
    """Return the value of the cookie, valid for `seconds`; raise SignInTooLongError if browsers would not store it."""
    text = signing.sign(msgspec.to_builtins(sign_in), key, audience=AUDIENCE, seconds=seconds)
    if len(text) > MAX_LENGTH:
        raise SignInTooLongError(f"a sign-in of {len(text)} bytes does not fit into a cookie")
    return text


def verify(text: str, key: bytes) -> SignIn | None:
    """Return a sign-in; None for a token of another kind or key. Raises InvalidCredentialsError for an expired one."""
    try:
        claims: dict[str, Any] = signing.verify(text, key, audience=AUDIENCE, required=("subject",))
        sign_in = msgspec.convert(claims, SignIn)
    except signing.TokenExpiredError:
        raise InvalidCredentialsError("the sign-in has expired") from None
    except (signing.TokenError, msgspec.ValidationError):
        return None
    if not sign_in.subject or (sign_in.priority is not None and not 0 <= sign_in.priority <= MAX_PRIORITY):
        return None
    return sign_in


def sign_in_key(session_key: str) -> bytes:
    """Return the key of sign-ins, which no session token, link or resume token is signed with."""
    return hmac.digest(session_key.encode(), AUDIENCE.encode(), hashlib.sha256)
