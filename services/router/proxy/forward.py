"""Forwards one HTTP request and streams its response, within limits of size and time."""

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
BUFFERED_BYTES: Final = 64 * 1024
"""This much of a body is read before the streamer is dialled, so that a slow or oversized one costs it nothing."""

WRITE_SECONDS: Final = 30.0
"""A client that reads nothing for this long is disconnected, also when the request has no time limit."""

CONNECT_SECONDS: Final = 5.0
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})


class _TooLargeError(Exception):
    """The body exceeded its limit while it was being streamed."""


@dataclass(frozen=True, slots=True)
class Onward:
    """The upstream of one request, and the limits of its forwarding."""

    url: str
    headers: Mapping[str, str]
    """Added to the client's headers."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of aiohttp's client, such as the server name for TLS."""
    answer: Mapping[str, str] = field(default_factory=dict)
    """Added to the response's headers."""
    seconds: float | None = None
    """Limit of the whole request; None for an event stream."""
    body_bytes: int = 0
    """Limit of the client's body."""


class Forwarder:
    """Forwards requests, at most `at_once` at the same time."""

    def __init__(self, session: aiohttp.ClientSession, at_once: int, slow_seconds: float) -> None:
        self._session = session
        self._at_once = at_once
        self._slow_seconds = slow_seconds
        self.active = 0

    async def forward(self, request: web.Request, onward: Onward) -> web.StreamResponse:
        """Forward a request and return its response.

        Raises HTTPException: 405, 408, 413, 502, 503, 504. When the upstream's response is cut off, so is the client's.
        """
        if request.method not in METHODS:
            raise web.HTTPMethodNotAllowed(request.method, METHODS)
        with self.one_more():
            return await self._exchange(request, onward)

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count a request while the body runs; raise HTTPServiceUnavailable when the limit is reached."""
        if self.active >= self._at_once:
            raise web.HTTPServiceUnavailable(reason="too many requests in progress")
        self.active += 1
        try:
            yield
        finally:
            self.active -= 1

    async def _exchange(self, request: web.Request, onward: Onward) -> web.StreamResponse:
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
                        raise aiohttp.ClientError  # 101: a switch of protocols that was not requested
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

    async def _body(self, request: web.Request, limit: int) -> io.BytesIO | AsyncIterator[bytes] | None:
        """Return the body: buffered when it is small or has no declared size, else as a stream."""
        declared = request.content_length
        if declared is not None and declared > limit:
            raise _too_large()
        if not request.can_read_body:
            return None
        wanted = limit if declared is None else min(declared, BUFFERED_BYTES)
        buffered = bytearray()
        try:
            async with asyncio.timeout(self._slow_seconds):
                async for chunk in request.content.iter_any():
                    buffered += chunk
                    if len(buffered) > limit:
                        raise _too_large()
                    if declared is not None and len(buffered) >= wanted:
                        break
        except TimeoutError:
            raise web.HTTPRequestTimeout(reason="the body did not arrive in time") from None
        if declared is None or len(buffered) >= declared:
            return io.BytesIO(buffered)
        return _streamed(bytes(buffered), request, limit)

    @staticmethod
    def _broken(
        request: web.Request, response: web.StreamResponse | None, error: web.HTTPException
    ) -> web.StreamResponse:
        """Raise the error; after the response has begun, abort the connection, the only way left to signal it."""
        if response is None or not response.prepared:
            raise error from None
        if request.transport is not None:
            request.transport.abort()
        return response


def _length(request: web.Request, body: object) -> dict[str, str]:
    """Return Content-Length for a streamed body: some applications' servers do not support chunked encoding."""
    return {"Content-Length": str(request.content_length)} if isinstance(body, AsyncIterator) else {}


async def _streamed(first: bytes, request: web.Request, limit: int) -> AsyncIterator[bytes]:
    yield first
    size = len(first)
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > limit:
            raise _TooLargeError
        yield chunk


def _too_large() -> web.HTTPRequestEntityTooLarge:
    return web.HTTPRequestEntityTooLarge(max_size=0, actual_size=0, reason="the body is too large")
