"""Redirects that add a missing slash. They are relative: the router does not know a prefix that a proxy strips."""

import re
from typing import Final

from aiohttp import web
from yarl import URL

ORIGINAL_PATH: Final = ("X-Envoy-Original-Path", "X-Replaced-Path", "X-Original-URI", "X-Forwarded-Uri")
"""Headers in which proxies (Envoy, Traefik, nginx by convention) send the path before they changed it."""

_SEGMENT: Final = re.compile(r"(?!\.+$)[A-Za-z0-9._~-]+")
"""The last segment of a path, but not `.` and `..`."""

_QUERY: Final = re.compile(r"[!-~]*")


def with_slash(request: web.Request) -> web.HTTPPermanentRedirect:
    """Return the redirect from a path without a slash at its end to the same path with one."""
    last = request.rel_url.raw_path.rpartition("/")[2]
    return web.HTTPPermanentRedirect(_relative(last, request.rel_url.raw_query_string))


def to_stripped_prefix(request: web.Request) -> web.HTTPTemporaryRedirect | None:
    """Return the redirect for a page whose path a proxy has stripped to `/` and which the browser has without a slash.

    The relative URLs of the page would lead out of the prefix. Only a proxy that sends the original path shows it.
    """
    for name in ORIGINAL_PATH:
        path, _, query = request.headers.get(name, "").partition("?")
        last = path.rpartition("/")[2]
        if _SEGMENT.fullmatch(last) and _QUERY.fullmatch(query):
            # Not permanent: a cache must not give this answer for a request without the header.
            return web.HTTPTemporaryRedirect(_relative(last, query), headers={"Cache-Control": "no-store"})
    return None


def _relative(last: str, query: str) -> URL:
    """Return the relative reference from a path with this last segment to the same path with a slash."""
    return URL(f"{last}/{f'?{query}' if query else ''}", encoded=True)
