"""Relays a websocket to a streamer's REST API, text and binary unchanged."""

import asyncio
from collections.abc import Mapping
from typing import Final

import aiohttp
import structlog
from aiohttp import web

from pixelfleet.net.bounds import Bounds
from pixelfleet.net.relay import forwardable
from pixelfleet.protocol import close_codes
from router.proxy.rules import request_headers

log = structlog.get_logger(__name__)

PING_SECONDS: Final = 20.0
MAX_SUBPROTOCOLS: Final = 8

Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


async def tunnel(
    request: web.Request, session: aiohttp.ClientSession, url: str, headers: Mapping[str, str], bounds: Bounds
) -> web.StreamResponse:
    """Dial first, so that a refusal is an HTTP status; then relay until one side ends.

    Raises HTTPBadGateway, or HTTPGatewayTimeout.
    """
    offered = request.headers.get("Sec-WebSocket-Protocol", "")
    protocols = [name for each in offered.split(",") if (name := each.strip()) and not name.startswith("bearer.")]
    try:
        async with asyncio.timeout(bounds.handshake_seconds):
            up = await session.ws_connect(
                url,
                protocols=protocols[:MAX_SUBPROTOCOLS],
                headers={**request_headers(request.headers), **headers},
                max_msg_size=bounds.message_bytes,
                heartbeat=PING_SECONDS,
                autoclose=False,
            )
    except TimeoutError:
        raise web.HTTPGatewayTimeout(reason="no answer in time") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        log.info("upstream failed", why=type(error).__name__)
        raise web.HTTPBadGateway(reason="cannot be reached, or accepts no websocket") from None
    try:
        down = web.WebSocketResponse(
            protocols=[up.protocol] if up.protocol else [],
            max_msg_size=bounds.message_bytes,
            heartbeat=PING_SECONDS,
            compress=False,
            autoclose=False,
        )
        await down.prepare(request)
        async with asyncio.TaskGroup() as group:
            both = [group.create_task(_relay(down, up)), group.create_task(_relay(up, down))]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in both:
                task.cancel()
        # Of the side that has ended first: the client's code is None otherwise. `close` may change the upstream's.
        downs, ups = down.close_code, up.close_code
        await up.close(code=_sendable(ups if downs is None else downs))
    finally:
        await up.close()
    await down.close(code=forwardable(ups or 0) if downs is None else _sendable(downs))
    return down


def _sendable(code: int | None) -> int:
    """Return the code of the side that has ended, as the echo and for the other side; 1000 if it cannot be sent."""
    return code if code and close_codes.may_be_sent(code) else close_codes.NORMAL.code


async def _relay(source: Socket, sink: Socket) -> None:
    """Relay messages until one side ends. A sink that does not read stops the reading of the source."""
    try:
        async for message in source:
            if message.type is aiohttp.WSMsgType.TEXT:
                await sink.send_str(message.data)
            elif message.type is aiohttp.WSMsgType.BINARY:
                await sink.send_bytes(message.data)
    except ConnectionError:
        pass  # the other side has ended; the caller ends both
