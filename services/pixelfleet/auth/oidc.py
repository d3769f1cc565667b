"""Verification of tokens of an OpenID Connect issuer."""

import json
from collections.abc import Sequence
from typing import Any, Final

import aiohttp
import jwt

from pixelfleet.auth.claims import ClaimRules, identity_of
from pixelfleet.auth.identity import AuthBackendError, Identity, InvalidCredentialsError
from pixelfleet.auth.jwks import MAX_DOCUMENT_BYTES, KeySet
from pixelfleet.net.http_client import body_within

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Asymmetric signatures only: with HS256 an attacker could sign with the public key, and `none` is not a signature."""

FETCH_SECONDS: Final = 5.0


class Tokens:
    """Verifies the tokens of one issuer."""

    def __init__(self, issuer: str, audience: Sequence[str], keys: KeySet, rules: ClaimRules, leeway: float) -> None:
        self._issuer = issuer
        self._audience = list(audience)
        self._keys = keys
        self._rules = rules
        self._leeway = leeway

    async def check(self, token: str) -> Identity:
        """Return the identity from a token; raise InvalidCredentialsError or AuthBackendError."""
        return identity_of(await self.claims(token), self._rules, "jwt")

    async def claims(self, token: str) -> dict[str, Any]:
        """Return the claims of a valid token; raise InvalidCredentialsError or AuthBackendError."""
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS:
                raise InvalidCredentialsError("the token's algorithm is not asymmetric")
            key_id = header.get("kid")
            key = await self._keys.key(key_id if isinstance(key_id, str) else None)
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[header["alg"]],
                audience=self._audience,
                issuer=self._issuer,
                leeway=self._leeway,
                options={"require": ["exp", "iss", "aud"], "enforce_minimum_key_length": True},
            )
        except jwt.InvalidTokenError as error:
            raise InvalidCredentialsError(_reason(error)) from None
        except (jwt.PyJWTError, ValueError, TypeError):  # the key does not fit the algorithm
            raise InvalidCredentialsError("the token is not signed by the issuer") from None
        if not _is_text(claims):
            raise InvalidCredentialsError("the token has a claim that is not Unicode text")
        return claims


def _is_text(claims: dict[str, Any]) -> bool:
    """Return whether all texts can be encoded: an escaped half of a surrogate pair is valid JSON, and no character."""
    try:
        json.dumps(claims, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _reason(error: jwt.InvalidTokenError) -> str:
    """Return the reason without PyJWT's own text, which may repeat parts of the token."""
    for kind, reason in (
        (jwt.ExpiredSignatureError, "the token has expired"),
        (jwt.ImmatureSignatureError, "the token is not valid yet"),
        (jwt.InvalidAudienceError, "the token is for another audience"),
        (jwt.InvalidIssuerError, "the token is from another issuer"),
        (jwt.MissingRequiredClaimError, "the token lacks a claim: exp, iss and aud are required"),
        (jwt.InvalidSignatureError, "the token is not signed by the issuer"),
        (jwt.InvalidAlgorithmError, "the token's algorithm does not match its key"),
    ):
        if isinstance(error, kind):
            return reason
    return "the token cannot be read"


class HttpFetch:
    """Fetches an issuer's documents with aiohttp."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def __call__(self, url: str) -> bytes:
        """Return the body of a response with status 200, without following redirects; raise AuthBackendError."""
        try:
            timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
            async with self._session.get(url, timeout=timeout, allow_redirects=False) as answer:
                if answer.status != 200:
                    raise AuthBackendError(f"the issuer answers {answer.status}")
                body = await body_within(answer, MAX_DOCUMENT_BYTES)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise AuthBackendError(f"the issuer cannot be reached ({type(error).__name__})") from None
        if body is None:
            raise AuthBackendError("the issuer's document is too large")
        return body
