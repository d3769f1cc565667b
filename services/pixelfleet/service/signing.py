"""Signed tokens (JWT, HS256), for services that share a key."""

import hmac
import time
from base64 import urlsafe_b64decode
from binascii import b2a_base64
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

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

    The token is a JSON Web Signature in its compact form (RFC 7515, section 7.1).
    """
    now = int(time.time())
    payload = {**claims, "iss": ISSUER, "aud": audience, "iat": now, "exp": now + seconds}
    signed = b"%b.%b" % (_HEADER, _base64(orjson.dumps(payload)))
    return (b"%b.%b" % (signed, _signature(signed, key))).decode()


def verify(text: str, key: str | bytes, *, audience: str, required: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the claims of a token for an audience; raise TokenError, or TokenExpiredError.

    Each match verifies two tokens, and a general library needs several times the CPU time for one. Only the signature
    of this key is trusted: nothing else of the token is read before it has been compared.
    """
    signed, _, signature = text.encode("utf-8", "replace").rpartition(b".")
    if not hmac.compare_digest(_signature(signed, key), signature):
        raise TokenError("Signature verification failed")
    header, _, body = signed.partition(b".")
    if header != _HEADER and _decoded(header).get("alg") != ALGORITHM:
        raise TokenError("The specified alg value is not allowed")
    claims = _decoded(body)
    for name in (*ALWAYS_REQUIRED, *required):
        if claims.get(name) is None:
            raise TokenError(f'Token is missing the "{name}" claim')
    audiences = claims["aud"]
    if audience not in (audiences if isinstance(audiences, list) else [audiences]):
        raise TokenError("Audience doesn't match")
    if claims["iss"] != ISSUER:
        raise TokenError("Invalid issuer")
    _check_time(claims)
    return claims


def _check_time(claims: Mapping[str, Any]) -> None:
    begin, end = claims.get("nbf", 0), claims["exp"]
    if not (isinstance(begin, int | float) and isinstance(end, int | float)):
        raise TokenError("Times of the token must be numbers")
    now = time.time()
    if begin > now + LEEWAY_SECONDS:
        raise TokenError("The token is not yet valid (nbf)")
    if end <= now - LEEWAY_SECONDS:
        raise TokenExpiredError("Signature has expired")


def _decoded(part: bytes) -> dict[str, Any]:
    """Return the object in a part of a token whose signature is valid; raise TokenError for anything else."""
    try:
        content = orjson.loads(urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise TokenError("Invalid payload: not a JSON object")
    return content


def _signature(signed: bytes, key: str | bytes) -> bytes:
    """Return the signature of the first two parts of a token, encoded as its third part."""
    state = _keyed(key).copy()
    state.update(signed)
    return _base64(state.digest())


@lru_cache(8)
def _keyed(key: str | bytes) -> hmac.HMAC:
    """Return the state of HMAC after its key, which costs as much as the digest of a token."""
    return hmac.new(key.encode() if isinstance(key, str) else key, digestmod="sha256")


def _base64(data: bytes) -> bytes:
    """Return data in base64url without padding."""
    return b2a_base64(data, newline=False).translate(_URL_SAFE).rstrip(b"=")


_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")


_HEADER: Final = _base64(orjson.dumps({"alg": ALGORITHM, "typ": "JWT"}))
