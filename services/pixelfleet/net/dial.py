"""Opens a websocket to another server."""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from picows import WSError, WSInvalidStatusError
from picows.url import WSParsedURL, parse_url

from pixelfleet.net.bounds import Bounds
from pixelfleet.net.header_values import check_headers
from pixelfleet.net.vendor_glue.picows_protocol import client_protocol
from pixelfleet.net.websocket import MessageHandler, WebSocket
from pixelfleet.service.deadlines import PerLoop, TimeLimit

TARGETS_REMEMBERED: Final = 4096
"""The size of the cache of parsed URLs."""

MAX_REASON_LENGTH: Final = 128
"""Longer bodies of refusals are not part of a DialError's text."""

_limits: Final[PerLoop[dict[float, TimeLimit]]] = PerLoop(dict)


class DialError(ConnectionError):
    """The other server is unreachable or refused the websocket; the text gives the reason.

    `status` is the HTTP status of a refusal, or 0.
    """

    def __init__(self, why: str, status: int = 0) -> None:
        super().__init__(why)
        self.status = status


async def dial(
    url: str,
    opened: Callable[[WebSocket], MessageHandler | None],
    bounds: Bounds,
    *,
    headers: Mapping[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
    address: str = "",
) -> WebSocket:
    """Connect to a websocket URL and return the open socket; raise DialError when that fails.

    `opened` returns the handler of the socket. `address` is an IP address to connect to instead of a lookup of the
    URL's host. A dial that fails, takes longer than `bounds.handshake_seconds` or is cancelled closes its connection.
    """
    socket: WebSocket | None = None

    def make() -> WebSocket:
        nonlocal socket
        socket = WebSocket(bounds, opened)
        return socket

    if headers:
        try:
            check_headers(headers)
        except ValueError as error:
            raise DialError(str(error)) from None
    target, resource = _target(url)
    protocol = client_protocol(target.netloc, resource, make, bounds, headers or {})
    secure = (tls or True) if target.is_secure else None
    loop = asyncio.get_running_loop()
    try:
        with time_limit(loop, bounds.handshake_seconds):
            transport, _ = await loop.create_connection(
                lambda: protocol,
                address or target.host,
                target.port,
                ssl=secure,
                server_hostname=target.host if secure and address else None,
            )
            try:
                await protocol.opened()
            except BaseException:
                transport.abort()
                raise
    except TimeoutError:
        raise DialError("no answer in time") from None
    except WSInvalidStatusError as error:
        status = int(error.response.status) if error.response else 0
        raise DialError(f"{error}{_reason(error.raw_body)}", status) from None
    except (OSError, WSError, ValueError) as error:
        raise DialError(str(error) or type(error).__name__) from None
    if socket is None:
        raise DialError("closed before it answered")
    return socket


def _reason(body: bytes | None) -> str:
    """Return a suffix with the reason in a refusal's plain text, such as clocks that differ; empty for other bodies."""
    text = (body or b"").decode("ascii", "replace")
    return f": {text}" if 0 < len(text) <= MAX_REASON_LENGTH and text.isascii() and text.isprintable() else ""


def time_limit(loop: asyncio.AbstractEventLoop, seconds: float) -> TimeLimit:
    """Return the time limit that all dials of this loop with the same timeout share."""
    limits = _limits.of(loop)
    if seconds not in limits:
        limits[seconds] = TimeLimit(seconds)
    return limits[seconds]


def _target(url: str) -> tuple[WSParsedURL, str]:
    """Return the parsed URL, and its path with the query.

    Raises DialError; its text does not contain the URL, which may hold a session token.
    """
    base, mark, query = url.partition("?")
    try:
        if not query.isascii() or "#" in query:
            target = parse_url(url)
            return target, target.resource_name
        target = _parsed(base)
    except (WSError, ValueError):
        raise DialError("not the URL of a websocket") from None
    return target, f"{target.resource_name}{mark}{query}"


@lru_cache(TARGETS_REMEMBERED)
def _parsed(base: str) -> WSParsedURL:
    """Parse a URL without its query, which differs from dial to dial."""
    return parse_url(base)
