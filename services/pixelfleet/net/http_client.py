"""What HTTP clients share."""

import asyncio
from types import SimpleNamespace

import aiohttp


async def body_within(response: aiohttp.ClientResponse, limit: int) -> bytes | None:
    """Return the body of an answer, or None when it has more than `limit` bytes; no more than that is stored."""
    try:
        await response.content.readexactly(limit + 1)
    except asyncio.IncompleteReadError as end:
        return end.partial
    return None


def without_redirects() -> aiohttp.TraceConfig:
    """Return the configuration of a session that takes a redirect for the refusal of a websocket, as browsers do.

    aiohttp follows redirects of a handshake and has no option against it: the other server could direct the client to
    any host that it reaches. The error is WSServerHandshakeError with the status.
    """
    config = aiohttp.TraceConfig()
    config.on_request_redirect.append(_refuse_redirect)
    return config


async def _refuse_redirect(
    _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestRedirectParams
) -> None:
    answer = params.response
    answer.close()
    raise aiohttp.WSServerHandshakeError(
        answer.request_info, answer.history, status=answer.status, message="a redirect", headers=answer.headers
    )
