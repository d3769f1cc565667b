"""The HTTP answer in place of a websocket, as it is sent."""

from http import HTTPStatus

from pixelfleet.net.refusal import REFUSAL_HEADER, Reason, Refusal, reason_of, refusal


def test_a_refusal_is_a_plain_answer() -> None:
    wire = refusal(HTTPStatus.FORBIDDEN, "no ticket").encoded()
    head, _, body = wire.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"HTTP/1.1 403 Forbidden",
        b"X-Pixelfleet-Refusal: forbidden",
        b"Content-Type: text/plain",
        b"Content-Length: 9",
        b"Connection: close",
    ]
    assert body == b"no ticket"


def test_a_refusal_has_the_fields_that_it_was_given() -> None:
    wire = Refusal(401, b"{}", {"WWW-Authenticate": "Bearer"}, "application/json").encoded()
    assert b"\r\nWWW-Authenticate: Bearer\r\nContent-Type: application/json\r\n" in wire


def test_a_specific_reason_replaces_the_one_of_the_status() -> None:
    assert refusal(HTTPStatus.SERVICE_UNAVAILABLE, "later").all_headers == {REFUSAL_HEADER: "unavailable"}
    assert refusal(HTTPStatus.SERVICE_UNAVAILABLE, "full", Reason.FULL).all_headers == {REFUSAL_HEADER: "full"}
    assert b"\r\nX-Pixelfleet-Refusal: full\r\n" in refusal(HTTPStatus.SERVICE_UNAVAILABLE, "", Reason.FULL).encoded()


def test_each_error_has_a_reason() -> None:
    reasons = {status: reason_of(status) for status in HTTPStatus if status >= 400}
    assert reasons[HTTPStatus.UPGRADE_REQUIRED] is Reason.UPGRADE_REQUIRED
    assert reasons[HTTPStatus.CONFLICT] is Reason.BAD_REQUEST
    assert reasons[HTTPStatus.GATEWAY_TIMEOUT] is Reason.UNAVAILABLE
