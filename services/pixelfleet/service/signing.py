"""Signed tokens (JWT, HS256): what one of our processes signs, another one verifies with the same key."""

import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import jwt

ALGORITHM: Final = "HS256"
ISSUER: Final = "pixelfleet"
LEEWAY_SECONDS: Final = 10
"""How far the clocks of two machines may differ."""

ALWAYS_REQUIRED: Final = ("exp", "iat", "aud", "iss")


class TokenError(ValueError):
    """The token was not signed with this key for this audience; the text gives the reason, and nothing of the key."""


class TokenExpiredError(TokenError):
    """The token was valid and has expired."""


def sign(claims: Mapping[str, object], key: str | bytes, *, audience: str, seconds: int) -> str:
    """Return the claims as a signed token for an audience, valid for so many seconds."""
    now = int(time.time())
    whole = {**claims, "iss": ISSUER, "aud": audience, "iat": now, "exp": now + seconds}
    return jwt.encode(whole, key, algorithm=ALGORITHM)


@lru_cache(8)
def _known_key(key: str | bytes) -> jwt.PyJWK:
    """Return a key with its kind: PyJWT would otherwise test for each token which of a dozen kinds the key is."""
    encoded = key.encode() if isinstance(key, str) else key
    return jwt.PyJWK({"kty": "oct", "k": urlsafe_b64encode(encoded).rstrip(b"=").decode()}, ALGORITHM)


def verify(text: str, key: str | bytes, *, audience: str, required: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the claims of a token for an audience; raise TokenError, or TokenExpiredError."""
    try:
        claims: dict[str, Any] = jwt.decode(
            text,
            _known_key(key),
            algorithms=[ALGORITHM],
            audience=audience,
            issuer=ISSUER,
            leeway=LEEWAY_SECONDS,
            options={"require": [*ALWAYS_REQUIRED, *required]},
        )
    except jwt.ExpiredSignatureError as error:
        raise TokenExpiredError(str(error)) from None
    except jwt.InvalidTokenError as error:
        raise TokenError(str(error)) from None
    return claims
