"""Signed tokens (JWT, HS256), for services that share a key."""

import hmac
import time
from binascii import b2a_base64
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import jwt
import orjson

ALGORITHM: Final = "HS256"
ISSUER: Final = "pixelfleet"
LEEWAY_SECONDS: Final = 60
"""A token is accepted for this time after its expiry, because the signer's clock may be behind.

The clock of the signer may be ahead by any time: the time of issue is not checked, only the expiry.
"""

ALWAYS_REQUIRED: Final = ("exp", "iat", "aud", "iss")


class TokenError(ValueError):
    """The token is not valid for this key and audience; the text gives the reason without the key."""


class TokenExpiredError(TokenError):
    """The token was valid and has expired, or the signer's clock is behind."""


def sign(claims: Mapping[str, object], key: str | bytes, *, audience: str, seconds: int) -> str:
    """Return a signed token with the claims, for an audience, valid for `seconds`.

    The token is a JSON Web Signature in its compact form (RFC 7515, section 7.1). PyJWT, which verifies it, needs more
    than twice the time to write one, and each match has one.
    """
    now = int(time.time())
    payload = {**claims, "iss": ISSUER, "aud": audience, "iat": now, "exp": now + seconds}
    signed = b"%b.%b" % (_HEADER, _base64(orjson.dumps(payload)))
    signature = _keyed(key).copy()
    signature.update(signed)
    return (b"%b.%b" % (signed, _base64(signature.digest()))).decode()


@lru_cache(8)
def _keyed(key: str | bytes) -> hmac.HMAC:
    """Return the state of HMAC after its key, which costs as much as the digest of a token."""
    return hmac.new(key.encode() if isinstance(key, str) else key, digestmod="sha256")


def _base64(data: bytes) -> bytes:
    """Return data in base64url without padding."""
    return b2a_base64(data, newline=False).translate(_URL_SAFE).rstrip(b"=")


_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")


_HEADER: Final = _base64(orjson.dumps({"alg": ALGORITHM, "typ": "JWT"}))


@lru_cache(8)
def _known_key(key: str | bytes) -> jwt.PyJWK:
    """Return a key with its kind: PyJWT would otherwise test for each token which of a dozen kinds the key is."""
    encoded = key.encode() if isinstance(key, str) else key
    return jwt.PyJWK({"kty": "oct", "k": _base64(encoded).decode()}, ALGORITHM)


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
            options={"require": [*ALWAYS_REQUIRED, *required], "verify_iat": False},
        )
    except jwt.ExpiredSignatureError as error:
        raise TokenExpiredError(str(error)) from None
    except jwt.InvalidTokenError as error:
        raise TokenError(str(error)) from None
    return claims
