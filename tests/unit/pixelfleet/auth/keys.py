"""Keys and tokens of a test issuer."""

import time
from collections.abc import Mapping
from functools import cache
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

ISSUER = "http://issuer.test"
AUDIENCE = "pixelfleet"


@cache
def private_key(name: str) -> rsa.RSAPrivateKey:
    """Return a key of this name, always the same one."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_pem(name: str = "one") -> bytes:
    return (
        private_key(name)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def jwk(name: str = "one") -> dict[str, Any]:
    found: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(private_key(name).public_key(), as_dict=True)
    return {**found, "kid": name, "use": "sig", "alg": "RS256"}


def jwks(*names: str) -> bytes:
    return orjson.dumps({"keys": [jwk(name) for name in names or ("one",)]})


def claims(**other: Any) -> dict[str, Any]:
    now = int(time.time())
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "iat": now, "exp": now + 3600, **other}


def token(
    content: Mapping[str, Any] | None = None, *, key: Any = None, algorithm: str = "RS256", kid: str | None = "one"
) -> str:
    """Return a token, by default a valid one."""
    header = {"kid": kid} if kid else {}
    signing = private_key(kid or "one") if key is None else key
    return jwt.encode(dict(claims() if content is None else content), signing, algorithm=algorithm, headers=header)
