"""An issuer's public keys (JWKS): discovered, fetched, cached, and fetched again after a rotation."""

import asyncio
from collections.abc import Callable
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import jwt
import orjson
import structlog

from pixelfleet.auth.identity import AuthBackendError, InvalidCredentialsError

REFRESH_AFTER_SECONDS: Final = 600.0
"""Keys older than this are fetched again at their next use; they stay valid until that succeeds."""

MAX_AGE_SECONDS: Final = 24 * 3600.0
"""Keys that could not be refreshed for this time are no longer valid."""

FETCH_GAP_SECONDS: Final = 10.0
"""The minimum time between two fetches, however many tokens name an unknown key."""

MAX_KEYS: Final = 64
MAX_DOCUMENT_BYTES: Final = 256 * 1024
DISCOVERY: Final = "/.well-known/openid-configuration"

log = structlog.get_logger(__name__)


class Fetch(Protocol):
    """Fetches a document over HTTP."""

    async def __call__(self, url: str) -> bytes:
        """Return the body, at most MAX_DOCUMENT_BYTES; raise AuthBackendError."""


class KeySet:
    """The keys of one issuer."""

    def __init__(self, issuer: str, url: str, fetch: Fetch, clock: Callable[[], float]) -> None:
        self._issuer = issuer
        self._url = url
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched = float("-inf")
        self._tried = float("-inf")
        self._fetching = asyncio.Lock()
        self._fetches = 0
        """The number of successful fetches."""
        self._why = "the keys of the issuer are not loaded yet"

    async def key(self, key_id: str | None) -> jwt.PyJWK:
        """Return the key with an id, or the only key when a token has no id.

        Raises InvalidCredentialsError for an unknown key. Raises AuthBackendError when the issuer is unreachable, and
        for an unknown key while no further fetch is allowed: the issuer may have added it.
        """
        now, fetches = self._clock(), self._fetches
        found = self._find(key_id)
        # Tokens with a cached key do not wait for a fetch in progress: the issuer may hang.
        if found is None or (now - self._fetched > REFRESH_AFTER_SECONDS and not self._fetching.locked()):
            await self._refresh()
            found = self._find(key_id)
        if self._clock() - self._fetched > MAX_AGE_SECONDS:
            raise AuthBackendError(self._why)
        if found is None and key_id is not None and self._fetches == fetches:
            raise AuthBackendError("the token's key is unknown, and the issuer's keys cannot be fetched again yet")
        if found is None:
            raise InvalidCredentialsError("the token is signed with a key that the issuer does not have")
        return found

    def _find(self, key_id: str | None) -> jwt.PyJWK | None:
        if key_id is not None:
            return self._keys.get(key_id)
        return next(iter(self._keys.values())) if len(self._keys) == 1 else None

    async def _refresh(self) -> None:
        """Fetch the keys unless a fetch was tried within FETCH_GAP_SECONDS; a failure keeps the cached keys."""
        async with self._fetching:
            if self._clock() - self._tried < FETCH_GAP_SECONDS:
                return
            self._tried = self._clock()
            try:
                keys = readable_keys(_document(await self._fetch(await self._address())))
            except AuthBackendError as error:
                self._why = str(error)
                log.warning("issuer keys unavailable", issuer=self._issuer, why=str(error))
                return
            if keys.keys() != self._keys.keys():
                log.info("issuer keys changed", issuer=self._issuer, keys=len(keys))
            self._keys, self._fetched = keys, self._clock()
            self._fetches += 1

    async def _address(self) -> str:
        if self._url:
            return self._url
        found = _document(await self._fetch(self._issuer.rstrip("/") + DISCOVERY))
        if found.get("issuer") != self._issuer:
            raise AuthBackendError("the issuer's discovery document names another issuer")
        url = found.get("jwks_uri")
        if not isinstance(url, str) or urlsplit(url).scheme not in ("https", urlsplit(self._issuer).scheme):
            raise AuthBackendError("the issuer's discovery document names no usable jwks_uri")
        return url


def readable_keys(document: dict[str, Any]) -> dict[str, jwt.PyJWK]:
    """Return the public signature keys of a JWKS by their id; raise AuthBackendError when it has no list of keys.

    Symmetric keys are skipped: every reader of the document could sign with them.
    """
    entries = document.get("keys")
    if not isinstance(entries, list):
        raise AuthBackendError("the issuer's document has no keys")
    keys: dict[str, jwt.PyJWK] = {}
    for number, entry in enumerate(entries[:MAX_KEYS]):
        if not isinstance(entry, dict) or entry.get("kty") not in ("RSA", "EC", "OKP"):
            continue
        if entry.get("use", "sig") != "sig":
            continue
        public = {name: value for name, value in entry.items() if name not in ("d", "p", "q", "dp", "dq", "qi")}
        try:
            key = jwt.PyJWK(public)
        except (jwt.PyJWTError, ValueError, TypeError):
            continue  # an unsupported kind of key
        keys[str(entry.get("kid") or f"#{number}")] = key
    return keys


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        raise AuthBackendError("the issuer's document is not a JSON object")
    return document
