"""The issuer as the router uses it: its discovery document, and the exchange of a code for an ID token."""

import asyncio
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote_plus, urlsplit

import aiohttp
import jwt
import msgspec
import orjson
import structlog
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_token_request
from authlib.oidc.core import CodeIDToken
from joserfc.errors import JoseError

from pixelfleet.auth.identity import AuthBackendError, InvalidCredentialsError
from pixelfleet.auth.jwks import DISCOVERY, Fetch
from pixelfleet.auth.oidc import FETCH_SECONDS, Tokens
from pixelfleet.net.http_client import body_within
from router.sign_in.problems import Problem, SignInFailedError

log = structlog.get_logger(__name__)

FRESH_SECONDS: Final = 600.0
"""An older discovery document is fetched again at its next use."""

KEPT_SECONDS: Final = 24 * 3600.0
"""A discovery document that cannot be fetched again is used for this time."""

GAP_SECONDS: Final = 5.0
"""The least time between two failed fetches."""

Prepare = Callable[[str, str, dict[str, str], str], tuple[str, dict[str, str], str]]
"""Adds the client's authentication to a request: method, URL, headers and body."""

MAX_TOKEN_ANSWER_BYTES: Final = 64 * 1024


class Metadata(msgspec.Struct, frozen=True):
    """The parts of a discovery document that the router uses."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    end_session_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class TokenAnswer(msgspec.Struct, frozen=True):
    """The parts of the answer to a code that the router uses."""

    id_token: str
    access_token: str = ""


class Issuer:
    """One issuer, at which this router is a client."""

    def __init__(
        self,
        url: str,
        client_id: str,
        client_secret: str,
        *,
        session: aiohttp.ClientSession,
        fetch: Fetch,
        tokens: Tokens,
        clock: Callable[[], float],
        leeway: float,
    ) -> None:
        """`tokens` verifies signature, issuer, audience and times of ID tokens."""
        self.url = url
        self.client_id = client_id
        self._secret = client_secret
        self._session = session
        self._fetch = fetch
        self._tokens = tokens
        self._clock = clock
        self._leeway = leeway
        self._metadata: Metadata | None = None
        self._fetched = self._failed = float("-inf")
        self._fetching = asyncio.Lock()

    async def metadata(self) -> Metadata:
        """Return the discovery document; raise SignInFailedError while there is none."""
        async with self._fetching:
            now = self._clock()
            if now - self._fetched > FRESH_SECONDS and now - self._failed > GAP_SECONDS:
                try:
                    self._metadata = self._read(await self._fetch(self.url.rstrip("/") + DISCOVERY))
                    self._fetched = self._clock()
                except AuthBackendError as error:
                    self._failed = self._clock()
                    log.warning("issuer unavailable", issuer=self.url, why=str(error))
            if self._metadata is None or self._clock() - self._fetched > KEPT_SECONDS:
                raise SignInFailedError(Problem.UNAVAILABLE, "the issuer's discovery document is not available")
            return self._metadata

    def _read(self, body: bytes) -> Metadata:
        try:
            metadata = msgspec.json.decode(body, type=Metadata)
        except (msgspec.DecodeError, RecursionError):
            raise AuthBackendError("the issuer's discovery document cannot be read") from None
        if metadata.issuer != self.url:
            raise AuthBackendError("the issuer's discovery document names another issuer")
        endpoints = [metadata.authorization_endpoint, metadata.token_endpoint]
        if metadata.end_session_endpoint:
            endpoints.append(metadata.end_session_endpoint)
        for each in endpoints:
            if urlsplit(each).scheme not in ("https", urlsplit(self.url).scheme) or not urlsplit(each).hostname:
                raise AuthBackendError("the issuer's discovery document names an endpoint that is not usable")
        return metadata

    async def redeem(self, code: str, *, verifier: str, nonce: str, callback: str) -> dict[str, Any]:
        """Return the claims of the ID token that the issuer gives for a code; raise SignInFailedError."""
        metadata = await self.metadata()
        answer = await self._exchange(metadata, code, verifier=verifier, callback=callback)
        try:
            claims = await self._tokens.claims(answer.id_token)
            header = jwt.get_unverified_header(answer.id_token)
            params = {"nonce": nonce, "client_id": self.client_id, "access_token": answer.access_token}
            CodeIDToken(claims, header, params=params).validate(leeway=round(self._leeway))
        except InvalidCredentialsError as error:
            raise SignInFailedError(Problem.ANSWER, str(error)) from None
        except AuthBackendError as error:
            raise SignInFailedError(Problem.UNAVAILABLE, str(error)) from None
        except (JoseError, ValueError, TypeError) as error:
            raise SignInFailedError(Problem.ANSWER, f"the ID token does not fit ({type(error).__name__})") from None
        return claims

    async def _exchange(self, metadata: Metadata, code: str, *, verifier: str, callback: str) -> TokenAnswer:
        body = prepare_token_request("authorization_code", redirect_uri=callback, code=code, code_verifier=verifier)
        prepare: Prepare = self._client(metadata).prepare
        url, headers, body = prepare(
            "POST",
            metadata.token_endpoint,
            {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
            body,
        )
        timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
        try:
            async with self._session.post(
                url, data=body.encode(), headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                status, text = answer.status, await body_within(answer, MAX_TOKEN_ANSWER_BYTES)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            why = f"the issuer cannot be reached ({type(error).__name__})"
            raise SignInFailedError(Problem.UNAVAILABLE, why) from None
        if status >= 500:
            raise SignInFailedError(Problem.UNAVAILABLE, f"the issuer answers {status}")
        if status != 200 or text is None:
            raise SignInFailedError(Problem.ANSWER, f"the issuer answers {status} to the code: {_error_of(text)}")
        try:
            return msgspec.json.decode(text, type=TokenAnswer)
        except (msgspec.DecodeError, RecursionError):
            raise SignInFailedError(Problem.ANSWER, "the issuer's answer to the code has no ID token") from None

    def _client(self, metadata: Metadata) -> ClientAuth:
        """Return how the router authenticates; id and secret are form-encoded for Basic (RFC 6749, 2.3.1)."""
        if not self._secret:
            return ClientAuth(self.client_id, None, "none")
        if "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            return ClientAuth(quote_plus(self.client_id), quote_plus(self._secret), "client_secret_basic")
        return ClientAuth(self.client_id, self._secret, "client_secret_post")


def _error_of(body: bytes | None) -> str:
    """Return the registered error code of an answer, which the log may have."""
    try:
        error = orjson.loads(body or b"")["error"]
    except (ValueError, KeyError, TypeError):
        return "no reason"
    return error if error in ("invalid_grant", "invalid_client", "unauthorized_client", "invalid_request") else "other"
