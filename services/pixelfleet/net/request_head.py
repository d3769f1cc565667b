"""The head of a request for a websocket, parsed and checked once: the input of every admission."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from pixelfleet.net.refusal import Reason, Refusal, refusal
from pixelfleet.net.vendor_glue.picows_protocol import parse_upgrade_request

VERSIONS: Final = ("13", "8", "7")
"""Accepted versions of the websocket protocol, without differences for this server. The first is RFC 6455."""

MAX_HEAD_BYTES: Final = 16 * 1024

MAX_QUERY_FIELDS: Final = 64

_TARGET: Final = re.compile(rb"[!-\"$-~]+")
_KEY: Final = re.compile(r"[A-Za-z0-9+/]{22}==")
_HTTP_1_0: Final = re.compile(rb"GET [^ \r\n]+ HTTP/1\.0\r\n")
_UPGRADE: Final = re.compile(rb"\r\nupgrade:[^\r\n]*websocket", re.IGNORECASE)


class RequestHead(msgspec.Struct, frozen=True):
    """The head of a request for a websocket."""

    method: str
    raw_path: str
    """The request target without decoding: printable ASCII."""
    headers: CIMultiDictProxy[str]
    remote: str = ""
    scheme: str = "http"
    """`https` if the connection is encrypted."""

    @property
    def path(self) -> str:
        """The decoded path."""
        return path_of(self.raw_path)

    @property
    def host(self) -> str:
        """The host of the request, with the port if it has one."""
        return self.headers.get("Host", "")

    @property
    def query(self) -> Mapping[str, str]:
        """The decoded query: the first value of each name; empty if there are more than 64."""
        return query_of(self.raw_path)

    @property
    def cookies(self) -> Mapping[str, str]:
        """The cookies by name; the last one of equal names."""
        pairs = (each.partition("=") for line in self.headers.getall("Cookie", []) for each in line.split(";"))
        return {name.strip(): value.strip().strip('"') for name, equals, value in pairs if equals}

    @property
    def key(self) -> str:
        """The value of `Sec-WebSocket-Key`."""
        return self.headers.get("Sec-WebSocket-Key", "")


Request = web.Request | RequestHead
"""The input of authentication: a request parsed by aiohttp, or the head of a request for a websocket."""


class BadHeadError(ValueError):
    """The head is not a valid request for a websocket; `refusal` is the answer."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.body.decode())
        self.refusal = refusal


class LostUpgradeError(BadHeadError):
    """The head has a websocket's key, but not its upgrade: a proxy has removed a part of it."""

    def __init__(self, why: str) -> None:
        super().__init__(refusal(HTTPStatus.BAD_REQUEST, why, Reason.UPGRADE_REQUIRED))


def wants_websocket(head: bytes) -> bool:
    """Return whether a request head, not yet checked, asks for an upgrade to a websocket."""
    return _UPGRADE.search(head, 0, head.find(b"\r\n\r\n")) is not None


def is_upgrade(request: web.Request) -> bool:
    """Return whether a request that aiohttp has parsed asks for an upgrade to a websocket."""
    return "websocket" in request.headers.get("Upgrade", "").lower()


def is_websocket_request(request: web.Request) -> bool:
    """Return whether an upgrade to a websocket is complete: GET, with `upgrade` in the Connection header."""
    options = ",".join(request.headers.getall("Connection", [])).lower().split(",")
    return request.method == "GET" and "upgrade" in [option.strip() for option in options]


def target_of(head: bytes) -> str:
    """Return the target in a request head that is not yet checked; empty if there is none."""
    parts = head[: head.find(b"\r\n")].split(b" ", 2)
    return parts[1].decode("utf-8", "surrogateescape") if len(parts) == 3 else ""


def is_target(text: str) -> bool:
    """Return whether a text is a valid request target: printable ASCII without a fragment."""
    return _TARGET.fullmatch(text.encode()) is not None


def path_of(target: str) -> str:
    """Return the decoded path of a request target."""
    path = target.partition("?")[0]
    return unquote(path, errors="surrogateescape") if "%" in path else path


def query_of(target: str) -> dict[str, str]:
    """Return the query of a target such as `/ws?id=a`: the first value of each name; empty if more than 64."""
    try:
        pairs = parse_qsl(urlsplit(target).query, keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS)
    except ValueError:
        return {}
    query: dict[str, str] = {}
    for name, value in pairs:
        query.setdefault(name, value)
    return query


def parse_head(data: bytes, remote: str, scheme: str) -> RequestHead:
    """Parse a head without the empty line at its end; raise BadHeadError unless it is a valid request for a websocket.

    The rules of RFC 9112 and RFC 6455 apply: GET and HTTP/1.1, a target of printable ASCII without a fragment, no
    body, no folded lines, no control characters, one Host, one version, one key of 16 bytes, `upgrade` in the list of
    `Connection` and `websocket` in the list of `Upgrade`.
    """
    if len(data) > MAX_HEAD_BYTES:
        raise BadHeadError(refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the request's head is too long"))
    if _HTTP_1_0.match(data):
        raise LostUpgradeError("HTTP/1.0 has no websockets")
    try:
        request = parse_upgrade_request(data)
    except RuntimeError as error:
        raise _bad(str(error)) from None
    headers: CIMultiDict[str] = request.headers
    if _TARGET.fullmatch(request.path) is None:
        raise _bad("the target has forbidden characters or a fragment")
    if len(headers.getall("Host", ())) != 1:
        raise _bad("one Host is required")
    if not (_lists(headers, "Connection", "upgrade") and _lists(headers, "Upgrade", "websocket")):
        raise LostUpgradeError("Connection and Upgrade do not request a websocket")
    versions = headers.getall("Sec-WebSocket-Version", ())
    if len(versions) != 1 or versions[0] not in VERSIONS:
        raise BadHeadError(
            Refusal(
                HTTPStatus.UPGRADE_REQUIRED, b"unsupported websocket version", {"Sec-WebSocket-Version": VERSIONS[0]}
            )
        )
    keys = headers.getall("Sec-WebSocket-Key", ())
    if len(keys) != 1 or _KEY.fullmatch(keys[0]) is None:
        raise _bad("one Sec-WebSocket-Key of 16 bytes in base64 is required")
    return RequestHead("GET", request.path.decode("ascii"), CIMultiDictProxy(headers), remote, scheme)


def _bad(why: str) -> BadHeadError:
    return BadHeadError(Refusal(HTTPStatus.BAD_REQUEST, why.encode("utf-8", "backslashreplace")))


def _lists(headers: CIMultiDict[str], name: str, word: str) -> bool:
    """Return whether a field lists a word, such as `keep-alive, Upgrade`."""
    if headers.get(name, "").lower() == word:
        return True  # the usual case
    values = headers.getall(name, ())
    return any(word == each.strip().lower() for value in values for each in value.split(","))
