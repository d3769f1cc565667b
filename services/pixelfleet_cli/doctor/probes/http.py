"""HTTP requests of the doctor: one answer each, with a bounded body and without redirects."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
from multidict import CIMultiDictProxy
from yarl import URL

from pixelfleet.net.http_client import without_redirects
from pixelfleet.net.refusal import REFUSAL_HEADER
from pixelfleet.service.shown import one_line
from pixelfleet_cli.doctor.findings.answers import Answer
from pixelfleet_cli.doctor.findings.page import Asset, files_of
from pixelfleet_cli.doctor.findings.target import Target

MAX_BODY_BYTES: Final = 1024 * 1024
ASSET_BYTES: Final = 1024
"""Bytes of an asset that are read: its status and type are what matters."""

MAX_REDIRECTS: Final = 5


class NoAnswerError(Exception):
    """A request had no answer; the text gives the reason in one line."""


@asynccontextmanager
async def client(tls: ssl.SSLContext, seconds: float) -> AsyncIterator[aiohttp.ClientSession]:
    """Yield a session that verifies certificates with `tls` and gives each request `seconds`.

    It decompresses nothing, so that a small answer stays small, stores no cookies, and follows no redirect of a
    websocket.
    """
    async with aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=seconds),
        connector=aiohttp.TCPConnector(ssl=tls, force_close=True),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trace_configs=[without_redirects()],
        headers={"Accept-Encoding": "identity", "User-Agent": "pixelfleet-doctor"},
    ) as session:
        yield session


async def get(
    http: aiohttp.ClientSession, url: URL, *, limit: int = MAX_BODY_BYTES, headers: Mapping[str, str] | None = None
) -> Answer:
    """Return the answer to a GET, with at most `limit` bytes of its body; raise NoAnswerError."""
    sent = time.time()
    try:
        async with http.get(url, headers=headers, allow_redirects=False) as response:
            received = time.time()
            try:
                body = await response.content.readexactly(limit)
            except asyncio.IncompleteReadError as end:
                body = end.partial
            return answer_of(response.status, response.headers, body, sent, received)
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise NoAnswerError(reason_of(error)) from None


def answer_of(
    status: int, headers: CIMultiDictProxy[str], body: bytes = b"", sent: float = 0.0, received: float = 0.0
) -> Answer:
    """Return what the doctor uses of an answer."""
    return Answer(
        status,
        body,
        content_type=one_line(headers.get("Content-Type", "").partition(";")[0], 60),
        location=headers.get("Location", ""),
        date=headers.get("Date", ""),
        server=headers.get("Server", ""),
        refusal=headers.get(REFUSAL_HEADER, ""),
        sent=sent,
        received=received,
    )


async def follow(http: aiohttp.ClientSession, target: Target) -> Target:
    """Return the page to which the redirects of a page lead; where they fail or do not end, the last one."""
    for _ in range(MAX_REDIRECTS):
        try:
            answer = await get(http, target.url, limit=0)
            if not answer.is_redirect:
                break
            url = target.url.join(URL(answer.location))
        except (NoAnswerError, ValueError):
            break
        if url.scheme not in ("http", "https") or not url.host or not url.port:
            break
        target = Target(url.with_fragment(None))
    return target


async def fetch_assets(http: aiohttp.ClientSession, page: Target, body: bytes) -> list[Asset]:
    """Return the scripts and styles that a page loads from its own origin."""
    urls = []
    for reference, is_style in files_of(body):
        try:
            url = page.url.join(URL(reference))
        except ValueError:
            continue
        if url.is_absolute() and url.scheme in ("http", "https") and url.origin() == page.url.origin():
            urls.append((url, is_style))
    return list(await asyncio.gather(*(_asset(http, url, is_style) for url, is_style in urls)))


async def _asset(http: aiohttp.ClientSession, url: URL, is_style: bool) -> Asset:
    path = one_line(url.path, 80)
    try:
        answer = await get(http, url, limit=ASSET_BYTES)
    except NoAnswerError:
        return Asset(path, is_style, 0)
    return Asset(path, is_style, answer.status, answer.content_type)


def reason_of(error: Exception) -> str:
    """Return why a request or a websocket failed. The text of aiohttp's errors has the URL with its secrets."""
    if isinstance(error, TimeoutError):
        return "No answer in time."
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return f"HTTP {error.status} instead of an upgrade."
    if isinstance(error, aiohttp.ClientConnectorError):
        return one_line(error.os_error.strerror or type(error).__name__)
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "The server closed the connection without an answer."
    if isinstance(error, aiohttp.ClientResponseError):
        return "The answer is not HTTP."
    return one_line(getattr(error, "strerror", None) or type(error).__name__)
