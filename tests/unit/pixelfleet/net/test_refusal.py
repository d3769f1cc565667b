"""The HTTP answer in place of a websocket, as it is sent."""

from http import HTTPStatus

from pixelfleet.net.refusal import Refusal, refusal


def test_a_refusal_is_a_plain_answer() -> None:
    wire = refusal(HTTPStatus.FORBIDDEN, "no ticket").encoded()
    head, _, body = wire.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"HTTP/1.1 403 Forbidden",
        b"Content-Type: text/plain",
        b"Content-Length: 9",
        b"Connection: close",
    ]
    assert body == b"no ticket"


def test_a_refusal_has_the_fields_that_it_was_given() -> None:
    wire = Refusal(401, b"{}", {"WWW-Authenticate": "Bearer"}, "application/json").encoded()
    assert b"\r\nWWW-Authenticate: Bearer\r\nContent-Type: application/json\r\n" in wire
