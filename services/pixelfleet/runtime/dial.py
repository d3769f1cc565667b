"""Opening a websocket to another server."""

import asyncio
import ssl
from collections.abc import Callable, Mapping

from picows import WSError, WSInvalidStatusError, ws_connect

from pixelfleet.runtime.front import READ_BUFFER_BYTES
from pixelfleet.runtime.websocket import Bounds, MessageHandler, WebSocket


class DialError(ConnectionError):
    """The other server could not be reached, or refused the websocket; the text says how.

    `status` is the HTTP status that it refused with, or 0.
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
) -> WebSocket:
    """Connect to a websocket URL and return the open socket; raise DialError when that fails."""
    socket: WebSocket | None = None

    def make() -> WebSocket:
        nonlocal socket
        socket = WebSocket(bounds, opened)
        return socket

    try:
        async with asyncio.timeout(bounds.handshake_seconds):
            await ws_connect(
                make,
                url,
                ssl_context=tls,
                websocket_handshake_timeout=bounds.handshake_seconds,
                max_frame_size=bounds.message_bytes,
                extra_headers=dict(headers or {}),
                max_redirects=0,
                enable_auto_pong=False,
                read_buffer_init_size=READ_BUFFER_BYTES,
            )
    except TimeoutError:
        raise DialError("no answer in time") from None
    except WSInvalidStatusError as error:
        raise DialError(str(error), int(error.response.status) if error.response else 0) from None
    except (OSError, WSError, ValueError) as error:
        raise DialError(str(error) or type(error).__name__) from None
    if socket is None:
        raise DialError("closed before it answered")
    return socket
