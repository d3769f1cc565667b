"""Passes one HTTP exchange on, as it streams, within bounds of size and time."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import structlog
from aiohttp import web
from yarl import URL

from pixelfleet.net.http import CORS_HEADERS
from router.proxy.rules import answer_headers, request_headers

log = structlog.get_logger(__name__)

CHUNK_BYTES: Final = 64 * 1024
GATHERED_BYTES: Final = 64 * 1024
"""So much of a body is waited for before anybody is dialled: what is slow or too large costs a streamer nothing."""

WRITE_SECONDS: Final = 30.0
"""A caller that does not read for so long is let go, also where the exchange itself has no bound."""

CONNECT_SECONDS: Final = 5.0
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})


class _TooLargeError(Exception):
    """More came than may be passed on."""


@dataclass(frozen=True, slots=True)
class Onward:
    """Where an exchange goes on."""

    url: str
    headers: Mapping[str, str]
    """What is added to the caller's own headers."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """For aiohttp's client, such as the name in a certificate."""
    answer: Mapping[str, str] = field(default_factory=dict)
    """What is added to the answer's headers."""
    seconds: float | None = None
    """How long the whole exchange may take; None for a stream of events."""
    body_bytes: int = 0
    """How large the caller's body may be."""


class Forwarder:
    """Passes exchanges on."""

    def __init__(self, session: aiohttp.ClientSession, at_once: int, slow_seconds: float) -> None:
        self._session = session
        self._at_once = at_once
        self._slow_seconds = slow_seconds
        self.under_way = 0

    async def forward(self, request: web.Request, onward: Onward) -> web.StreamResponse:
        """Pass a request on and its answer back.

        Raises HTTPException: 405, 408, 413, 502, 503, 504. An answer that breaks off breaks off for the caller too.
        """
        if request.method not in METHODS:
            raise web.HTTPMethodNotAllowed(request.method, METHODS)
        with self.one_more():
            return await self._state(request, onward)

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count an exchange for as long as it lasts; raise HTTPServiceUnavailable when there is no room for it."""
        if self.under_way >= self._at_once:
            raise web.HTTPServiceUnavailable(reason="too many requests are under way")
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1

    async def _state(self, request: web.Request, onward: Onward) -> web.StreamResponse:
        body = await self._body(request, onward.body_bytes)
        response: web.StreamResponse | None = None
        try:
            async with asyncio.timeout(onward.seconds):
                async with self._session.request(
                    request.method,
                    URL(onward.url, encoded=True),
                    headers={**request_headers(request.headers), **onward.headers, **_length(request, body)},
                    data=body,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=onward.seconds),
                    skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                    **onward.options,
                ) as answer:
                    if answer.status < 200:
                        raise aiohttp.ClientError  # it speaks another protocol from here on, which nobody asked for
                    response = web.StreamResponse(status=answer.status, reason=answer.reason)
                    for name, value in answer_headers(answer.headers).items():
                        response.headers.add(name, value)
                    response.headers.update({**onward.answer, **request.get(CORS_HEADERS, {})})
                    if (length := answer.headers.get("Content-Length")) and length.isdecimal():
                        response.content_length = int(length)
                    await response.prepare(request)
                    if request.method != "HEAD":
                        async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
                            async with asyncio.timeout(WRITE_SECONDS):
                                await response.write(chunk)
        except TimeoutError:
            return self._broken(request, response, web.HTTPGatewayTimeout(reason="no answer in time"))
        except _TooLargeError:
            return self._broken(request, response, _too_large())
        except (aiohttp.ClientError, OSError, ValueError) as error:
            log.info("upstream failed", why=type(error).__name__)
            return self._broken(request, response, web.HTTPBadGateway(reason="cannot be reached"))
        await response.write_eof()
        return response

    async def _body(self, request: web.Request, most: int) -> io.BytesIO | AsyncIterator[bytes] | None:
        """Return the body: whole when it is small or its size is not told, else its beginning and then the rest."""
        declared = request.content_length
        if declared is not None and declared > most:
            raise _too_large()
        if not request.can_read_body:
            return None
        wanted = most if declared is None else min(declared, GATHERED_BYTES)
        gathered = bytearray()
        try:
            async with asyncio.timeout(self._slow_seconds):
                async for chunk in request.content.iter_any():
                    gathered += chunk
                    if len(gathered) > most:
                        raise _too_large()
                    if declared is not None and len(gathered) >= wanted:
                        break
        except TimeoutError:
            raise web.HTTPRequestTimeout(reason="the body did not come in time") from None
        if declared is None or len(gathered) >= declared:
            return io.BytesIO(gathered)
        return _streamed(bytes(gathered), request, most)

    @staticmethod
    def _broken(
        request: web.Request, response: web.StreamResponse | None, error: web.HTTPException
    ) -> web.StreamResponse:
        """Raise the error; once the answer has begun nothing but the end of the connection can tell, so end that."""
        if response is None or not response.prepared:
            raise error from None
        if request.transport is not None:
            request.transport.abort()
        return response


def _length(request: web.Request, body: object) -> dict[str, str]:
    """Return the header for a body that is streamed: not every application's server understands chunks."""
    return {"Content-Length": str(request.content_length)} if isinstance(body, AsyncIterator) else {}


async def _streamed(first: bytes, request: web.Request, most: int) -> AsyncIterator[bytes]:
    yield first
    size = len(first)
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > most:
            raise _TooLargeError
        yield chunk


def _too_large() -> web.HTTPRequestEntityTooLarge:
    return web.HTTPRequestEntityTooLarge(max_size=0, actual_size=0, reason="the body is too large")
