"""The parameter of requests that let a session last longer, which signalling server and matchmaker share."""

from typing import Final

from aiohttp import web

MAX_EXTENSION_SECONDS: Final = 86400
"""The most seconds in one request."""


def extension_seconds(request: web.Request) -> float:
    """Return the seconds in the query of a request; raise HTTPBadRequest without valid ones."""
    try:
        seconds = float(request.query.get("seconds", ""))
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= MAX_EXTENSION_SECONDS:
        raise web.HTTPBadRequest(reason=f"seconds: more than 0 and at most {MAX_EXTENSION_SECONDS}")
    return seconds
