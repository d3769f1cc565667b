"""Tokens of an OpenID Connect issuer."""

from collections.abc import Sequence
from typing import Final

import aiohttp
import jwt

from pixelfleet.auth.claims import ClaimRules, identity_of
from pixelfleet.auth.identity import AuthBackendError, Identity, InvalidCredentialsError
from pixelfleet.auth.jwks import MAX_DOCUMENT_BYTES, KeySet
from pixelfleet.net.http_client import body_within

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures with a private key. With HS256 the issuer's public key would do as the secret; `none` is no signature."""

FETCH_SECONDS: Final = 5.0


class Tokens:
    """Checks the tokens of one issuer."""

    def __init__(self, issuer: str, audience: Sequence[str], keys: KeySet, rules: ClaimRules, leeway: float) -> None:
        self._issuer = issuer
        self._audience = list(audience)
        self._keys = keys
        self._rules = rules
        self._leeway = leeway

    async def check(self, token: str) -> Identity:
        """Return who a token speaks of; raise InvalidCredentialsError or AuthBackendError."""
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS:
                raise InvalidCredentialsError("the token's algorithm is not one of a public key")
            named = header.get("kid")
            key = await self._keys.key(named if isinstance(named, str) else None)
            claims = jwt.decode(
                token,
                key,
                algorithms=[header["alg"]],
                audience=self._audience,
                issuer=self._issuer,
                leeway=self._leeway,
                options={"require": ["exp", "iss", "aud"], "enforce_minimum_key_length": True},
            )
        except jwt.InvalidTokenError as error:
            raise InvalidCredentialsError(_said(error)) from None
        except (jwt.PyJWTError, ValueError, TypeError):  # a key of another kind than the algorithm's
            raise InvalidCredentialsError("the token is not signed by the issuer") from None
        return identity_of(claims, self._rules, "jwt")


def _said(error: jwt.InvalidTokenError) -> str:
    """Return what is wrong with a token in words of ours: PyJWT's may repeat parts of it."""
    for kind, words in (
        (jwt.ExpiredSignatureError, "the token has expired"),
        (jwt.ImmatureSignatureError, "the token is not valid yet"),
        (jwt.InvalidAudienceError, "the token is for somebody else (audience)"),
        (jwt.InvalidIssuerError, "the token is another issuer's"),
        (jwt.MissingRequiredClaimError, "the token lacks a claim: exp, iss and aud must be there"),
        (jwt.InvalidSignatureError, "the token is not signed by the issuer"),
        (jwt.InvalidAlgorithmError, "the token's algorithm is not the key's"),
    ):
        if isinstance(error, kind):
            return words
    return "the token cannot be read"


class HttpFetch:
    """Gets an issuer's documents with aiohttp."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def __call__(self, url: str) -> bytes:
        """Return the body of an answer of status 200; redirects are not followed."""
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
