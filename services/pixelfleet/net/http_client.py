"""What all our HTTP clients do alike."""

import asyncio

import aiohttp


async def body_within(response: aiohttp.ClientResponse, limit: int) -> bytes | None:
    """Return an answer's body, or None when it has more than `limit` bytes; no more than that is ever kept."""
    try:
        await response.content.readexactly(limit + 1)
    except asyncio.IncompleteReadError as end:
        return end.partial
    return None
