"""A function that all HTTP clients share."""

import asyncio

import aiohttp


async def body_within(response: aiohttp.ClientResponse, limit: int) -> bytes | None:
    """Return the body of an answer, or None when it has more than `limit` bytes; no more than that is stored."""
    try:
        await response.content.readexactly(limit + 1)
    except asyncio.IncompleteReadError as end:
        return end.partial
    return None
