"""Answers of a faulty HTTP server: too long, unfinished, or cut off."""

import asyncio

from aiohttp import web


async def flood(request: web.Request, until: asyncio.Event) -> web.StreamResponse:
    """Send a body without an end, until the event is set."""
    response = web.StreamResponse()
    await response.prepare(request)
    while not until.is_set():
        await response.write(b" " * 65536)
    return response


async def stall(
    request: web.Request, response: web.StreamResponse, part: bytes, until: asyncio.Event
) -> web.StreamResponse:
    """Send a part of the body and nothing more, until the event is set."""
    await response.prepare(request)
    await response.write(part)
    await until.wait()
    return response


async def cut_off(request: web.Request, response: web.StreamResponse, part: bytes) -> web.StreamResponse:
    """Send a part of the body and abort the connection."""
    await response.prepare(request)
    await response.write(part)
    assert request.transport is not None
    request.transport.abort()
    return response
