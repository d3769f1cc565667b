"""A client of the matchmaker's `/api/v1`, with errors for a terminal."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
from yarl import URL

from matchmaker.http.record_schemas import HistoryPage, PastSession
from matchmaker.http.schemas import (
    AuditPage,
    Ending,
    Extension,
    Page,
    QueuePage,
    SessionPage,
    Streamer,
    StreamerPage,
    Totals,
)
from pixelfleet.net.http_client import body_within
from pixelfleet.net.openapi import Error
from pixelfleet.service.errors import UsageError
from pixelfleet.service.shown import one_line, shown_url

REQUEST_SECONDS: Final = 15.0
MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
PAGE_SIZE: Final = 1000

PAGES: Final[dict[str, type[Page[Any]]]] = {
    "streamers": StreamerPage,
    "sessions": SessionPage,
    "queue": QueuePage,
    "audit": AuditPage,
}
"""The lists by name, with the type of their pages."""

T = TypeVar("T", bound=msgspec.Struct)


class FleetClient:
    """A client of one matchmaker. Every method raises a one-line UsageError when the request fails."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str) -> None:
        self._http = http
        self._url = url
        self._shown = shown_url(url)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def apps(self) -> Totals:
        """Return the totals of each application."""
        return await self._request("GET", "apps", Totals)

    async def items(self, what: str, *, app: str, limit: int) -> Page[Any]:
        """Return up to `limit` items of a list in PAGES as one page, of one application if `app` is not empty."""
        items: list[Any] = []
        query = {"app": app} if app else {}
        while True:
            page = await self._request(
                "GET", what, PAGES[what], {"limit": str(min(PAGE_SIZE, limit - len(items))), **query}
            )
            items += page.items
            if not page.next or not page.items or len(items) >= limit:
                return msgspec.structs.replace(page, items=items)
            query["after"] = page.next

    async def history(self, query: Mapping[str, str]) -> AsyncIterator[Sequence[PastSession]]:
        """Yield the ended sessions that a query selects, page by page."""
        after: dict[str, str] = {}
        while True:
            page = await self._request("GET", "sessions/history", HistoryPage, {**query, **after})
            yield page.items
            if not page.next:
                return
            after = {"after": page.next}

    async def drain(self, streamer: str) -> Streamer:
        """Start the operator drain of a streamer; return the streamer."""
        return await self._request("POST", f"streamers/{quote(streamer, safe='')}/drain", Streamer)

    async def undrain(self, streamer: str) -> Streamer:
        """End the operator drain of a streamer; return the streamer."""
        return await self._request("POST", f"streamers/{quote(streamer, safe='')}/undrain", Streamer)

    async def kick(self, session: str) -> Ending:
        """End a session."""
        return await self._request("DELETE", f"sessions/{quote(session, safe='')}", Ending)

    async def extend(self, session: str, seconds: int) -> Extension:
        """Let a session last longer."""
        return await self._request(
            "POST", f"sessions/{quote(session, safe='')}/extend", Extension, {"seconds": str(seconds)}
        )

    async def _request(self, method: str, path: str, answer: type[T], query: dict[str, str] | None = None) -> T:
        url = URL(f"{self._url}/api/v1/{path}", encoded=True).update_query(query or {})
        try:
            async with self._http.request(method, url, headers=self._headers, allow_redirects=False) as response:
                body = await body_within(response, MAX_ANSWER_BYTES)
        except TimeoutError:
            raise UsageError(f"{self._shown}: no answer within {REQUEST_SECONDS:g} s") from None
        except (aiohttp.ClientError, ValueError) as error:
            raise UsageError(f"{self._shown}: is unreachable: {_reason(error)}") from None
        if response.status >= 300:
            reason = _error(body) or response.reason
            raise UsageError(f"{method} {url.path}: {one_line(str(reason))} ({response.status})")
        try:
            return msgspec.json.decode(body or b"", type=answer)
        except (msgspec.DecodeError, RecursionError) as error:
            raise UsageError(f"{self._shown}: the answer is not a matchmaker's: {one_line(str(error))}") from None


@asynccontextmanager
async def fleet_client(url: str, token: str) -> AsyncIterator[FleetClient]:
    """Yield a client; raise UsageError for an invalid URL."""
    try:
        parsed = URL(url)
    except ValueError:
        parsed = URL()
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise UsageError("--url: must be http://host:port or https://host:port of a matchmaker")
    timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        yield FleetClient(http, url.rstrip("/"), token)


def _error(body: bytes | None) -> str | None:
    """Return the reason in an error response; None when it has none."""
    try:
        return msgspec.json.decode(body or b"", type=Error).error
    except (msgspec.DecodeError, RecursionError):
        return None


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return one_line(error.os_error.strerror or str(error.os_error) or type(error).__name__)
    return one_line(str(error) or type(error).__name__)
