"""An issuer's public keys: found by discovery, fetched, kept, and fetched again when it has changed them."""

import asyncio
from collections.abc import Callable
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import jwt
import orjson
import structlog

from pixelfleet.auth.identity import AuthBackendError, InvalidCredentialsError

REFRESH_AFTER_SECONDS: Final = 600.0
"""Keys older than this are fetched again when they are next used; until that has worked they still hold."""

LONGEST_SECONDS: Final = 24 * 3600.0
"""Keys that could not be fetched again for so long hold no more."""

FETCH_GAP_SECONDS: Final = 10.0
"""At least so long lies between two fetches, however many tokens name a key that is not known."""

MAX_KEYS: Final = 64
MAX_DOCUMENT_BYTES: Final = 256 * 1024
DISCOVERY: Final = "/.well-known/openid-configuration"

log = structlog.get_logger(__name__)


class Fetch(Protocol):
    """Gets a document over HTTP."""

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
        self._why = "the keys of the issuer are not known yet"

    async def key(self, key_id: str | None) -> jwt.PyJWK:
        """Return the key that a token names, or the only one there is when it names none.

        Raises InvalidCredentialsError for a key that the issuer does not have, AuthBackendError if it is unreachable.
        """
        now = self._clock()
        found = self._find(key_id)
        # While somebody fetches, or waits in vain for an issuer that hangs, keys that are known need no waiting.
        if found is None or (now - self._fetched > REFRESH_AFTER_SECONDS and not self._fetching.locked()):
            await self._refresh()
            found = self._find(key_id)
        if self._clock() - self._fetched > LONGEST_SECONDS:
            raise AuthBackendError(self._why)
        if found is None:
            raise InvalidCredentialsError("the token is signed with a key that the issuer does not have")
        return found

    def _find(self, key_id: str | None) -> jwt.PyJWK | None:
        if key_id is not None:
            return self._keys.get(key_id)
        return next(iter(self._keys.values())) if len(self._keys) == 1 else None

    async def _refresh(self) -> None:
        """Fetch the keys, unless somebody just did; when it fails those that are known are kept."""
        async with self._fetching:
            if self._clock() - self._tried < FETCH_GAP_SECONDS:
                return
            self._tried = self._clock()
            try:
                keys = readable_keys(_document(await self._fetch(await self._address())))
            except AuthBackendError as error:
                self._why = str(error)
                log.warning("keys of the issuer cannot be had", issuer=self._issuer, why=str(error))
                return
            if keys.keys() != self._keys.keys():
                log.info("keys of the issuer", issuer=self._issuer, keys=len(keys))
            self._keys, self._fetched = keys, self._clock()

    async def _address(self) -> str:
        if self._url:
            return self._url
        found = _document(await self._fetch(self._issuer.rstrip("/") + DISCOVERY))
        if found.get("issuer") != self._issuer:
            raise AuthBackendError("the issuer's discovery document is another issuer's")
        url = found.get("jwks_uri")
        if not isinstance(url, str) or urlsplit(url).scheme not in ("https", urlsplit(self._issuer).scheme):
            raise AuthBackendError("the issuer's discovery document names no usable jwks_uri")
        return url


def readable_keys(document: dict[str, Any]) -> dict[str, jwt.PyJWK]:
    """Return the public signature keys of a JWKS by their id.

    Symmetric keys are left out: whoever could read the document could sign with them.
    """
    entries = document.get("keys")
    if not isinstance(entries, list):
        raise AuthBackendError("the issuer's document holds no keys")
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
            continue  # of a kind that we do not know; the others hold
        keys[str(entry.get("kid") or f"#{number}")] = key
    return keys


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        raise AuthBackendError("the issuer's document is no JSON object")
    return document
