"""An HTTP answer instead of a websocket. Epic's page does not reconnect after one."""

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Final

import msgspec

from pixelfleet.net.header_values import check_headers

REFUSAL_HEADER: Final = "X-Pixelfleet-Refusal"
"""The header of each refused websocket and of each error in JSON; an error of a proxy in front does not have it."""


class Reason(StrEnum):
    """Why a request is refused: the values of the header."""

    BAD_REQUEST = "bad-request"
    FORBIDDEN = "forbidden"
    FULL = "full"
    INTERNAL_ERROR = "internal-error"
    NOT_FOUND = "not-found"
    ORIGIN_NOT_ALLOWED = "origin-not-allowed"
    SHUTTING_DOWN = "shutting-down"
    TOO_LARGE = "too-large"
    TOO_MANY_PLAYERS = "too-many-players"
    TOO_MANY_REQUESTS = "too-many-requests"
    UNAUTHENTICATED = "unauthenticated"
    UNAVAILABLE = "unavailable"
    UPGRADE_REQUIRED = "upgrade-required"


_BY_STATUS: Final[Mapping[int, Reason]] = {
    HTTPStatus.UNAUTHORIZED: Reason.UNAUTHENTICATED,
    HTTPStatus.FORBIDDEN: Reason.FORBIDDEN,
    HTTPStatus.NOT_FOUND: Reason.NOT_FOUND,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Reason.TOO_LARGE,
    HTTPStatus.REQUEST_URI_TOO_LONG: Reason.TOO_LARGE,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: Reason.TOO_LARGE,
    HTTPStatus.UPGRADE_REQUIRED: Reason.UPGRADE_REQUIRED,
    HTTPStatus.TOO_MANY_REQUESTS: Reason.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR: Reason.INTERNAL_ERROR,
}


def reason_of(status: int) -> Reason:
    """Return the reason for a status without a more specific one."""
    return _BY_STATUS.get(status, Reason.BAD_REQUEST if status < 500 else Reason.UNAVAILABLE)


class Refusal(msgspec.Struct, frozen=True):
    """The answer to a request for a websocket that is not opened."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}
    content_type: str = "text/plain"

    @property
    def all_headers(self) -> dict[str, str]:
        """The headers with the reason, which the status determines unless it is among them."""
        return {REFUSAL_HEADER: reason_of(self.status), **self.headers}

    def encoded(self) -> bytes:
        """Return the bytes of the answer; the server closes the connection after it."""
        headers = self.all_headers
        check_headers(headers)
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"Content-Type: {self.content_type}", f"Content-Length: {len(self.body)}", "Connection: close"]
        return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + self.body


def refusal(status: HTTPStatus, why: str, reason: Reason | None = None) -> Refusal:
    """Return a refusal with an explanation as plain text."""
    return Refusal(status, why.encode(), {} if reason is None else reason_header(reason))


def reason_header(reason: Reason) -> dict[str, str]:
    """Return the header of a reason, for an HTTPException."""
    return {REFUSAL_HEADER: reason}
