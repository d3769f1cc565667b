"""Connections of the hostile client: raw TCP, and websockets whose frames it writes itself."""

import asyncio
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

LOOPBACK: Final = "127.0.0.1"
OPEN_SECONDS: Final = 5.0
KEY: Final = "dGhlIHNhbXBsZSBub25jZQ=="
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def frame(payload: bytes, opcode: int = TEXT, *, announced: int | None = None) -> bytes:
    """Return a frame of a client, masked with zeros; `announced` is its length if `payload` is only its beginning."""
    size = len(payload) if announced is None else announced
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
    return head + bytes(4) + payload


@dataclass(eq=False)
class Connection:
    """One TCP connection, and what became of it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    ended: bool = False
    task: asyncio.Task[None] | None = None

    def send(self, data: bytes) -> None:
        """Write, if the other side has not closed."""
        if not self.ended and not self.writer.transport.is_closing():
            self.writer.write(data)

    def abort(self) -> None:
        """End the connection at once."""
        self.ended = True
        if self.task is not None:
            self.task.cancel()
        self.writer.transport.abort()


@dataclass
class Client:
    """Opens connections, counts their outcomes, and ends them all in the end."""

    tally: Counter[str] = field(default_factory=Counter)
    connections: list[Connection] = field(default_factory=list)

    @contextmanager
    def connected(self) -> Iterator[None]:
        """End all connections when the body ends."""
        try:
            yield
        finally:
            for connection in self.connections:
                connection.abort()
            self.connections.clear()

    def forget_ended(self) -> None:
        """Drop the connections that have ended."""
        self.connections = [each for each in self.connections if not each.ended]

    async def tcp(self, port: int, *, limit: int = 65536) -> Connection | None:
        """Open a connection; None if that fails. About twice `limit` bytes are read ahead."""
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                reader, writer = await asyncio.open_connection(LOOPBACK, port, limit=limit)
        except (OSError, TimeoutError):
            self.tally["not connected"] += 1
            return None
        self.tally["connected"] += 1
        connection = Connection(reader, writer)
        self.connections.append(connection)
        return connection

    async def watched(self, port: int) -> Connection | None:
        """Open a connection, and notice when the other side closes it."""
        connection = await self.tcp(port)
        if connection is not None:
            connection.task = asyncio.create_task(self._until_closed(connection))
        return connection

    async def websocket(self, port: int, target: str, address: str) -> Connection | None:
        """Open a websocket as a client of `address` behind a proxy; None if it is refused. Pings are answered."""
        connection = await self.tcp(port)
        if connection is None:
            return None
        connection.send(
            f"GET {target} HTTP/1.1\r\nHost: {LOOPBACK}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\nX-Forwarded-For: {address}\r\n\r\n".encode()
        )
        status = ""
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(OPEN_SECONDS):
                status = (await connection.reader.readuntil(b"\r\n\r\n"))[9:12].decode()
        self.tally[f"HTTP {status or 'none'}"] += 1
        if status != "101":
            connection.abort()
            return None
        connection.task = asyncio.create_task(self._frames(connection))
        return connection

    async def _until_closed(self, connection: Connection) -> None:
        with suppress(OSError):
            while await connection.reader.read(65536):
                pass
        connection.ended = True
        self.tally["closed by the server"] += 1

    async def _frames(self, connection: Connection) -> None:
        """Read the frames of a websocket, answer pings, and count the close code."""
        reader = connection.reader
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                first, size = struct.unpack("!BB", await reader.readexactly(2))
                if size == 126:
                    (size,) = struct.unpack("!H", await reader.readexactly(2))
                elif size == 127:
                    (size,) = struct.unpack("!Q", await reader.readexactly(8))
                payload = await reader.readexactly(size)
                if first & 15 == PING:
                    connection.send(frame(payload, PONG))
                elif first & 15 == CLOSE:
                    self.tally[f"close {int.from_bytes(payload[:2], 'big')}"] += 1
                    break
        connection.ended = True
        connection.writer.transport.abort()
