"""The flights of messages between a page and its server: which message waits for which. No I/O.

A flight is one round trip. A message of the page belongs to the flight after the latest one whose answer the page has
received, and the handshake of a new TCP connection is a flight of its own. Unlike a time, this number does not depend
on the load of the machine, as long as the network is slower than the page.
"""

from dataclasses import dataclass, field
from typing import Final

import orjson

_UPGRADE: Final = b"upgrade: websocket"


@dataclass(frozen=True, slots=True)
class Entry:
    """One request or message, in the order in which the page sent or received it."""

    flight: int
    """The number of the flight, from 1 on; the handshake of the first connection is flight 1."""
    from_page: bool
    label: str
    """The path of a request, or the type of a websocket message."""


@dataclass(slots=True, eq=False)
class Flights:
    """The record of one visit of a page."""

    entries: list[Entry] = field(default_factory=list)
    seen: int = 0
    """The latest flight of which the page has received something."""

    def connection(self) -> "Connection":
        """Record that the page opens a TCP connection."""
        return Connection(self, self.seen + 1)

    def of(self, label: str) -> int:
        """Return the flight of the page's first message with this label; raise LookupError if it sent none."""
        for entry in self.entries:
            if entry.from_page and entry.label == label:
                return entry.flight
        raise LookupError(label)


class Connection:
    """The flights of one TCP connection. Its four methods follow a piece of data to the server, and one back."""

    def __init__(self, flights: Flights, handshake: int) -> None:
        self._flights = flights
        self._handshake = handshake
        self._arrived = handshake
        self._is_websocket = False
        self._page, self._server = Frames(), Frames()

    def sent(self, data: bytes) -> int:
        """Record data of the page, when the page sends it; return its flight."""
        flight = max(self._handshake, self._flights.seen) + 1
        if self._is_websocket:
            self._record(flight, self._page.labels(data), from_page=True)
        elif data.startswith(b"GET "):
            path = data.split(b" ", 2)[1].split(b"?")[0].decode()
            self._is_websocket = _UPGRADE in data.lower()
            self._record(flight, [path], from_page=True)
        return flight

    def arrived(self, _: bytes, flight: int) -> None:
        """Record that the server has received data of the page."""
        self._arrived = flight

    def answered(self, _: bytes) -> int:
        """Return the flight of data of the server, when the server sends it."""
        return self._arrived

    def received(self, data: bytes, flight: int) -> None:
        """Record data of the server, when the page receives it."""
        if self._is_websocket:
            if data.startswith(b"HTTP/1.1 101"):
                data = data.partition(b"\r\n\r\n")[2]
            self._record(flight, self._server.labels(data), from_page=False)
        self._flights.seen = max(self._flights.seen, flight)

    def _record(self, flight: int, labels: list[str], *, from_page: bool) -> None:
        self._flights.entries.extend(Entry(flight, from_page, label) for label in labels)


class Frames:
    """Reads the types of the JSON messages in one direction of a websocket without extensions."""

    def __init__(self) -> None:
        self._buffer = b""

    def labels(self, data: bytes) -> list[str]:
        """Return the types of the messages that end in this data; frames of other kinds and fragments are skipped."""
        self._buffer += data
        labels = []
        while (frame := self._next()) is not None:
            opcode, payload = frame
            if opcode == 1:
                labels.append(str(orjson.loads(payload)["type"]))
        return labels

    def _next(self) -> tuple[int, bytes] | None:
        """Take a whole frame from the buffer; return its opcode and its payload, or None."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, start = buffer[1] & 0x7F, 2
        if length >= 126:
            start = 4 if length == 126 else 10
            length = int.from_bytes(buffer[2:start])
        is_masked = bool(buffer[1] & 0x80)
        mask = buffer[start : start + 4]
        start += 4 * is_masked
        if len(buffer) < start + length:
            return None
        payload = buffer[start : start + length]
        self._buffer = buffer[start + length :]
        if is_masked:
            payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
        return buffer[0] & 0x0F, payload
