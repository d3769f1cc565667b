"""An HTTP answer instead of a websocket.

A page cannot read its status and dials again. It does so less often than after the close of an open websocket: browsers
slow down a page whose websockets do not open.
"""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from pixelfleet.net.header_values import check_headers


class Refusal(msgspec.Struct, frozen=True):
    """The answer to a request for a websocket that is not opened."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}
    content_type: str = "text/plain"

    def encoded(self) -> bytes:
        """Return the bytes of the answer; the server closes the connection after it."""
        check_headers(self.headers)
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += [f"Content-Type: {self.content_type}", f"Content-Length: {len(self.body)}", "Connection: close"]
        return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + self.body


def refusal(status: HTTPStatus, why: str) -> Refusal:
    """Return a refusal that gives the reason as plain text."""
    return Refusal(status, why.encode())
