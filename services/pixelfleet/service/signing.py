"""Signed tokens (JWT, HS256), for services that share a key."""

import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import jwt
import orjson
from jwt.algorithms import HMACAlgorithm

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


class _CheckedKeys(HMACAlgorithm):
    """HS256 without PyJWT's search for a public key in the secret, which costs twice as much as a signature.

    The keys of this project are checked when a service starts (`service/keys.py`).
    """

    def prepare_key(self, key: str | bytes) -> bytes:
        """Return the key as bytes."""
        return key.encode() if isinstance(key, str) else key


_tokens: Final = jwt.PyJWS(algorithms=[])
_tokens.register_algorithm(ALGORITHM, _CheckedKeys(HMACAlgorithm.SHA256))


def sign(claims: Mapping[str, object], key: str | bytes, *, audience: str, seconds: int) -> str:
    """Return a signed token with the claims, for an audience, valid for `seconds`."""
    now = int(time.time())
    payload = {**claims, "iss": ISSUER, "aud": audience, "iat": now, "exp": now + seconds}
    return _tokens.encode(orjson.dumps(payload), key, algorithm=ALGORITHM)


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
            options={"require": [*ALWAYS_REQUIRED, *required], "verify_iat": False},
        )
    except jwt.ExpiredSignatureError as error:
        raise TokenExpiredError(str(error)) from None
    except jwt.InvalidTokenError as error:
        raise TokenError(str(error)) from None
    return claims
