"""Session tickets: what a matchmaker hands to a signalling server to say "this player was promised that streamer"."""

import hmac
import time
from base64 import urlsafe_b64encode
from functools import lru_cache
from typing import Final, Literal

import jwt
import msgspec
import orjson

ALGORITHM: Final = "HS256"
ISSUER: Final = "pixelfleet"
LIFETIME_SECONDS: Final = 60


class TokenError(ValueError):
    """The token is not one of ours, or its time is over; the text says which, and nothing of the key."""


class SessionToken(msgspec.Struct, frozen=True):
    """What a session ticket says."""

    session_id: str
    server_id: str
    endpoint_id: str
    app: str
    role: Literal["player", "spectator"] = "player"


def sign(token: SessionToken, key: str) -> str:
    """Return the token as a signed string, valid for a minute."""
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "sub": token.session_id,
        "aud": token.server_id,
        "endpoint": token.endpoint_id,
        "app": token.app,
        "role": token.role,
        "iat": now,
        "exp": now + LIFETIME_SECONDS,
    }
    # A JSON Web Signature in its compact form (RFC 7515, 3.1), as PyJWT reads it; PyJWT takes much longer to write it
    # (docs/explanation/performance.md), and each matched player has one.
    signed = _HEADER + b"." + _base64(orjson.dumps(claims))
    signature = _keyed(key).copy()
    signature.update(signed)
    return (signed + b"." + _base64(signature.digest())).decode()


@lru_cache(4)
def _known_key(key: str) -> jwt.PyJWK:
    """Return a key as PyJWT has it: it would else look with each token whether it is one of a dozen other kinds."""
    return jwt.PyJWK({"kty": "oct", "k": _base64(key.encode()).decode()}, ALGORITHM)


@lru_cache(4)
def _keyed(key: str) -> hmac.HMAC:
    """Return what signatures begin with: OpenSSL takes longer to make it than to sign."""
    return hmac.new(key.encode(), digestmod="sha256")


def _base64(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


_HEADER: Final = _base64(orjson.dumps({"alg": ALGORITHM, "typ": "JWT"}))


def verify(text: str, key: str, server_id: str) -> SessionToken:
    """Return what a token says, if it was signed with the key, for this server, and has not expired."""
    try:
        claims = jwt.decode(
            text,
            _known_key(key),
            algorithms=[ALGORITHM],
            audience=server_id,
            issuer=ISSUER,
            leeway=10,
            options={"require": ["exp", "iat", "sub", "aud", "iss"]},
        )
        return msgspec.convert(
            {
                "session_id": claims["sub"],
                "server_id": server_id,
                "endpoint_id": claims.get("endpoint"),
                "app": claims.get("app"),
                "role": claims.get("role", "player"),
            },
            SessionToken,
        )
    except jwt.InvalidTokenError as error:
        raise TokenError(str(error)) from None
    except msgspec.ValidationError:
        raise TokenError("claims are missing") from None
