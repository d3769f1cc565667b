"""The flights that the benchmark of the first frame counts."""

import orjson
import pytest

from benchmarks.flights import Connection, Flights, Frames

UPGRADE = b"GET /ws?resume=1 HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"


def frame(kind: str, *, padding: int = 0, mask: bytes = b"") -> bytes:
    payload = orjson.dumps({"type": kind, "padding": "x" * padding})
    length = bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + len(payload).to_bytes(2)
    if not mask:
        return b"\x81" + length + payload
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    return b"\x81" + bytes([length[0] | 0x80]) + length[1:] + mask + masked


def exchange(connection: Connection, question: bytes, answer: bytes) -> None:
    flight = connection.sent(question)
    connection.arrived(question, flight)
    connection.received(answer, connection.answered(answer))


@pytest.mark.parametrize("padding", [0, 500])
@pytest.mark.parametrize("mask", [b"", b"\x01\x02\x03\x04"])
def test_the_messages_of_a_websocket_are_read_in_any_pieces(padding: int, mask: bytes) -> None:
    data = frame("offer", padding=padding, mask=mask) + frame("ping", mask=mask)
    frames = Frames()
    assert [label for each in data for label in frames.labels(bytes([each]))] == ["offer", "ping"]


def test_a_handshake_a_request_and_a_message_are_a_flight_each() -> None:
    flights = Flights()
    document = flights.connection()
    exchange(document, b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n")
    exchange(document, b"GET /a.js HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n")
    socket = flights.connection()
    exchange(socket, UPGRADE, b"HTTP/1.1 101 OK\r\n\r\n" + frame("config"))
    exchange(socket, frame("subscribe", mask=b"abcd"), frame("offer"))
    socket.sent(frame("answer", mask=b"abcd"))
    assert [flights.of(label) for label in ("/", "/a.js", "/ws", "subscribe", "answer")] == [2, 3, 5, 6, 7]
    with pytest.raises(LookupError):
        flights.of("offer")


def test_what_a_server_sends_by_itself_belongs_to_the_flight_that_had_reached_it() -> None:
    flights = Flights()
    socket = flights.connection()
    upgrade = socket.sent(UPGRADE)
    socket.arrived(UPGRADE, upgrade)
    opened, pushed = socket.answered(b""), socket.answered(b"")
    socket.received(b"HTTP/1.1 101 OK\r\n\r\n", opened)
    socket.sent(frame("subscribe", mask=b"abcd"))
    socket.received(frame("offer"), pushed)
    socket.sent(frame("answer", mask=b"abcd"))
    assert (upgrade, flights.of("subscribe"), flights.of("answer")) == (2, 3, 3)
