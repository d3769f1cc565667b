"""What may pass through the router's HTTP doors, and in which form. Pure: no sockets, no lookups."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes, urlsplit

from multidict import CIMultiDict, MultiMapping

MAX_TARGET_LENGTH: Final = 4096
MOST_DECODINGS: Final = 3
"""How often a path is decoded in search of `..`: some servers decode more than once."""

HOP_BY_HOP: Final = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that speak of one connection alone (RFC 9110, 7.6.1)."""

OURS: Final = frozenset({"authorization", "cookie", "host", "content-length", "expect", "forwarded", "x-real-ip"})
"""Headers of a request that are meant for the router, or that it writes itself."""

STREAMER_NAME: Final = re.compile(r"[A-Za-z0-9\[][A-Za-z0-9._:~\[\]-]{0,127}(/[A-Za-z0-9][A-Za-z0-9._~-]{0,127})?")
"""A streamer's key (`server/endpoint`) or its endpoint id."""

_CONTROL: Final = re.compile(r"[\x00-\x20\x7f\\#]")
_HIDDEN: Final = re.compile(r"[\x00-\x1f\x7f\\]")


class BadTargetError(ValueError):
    """The request's target is not one that is passed on; the text says why."""


@dataclass(frozen=True, slots=True)
class ProxyTarget:
    """What a request to `/proxy/…` asks for."""

    streamer: str
    path: str
    """As it was sent, still percent-encoded; begins with a slash."""
    query: str


def proxy_target(raw: str, prefix: str) -> ProxyTarget:
    """Return which streamer a raw request target means, and what of it; raise BadTargetError.

    `prefix` is what comes before the streamer's name, such as `/proxy/`. The name's own slash is written `%2F`.
    """
    path, query = checked_target(raw, encoded_slash=True)
    if not path.startswith(prefix):
        raise BadTargetError("is not below the proxy")
    name, _, rest = path.removeprefix(prefix).partition("/")
    streamer = unquote_to_bytes(name).decode("ascii", "replace")
    if not STREAMER_NAME.fullmatch(streamer):
        raise BadTargetError("names no streamer")
    checked_target("/" + rest)
    return ProxyTarget(streamer, "/" + rest, query)


def checked_target(raw: str, *, encoded_slash: bool = False) -> tuple[str, str]:
    """Return path and query of a raw request target; raise BadTargetError for one that could lead elsewhere.

    `encoded_slash` allows `%2F`, where who asks looks after it.
    """
    if not raw.startswith("/") or raw.startswith("//"):
        raise BadTargetError("must be a path on this server")
    if len(raw) > MAX_TARGET_LENGTH:
        raise BadTargetError("is too long")
    path, _, query = raw.partition("?")
    if not raw.isascii() or _CONTROL.search(raw):
        raise BadTargetError("holds characters that must be encoded")
    if "//" in path:
        raise BadTargetError("has an empty part")
    decoded = path
    for _ in range(MOST_DECODINGS):
        before, decoded = decoded, unquote_to_bytes(decoded).decode("latin-1")
        for part in decoded.replace("\\", "/").split("/"):
            if part.partition(";")[0] in (".", ".."):
                raise BadTargetError("leads upwards")
        if not encoded_slash and decoded.count("/") > path.count("/"):
            raise BadTargetError("hides a slash")
        if _HIDDEN.search(decoded):
            raise BadTargetError("hides a control character or a backslash")
        if decoded == before:
            break
    return path, query


def upstream_url(base: str, path: str, query: str) -> str:
    """Return where a request goes on: always on the host of `base`, which is a registered address.

    Raises BadTargetError for a base that is no plain http or https URL.
    """
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise BadTargetError("the streamer's REST address cannot be used")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}{path}" + (f"?{query}" if query else "")


def _named_by_connection(headers: MultiMapping[str]) -> set[str]:
    return {each.strip().lower() for line in headers.getall("Connection", []) for each in line.split(",")}


def _without(headers: MultiMapping[str], dropped: Iterable[str]) -> CIMultiDict[str]:
    leave = {*dropped, *HOP_BY_HOP, *_named_by_connection(headers)}
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in leave)


def request_headers(headers: MultiMapping[str]) -> CIMultiDict[str]:
    """Return a request's headers as they are passed on: without what speaks of the connection, of us, or of proxies."""
    passed = _without(headers, OURS)
    for name in [
        each for each in passed if each.lower().startswith(("x-forwarded-", "sec-websocket-", "x-pixelfleet-"))
    ]:
        passed.popall(name, None)
    return passed


def answer_headers(headers: MultiMapping[str]) -> CIMultiDict[str]:
    """Return an answer's headers as they are passed on: a streamer sets no cookies of ours, and no rules for pages."""
    return _without(
        headers,
        (
            "set-cookie",
            "content-length",
            "strict-transport-security",
            "alt-svc",
            "clear-site-data",
            "content-security-policy",
            "access-control-allow-origin",
            "access-control-allow-credentials",
            "www-authenticate",
            "server",
            "x-request-id",
        ),
    )
