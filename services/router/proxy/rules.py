"""Which targets and headers the router's reverse proxy forwards, and in which form. No I/O."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes, urlsplit

from multidict import CIMultiDict, MultiMapping

MAX_TARGET_LENGTH: Final = 4096
MAX_DECODINGS: Final = 3
"""How often a path is decoded when `..` is looked for: some servers decode more than once."""

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
"""Headers that apply to one connection only (RFC 9110, 7.6.1)."""

NOT_FORWARDED: Final = frozenset(
    {"authorization", "cookie", "host", "content-length", "expect", "forwarded", "x-real-ip"}
)
"""Headers of a request that are addressed to the router or that it sets itself."""

STREAMER_NAME: Final = re.compile(r"[A-Za-z0-9\[][A-Za-z0-9._:~\[\]-]{0,127}(/[A-Za-z0-9][A-Za-z0-9._~-]{0,127})?")
"""A streamer's key (`server/endpoint`) or its endpoint id."""

_CONTROL: Final = re.compile(r"[\x00-\x20\x7f\\#]")
_HIDDEN: Final = re.compile(r"[\x00-\x1f\x7f\\]")


class BadTargetError(ValueError):
    """The request's target is not forwarded; the text is the reason."""


@dataclass(frozen=True, slots=True)
class ProxyTarget:
    """The target of a request to `/proxy/…`."""

    streamer: str
    path: str
    """As received, still percent-encoded; begins with a slash."""
    query: str


def proxy_target(raw: str, prefix: str) -> ProxyTarget:
    """Return the streamer, path and query of a raw request target; raise BadTargetError.

    `prefix` is the part before the streamer's name, such as `/proxy/`. A slash in the name is encoded as `%2F`.
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
    """Return path and query of a raw request target; raise BadTargetError for one that could reach another resource.

    `encoded_slash` allows `%2F`; the caller must check the decoded parts itself.
    """
    if not raw.startswith("/") or raw.startswith("//"):
        raise BadTargetError("must be a path on this server")
    if len(raw) > MAX_TARGET_LENGTH:
        raise BadTargetError("is too long")
    path, _, query = raw.partition("?")
    if not raw.isascii() or _CONTROL.search(raw):
        raise BadTargetError("contains characters that must be encoded")
    if "//" in path:
        raise BadTargetError("has an empty segment")
    decoded = path
    for _ in range(MAX_DECODINGS):
        before, decoded = decoded, unquote_to_bytes(decoded).decode("latin-1")
        for part in decoded.replace("\\", "/").split("/"):
            if part.partition(";")[0] in (".", ".."):
                raise BadTargetError("contains a dot segment")
        if not encoded_slash and decoded.count("/") > path.count("/"):
            raise BadTargetError("contains an encoded slash")
        if _HIDDEN.search(decoded):
            raise BadTargetError("contains an encoded control character or backslash")
        if decoded == before:
            break
    return path, query


def upstream_url(base: str, path: str, query: str) -> str:
    """Return the upstream URL of a request: always on the host of `base`, which is a registered address.

    Raises BadTargetError when `base` is not an http or https URL, or has credentials, a query or a fragment.
    """
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise BadTargetError("the streamer's REST address cannot be used")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}{path}" + (f"?{query}" if query else "")


def _named_by_connection(headers: MultiMapping[str]) -> set[str]:
    return {each.strip().lower() for line in headers.getall("Connection", []) for each in line.split(",")}


def _without(headers: MultiMapping[str], dropped: Iterable[str]) -> CIMultiDict[str]:
    omitted = {*dropped, *HOP_BY_HOP, *_named_by_connection(headers)}
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in omitted)


def request_headers(headers: MultiMapping[str]) -> CIMultiDict[str]:
    """Return a request's headers without those of the connection, of the router and of proxies."""
    passed = _without(headers, NOT_FORWARDED)
    for name in [
        each for each in passed if each.lower().startswith(("x-forwarded-", "sec-websocket-", "x-pixelfleet-"))
    ]:
        passed.popall(name, None)
    return passed


def answer_headers(headers: MultiMapping[str]) -> CIMultiDict[str]:
    """Return a response's headers without those by which a streamer would act for the router's origin."""
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
