"""Takes a connection away from aiohttp: one that has served HTTP requests and is now asked for a websocket.

Proxies keep pools of connections and send a request for a websocket on one of them. aiohttp has no documented way to
give a connection away.
"""

import asyncio

from aiohttp import web


def take_connection(request: web.Request) -> tuple[asyncio.Transport, bytes] | None:
    """Return a request's transport, and the request's head with what was read behind it; None if the client is gone.

    For aiohttp the connection is lost from here on: the handler must raise CancelledError.
    """
    protocol, transport = request.protocol, request.transport
    if transport is None:
        return None
    version = f"HTTP/{request.version.major}.{request.version.minor}"
    lines = [f"{request.method} {request.raw_path} {version}".encode("utf-8", "surrogateescape")]
    lines += [name + b": " + value for name, value in request.raw_headers]
    data = b"\r\n".join([*lines, b"", b""]) + bytes(protocol._message_tail)  # noqa: SLF001
    # aiohttp must not close what is no longer its own.
    protocol.transport = None
    protocol.connection_lost(None)
    return transport, data
