"""The head of a request for a websocket: parsed once, checked, and then what every admission decides on."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from pixelfleet.net.refusal import Refusal, refusal
from pixelfleet.net.vendor_glue.picows_protocol import parse_upgrade_request

VERSIONS: Final = ("13", "8", "7")
"""Versions of the websocket protocol, which differ in nothing that we use. The first is that of the standard."""

MAX_HEAD_BYTES: Final = 16 * 1024

MAX_QUERY_FIELDS: Final = 64

_TARGET: Final = re.compile(rb"[!-\"$-~]+")
_KEY: Final = re.compile(r"[A-Za-z0-9+/]{22}==")
_UPGRADE: Final = re.compile(rb"\r\nupgrade:[^\r\n]*websocket", re.IGNORECASE)


class RequestHead(msgspec.Struct, frozen=True):
    """The head of a request for a websocket."""

    method: str
    raw_path: str
    """The target as it was sent: printable ASCII."""
    headers: CIMultiDictProxy[str]
    remote: str = ""
    scheme: str = "http"
    """`https` where the connection is encrypted."""

    @property
    def path(self) -> str:
        """The path, decoded."""
        return path_of(self.raw_path)

    @property
    def host(self) -> str:
        """The host, and the port if it was sent, that the request is for."""
        return self.headers.get("Host", "")

    @property
    def query(self) -> Mapping[str, str]:
        """The query's parameters, decoded; the first value of each, and none if there are more than 64."""
        return query_of(self.raw_path)

    @property
    def cookies(self) -> Mapping[str, str]:
        """The cookies by their names; of two with one name the last."""
        pairs = (each.partition("=") for line in self.headers.getall("Cookie", []) for each in line.split(";"))
        return {name.strip(): value.strip().strip('"') for name, equals, value in pairs if equals}

    @property
    def key(self) -> str:
        """The key that the answer proves to have been read."""
        return self.headers.get("Sec-WebSocket-Key", "")


Request = web.Request | RequestHead
"""What an admission decides on: a request that aiohttp has read, or the head of one for a websocket."""


class BadHeadError(ValueError):
    """The head is not one that a websocket can be opened for."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.body.decode())
        self.refusal = refusal


def wants_websocket(head: bytes) -> bool:
    """Tell whether a request's head asks for an upgrade to a websocket."""
    return _UPGRADE.search(head, 0, head.find(b"\r\n\r\n")) is not None


def target_of(head: bytes) -> str:
    """Return the target of a request, of whose head nothing has been checked; empty if there is none."""
    parts = head[: head.find(b"\r\n")].split(b" ", 2)
    return parts[1].decode("utf-8", "surrogateescape") if len(parts) == 3 else ""


def path_of(target: str) -> str:
    """Return the decoded path of a request's target."""
    path = target.partition("?")[0]
    return unquote(path, errors="surrogateescape") if "%" in path else path


def query_of(target: str) -> dict[str, str]:
    """Return the query of a request target such as `/ws?id=a`, first value of each name, at most 64 of them."""
    try:
        pairs = parse_qsl(urlsplit(target).query, keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS)
    except ValueError:
        return {}
    query: dict[str, str] = {}
    for name, value in pairs:
        query.setdefault(name, value)
    return query


def parse_head(data: bytes, remote: str, scheme: str) -> RequestHead:
    """Parse a head without the empty line at its end; raise BadHeadError unless a websocket can be opened for it.

    The rules are those of RFC 9112 and RFC 6455: GET and HTTP/1.1, a target of printable ASCII without a fragment, no
    body, no folded lines, no control characters, one Host, one version, one key of 16 bytes, and an upgrade to
    `websocket` among those that `Connection` and `Upgrade` list.
    """
    if len(data) > MAX_HEAD_BYTES:
        raise BadHeadError(refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the request's head is too long"))
    try:
        request = parse_upgrade_request(data)
    except RuntimeError as error:
        raise _bad(str(error)) from None
    headers: CIMultiDict[str] = request.headers
    if _TARGET.fullmatch(request.path) is None:
        raise _bad("the target has characters that none may have, or a fragment")
    if len(headers.getall("Host", ())) != 1:
        raise _bad("there must be one Host")
    if not (_lists(headers, "Connection", "upgrade") and _lists(headers, "Upgrade", "websocket")):
        raise _bad("Connection and Upgrade do not ask for a websocket")
    versions = headers.getall("Sec-WebSocket-Version", ())
    if len(versions) != 1 or versions[0] not in VERSIONS:
        raise BadHeadError(
            Refusal(
                HTTPStatus.UPGRADE_REQUIRED, b"unsupported websocket version", {"Sec-WebSocket-Version": VERSIONS[0]}
            )
        )
    keys = headers.getall("Sec-WebSocket-Key", ())
    if len(keys) != 1 or _KEY.fullmatch(keys[0]) is None:
        raise _bad("there must be one Sec-WebSocket-Key of 16 bytes in base64")
    return RequestHead("GET", request.path.decode("ascii"), CIMultiDictProxy(headers), remote, scheme)


def _bad(why: str) -> BadHeadError:
    return BadHeadError(Refusal(HTTPStatus.BAD_REQUEST, why.encode("utf-8", "backslashreplace")))


def _lists(headers: CIMultiDict[str], name: str, word: str) -> bool:
    """Tell whether a field has a word in its list, such as `keep-alive, Upgrade`."""
    if headers.get(name, "").lower() == word:
        return True  # as nearly always
    values = headers.getall(name, ())
    return any(word == each.strip().lower() for value in values for each in value.split(","))
