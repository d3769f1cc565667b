"""A websocket client that sends arbitrary bytes and checks every frame that the server sends."""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Final, cast

import orjson

from tests.fuzz.frames import CLOSE, PING, PONG, TEXT, frame

UPGRADE: Final = (
    b"GET / HTTP/1.1\r\nHost: fuzz\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDAwMDAwMDAwMDAwMDAwMA==\r\n\r\n"
)
NO_STATUS: Final = 1005
DROPPED: Final = 1006

OnMessage = Callable[[bytes], None]


class ServerError(Exception):
    """The server violated a rule, which is the text."""


class Wire(asyncio.Protocol):
    """One raw connection. `code` is the server's close code, or 1006 when it sent none."""

    def __init__(self, on_message: OnMessage, *, answers: bool = True) -> None:
        self._on_message = on_message
        self._answers = answers
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._upgraded = self._loop.create_future()
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._transport: asyncio.Transport | None = None
        self.ended: asyncio.Future[int] = self._loop.create_future()
        self._pong: tuple[bytes, asyncio.Future[None]] | None = None
        self.wrong: str | None = None
        """The rule that the server violated."""
        self.is_closing = False
        """Whether the server sent a close frame."""
        self._code = DROPPED
        self.reason = b""

    # -- for attackers -----------------------------------------------------------------------------

    async def upgrade(self, head: bytes = UPGRADE) -> None:
        """Request a websocket; raise ServerError when it is refused and ConnectionError when the connection is lost."""
        assert self._transport is not None
        self._transport.write(head)
        await self._upgraded

    async def write(self, data: bytes) -> None:
        """Write after earlier data has been sent; a lost connection is ignored."""
        await self._may_write.wait()
        if self._transport is not None:
            self._transport.write(data)

    async def round_trip(self, mark: bytes) -> None:
        """Ping; return when the pong has arrived or the connection is lost."""
        pong: asyncio.Future[None] = self._loop.create_future()
        self._pong = (mark, pong)
        await self.write(frame(PING, mark))
        await asyncio.wait((pong, self.ended), return_when=asyncio.FIRST_COMPLETED)

    def stop_reading(self) -> None:
        """Let the server's data accumulate."""
        if self._transport is not None:
            self._transport.pause_reading()

    def end_of_stream(self) -> None:
        """Close the sending half of the TCP connection."""
        if self._transport is not None:
            self._transport.write_eof()

    def hang_up(self, *, reset: bool = False) -> None:
        """Close the connection without a close frame; with `reset` the server sees a TCP reset instead of an end."""
        if self._transport is None:
            return
        if reset:
            raw = cast("socket.socket", self._transport.get_extra_info("socket"))
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    @property
    def is_open(self) -> bool:
        """Whether the connection is not lost yet."""
        return self._transport is not None

    # -- for the event loop ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._may_write.set()
        if not self._upgraded.done():
            self._upgraded.set_exception(ConnectionResetError("connection lost before the upgrade"))
            self._upgraded.exception()  # retrieved, in case nothing awaits it any more
        if not self.ended.done():
            self.ended.set_result(self._code)

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    def data_received(self, data: bytes) -> None:
        self._received += data
        try:
            if not self._upgraded.done() and not self._read_answer():
                return
            self._read_frames()
        except ServerError as error:
            self.wrong = str(error)
            self.hang_up()

    # -- internal ----------------------------------------------------------------------------------

    def _read_answer(self) -> bool:
        head, found, rest = self._received.partition(b"\r\n\r\n")
        if not found:
            return False
        if not head.startswith(b"HTTP/1.1 101 "):
            raise ServerError(f"an upgrade was answered with {bytes(head[:80])!r}")
        self._received = rest
        self._upgraded.set_result(None)
        return True

    def _read_frames(self) -> None:
        received, at = self._received, 0
        while len(received) - at >= 2:
            first, size = received[at], received[at + 1]
            start = at + 2
            if size == 126:
                start += 2
                size = int.from_bytes(received[at + 2 : start], "big")
            elif size == 127:
                start += 8
                size = int.from_bytes(received[at + 2 : start], "big")
            elif size > 127:
                raise ServerError("the server sent a masked frame")
            if len(received) < start + size or start > len(received):
                break
            self._on_frame(first, bytes(received[start : start + size]))
            at = start + size
        if at:
            del received[:at]

    def _on_frame(self, first: int, data: bytes) -> None:
        if first == 0x80 | TEXT:
            if not is_message(data):
                raise ServerError(f"the server sent an invalid message: {data[:80]!r}")
            self._on_message(data)
        elif first == 0x80 | PING:
            self._answer(PONG, data)
        elif first == 0x80 | PONG:
            if self._pong is not None and self._pong[0] == data:
                self._pong[1].set_result(None)
                self._pong = None
        elif first == 0x80 | CLOSE:
            self._code = int.from_bytes(data[:2], "big") if data else NO_STATUS
            self.reason = data[2:]
            self.is_closing = True
            self._answer(CLOSE, data[:2])
        else:
            raise ServerError(f"the server sent a frame that begins with {first:#x}")

    def _answer(self, opcode: int, data: bytes) -> None:
        if self._answers and self._transport is not None:
            self._transport.write(frame(opcode, data))


def is_message(data: bytes) -> bool:
    """Return whether this is a JSON object with a string `type`, which every message of the server must be."""
    try:
        message = orjson.loads(data)
    except orjson.JSONDecodeError:
        return False
    return isinstance(message, dict) and isinstance(message.get("type"), str)


async def connect(port: int, on_message: OnMessage, *, answers: bool = True) -> Wire:
    """Connect to a loopback port without an upgrade; `answers` is whether pings and closes are answered."""
    loop = asyncio.get_running_loop()
    _, wire = await loop.create_connection(lambda: Wire(on_message, answers=answers), "127.0.0.1", port)
    return wire
