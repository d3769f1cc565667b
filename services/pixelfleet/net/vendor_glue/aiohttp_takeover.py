"""Takes over a connection from aiohttp that has served HTTP requests and now receives a request for a websocket.

Proxies keep pools of connections and send requests for websockets on them. aiohttp has no documented interface to
release a connection.
"""

import asyncio

from aiohttp import web


def take_connection(request: web.Request) -> tuple[asyncio.Transport, bytes] | None:
    """Return a request's transport, and its head with the data read after it; None if the client has disconnected.

    aiohttp treats the connection as lost from now on: the handler must raise CancelledError.
    """
    protocol, transport = request.protocol, request.transport
    if transport is None:
        return None
    version = f"HTTP/{request.version.major}.{request.version.minor}"
    lines = [f"{request.method} {request.raw_path} {version}".encode("utf-8", "surrogateescape")]
    lines += [name + b": " + value for name, value in request.raw_headers]
    data = b"\r\n".join([*lines, b"", b""]) + bytes(protocol._message_tail)  # noqa: SLF001
    # Otherwise aiohttp would close the transport.
    protocol.transport = None
    protocol.connection_lost(None)
    return transport, data
