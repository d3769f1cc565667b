"""A client of the matchmaker's `/api/v1`, whose errors are for a person at a terminal."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import quote

import aiohttp
import orjson
from yarl import URL

from pixelfleet.net.http_client import body_within
from pixelfleet.service.errors import UsageError

ANSWER_SECONDS: Final = 15.0
MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
PAGE: Final = 1000

Answer = dict[str, Any]


class FleetClient:
    """Asks one matchmaker. Every method raises UsageError, in one line, for what cannot be had."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str) -> None:
        self._http = http
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def apps(self) -> Answer:
        """Return each app in numbers."""
        return await self._ask("GET", "apps")

    async def items(self, what: str, *, app: str, limit: int) -> Answer:
        """Return `items` of a list, at most so many, with their `total` and the time `now`."""
        items: list[Answer] = []
        after, answer = "", Answer()
        while len(items) < limit:
            query = {"limit": str(min(PAGE, limit - len(items))), "after": after, "app": app}
            answer = await self._ask("GET", what, {name: value for name, value in query.items() if value})
            found, after = answer.get("items"), answer.get("next") or ""
            if not isinstance(found, list):
                raise UsageError(f"{self._url}: answers as no matchmaker does")
            items += found
            if not after or not found:
                break
        return {"items": items, "total": answer.get("total", len(items)), "now": answer.get("now")}

    async def drain(self, streamer: str) -> Answer:
        """Have nobody matched to a streamer any more; return it."""
        return await self._ask("POST", f"streamers/{quote(streamer, safe='')}/drain")

    async def undrain(self, streamer: str) -> Answer:
        """Have players matched to a streamer again; return it."""
        return await self._ask("POST", f"streamers/{quote(streamer, safe='')}/undrain")

    async def kick(self, session: str) -> Answer:
        """Have a session ended."""
        return await self._ask("DELETE", f"sessions/{quote(session, safe='')}")

    async def _ask(self, method: str, path: str, query: dict[str, str] | None = None) -> Answer:
        url = URL(f"{self._url}/api/v1/{path}", encoded=True).update_query(query or {})
        try:
            async with self._http.request(method, url, headers=self._headers, allow_redirects=False) as response:
                body = await body_within(response, MAX_ANSWER_BYTES)
        except TimeoutError:
            raise UsageError(f"{self._url}: no answer within {ANSWER_SECONDS:g} s") from None
        except (aiohttp.ClientError, ValueError) as error:
            raise UsageError(f"{self._url}: cannot be reached: {_why(error)}") from None
        answer = _parsed(body)
        if response.status >= 300:
            why = answer.get("error") if answer else None
            raise UsageError(f"{method} {url.path}: {_one_line(str(why or response.reason))} ({response.status})")
        if answer is None:
            raise UsageError(f"{self._url}: answers as no matchmaker does")
        return answer


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


def _parsed(body: bytes | None) -> Answer | None:
    try:
        answer = orjson.loads(body or b"")
    except orjson.JSONDecodeError:
        return None
    return answer if isinstance(answer, dict) else None


def _why(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return _one_line(error.os_error.strerror or str(error.os_error) or type(error).__name__)
    return _one_line(str(error) or type(error).__name__)


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:300]
