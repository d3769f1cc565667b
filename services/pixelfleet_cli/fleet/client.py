"""A client of the matchmaker's `/api/v1`, whose errors are for a person at a terminal."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
from yarl import URL

from matchmaker.http.schemas import Ending, Page, QueuePage, SessionPage, Streamer, StreamerPage, Totals
from pixelfleet.net.http_client import body_within
from pixelfleet.net.openapi import Error
from pixelfleet.service.errors import UsageError

ANSWER_SECONDS: Final = 15.0
MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
PAGE: Final = 1000

PAGES: Final[dict[str, type[Page[Any]]]] = {"streamers": StreamerPage, "sessions": SessionPage, "queue": QueuePage}
"""The lists that can be read, with the type of their pages."""

T = TypeVar("T", bound=msgspec.Struct)


class FleetClient:
    """Asks one matchmaker. Every method raises UsageError, in one line, for what cannot be had."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str) -> None:
        self._http = http
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def apps(self) -> Totals:
        """Return each app in numbers."""
        return await self._ask("GET", "apps", Totals)

    async def items(self, what: str, *, app: str, limit: int) -> Page[Any]:
        """Return a list of PAGES, at most so many items, as one page."""
        items: list[Any] = []
        query = {"app": app} if app else {}
        while True:
            page = await self._ask("GET", what, PAGES[what], {"limit": str(min(PAGE, limit - len(items))), **query})
            items += page.items
            if not page.next or not page.items or len(items) >= limit:
                return msgspec.structs.replace(page, items=items)
            query["after"] = page.next

    async def drain(self, streamer: str) -> Streamer:
        """Have nobody matched to a streamer any more; return it."""
        return await self._ask("POST", f"streamers/{quote(streamer, safe='')}/drain", Streamer)

    async def undrain(self, streamer: str) -> Streamer:
        """Have players matched to a streamer again; return it."""
        return await self._ask("POST", f"streamers/{quote(streamer, safe='')}/undrain", Streamer)

    async def kick(self, session: str) -> Ending:
        """Have a session ended."""
        return await self._ask("DELETE", f"sessions/{quote(session, safe='')}", Ending)

    async def _ask(self, method: str, path: str, answer: type[T], query: dict[str, str] | None = None) -> T:
        url = URL(f"{self._url}/api/v1/{path}", encoded=True).update_query(query or {})
        try:
            async with self._http.request(method, url, headers=self._headers, allow_redirects=False) as response:
                body = await body_within(response, MAX_ANSWER_BYTES)
        except TimeoutError:
            raise UsageError(f"{self._url}: no answer within {ANSWER_SECONDS:g} s") from None
        except (aiohttp.ClientError, ValueError) as error:
            raise UsageError(f"{self._url}: cannot be reached: {_why(error)}") from None
        if response.status >= 300:
            why = _error(body) or response.reason
            raise UsageError(f"{method} {url.path}: {_one_line(str(why))} ({response.status})")
        try:
            return msgspec.json.decode(body or b"", type=answer)
        except msgspec.DecodeError as error:
            raise UsageError(f"{self._url}: answers as no matchmaker does: {_one_line(str(error))}") from None


@asynccontextmanager
async def fleet_client(url: str, token: str) -> AsyncIterator[FleetClient]:
    """Yield a client; raise UsageError for a URL that is none."""
    try:
        parsed = URL(url)
    except ValueError:
        parsed = URL()
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise UsageError(f"--url {_one_line(url)}: must be http://host:port or https://host:port of a matchmaker")
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        yield FleetClient(http, url.rstrip("/"), token)


def _error(body: bytes | None) -> str | None:
    """Return the reason in an answer that is an error; None when it has none."""
    try:
        return msgspec.json.decode(body or b"", type=Error).error
    except msgspec.DecodeError:
        return None


def _why(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return _one_line(error.os_error.strerror or str(error.os_error) or type(error).__name__)
    return _one_line(str(error) or type(error).__name__)


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:300]
