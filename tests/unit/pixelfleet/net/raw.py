"""Raw TCP clients and servers: they send arbitrary bytes at chosen times."""

import asyncio
import base64
import hashlib
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from enum import IntEnum
from typing import Final

from tests.parts import PATIENCE_SECONDS

KEY: Final = "AAAAAAAAAAAAAAAAAAAAAA=="
_MAGIC: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Op(IntEnum):
    """Frame types of RFC 6455."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


def request(path: str = "/", *, method: str = "GET", headers: Mapping[str, str] | None = None) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def upgrade(path: str = "/", headers: Mapping[str, str] | None = None) -> bytes:
    """Return the head of a request for a websocket."""
    fields = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": KEY,
    }
    return request(path, headers=fields | dict(headers or {}))


def accepted(head: bytes) -> bytes:
    """Return a server's answer to such a head."""
    lines = head.decode("latin-1").split("\r\n")
    key = next(line.partition(":")[2].strip() for line in lines if line.lower().startswith("sec-websocket-key:"))
    accept = base64.b64encode(hashlib.sha1(key.encode() + _MAGIC, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


def frame(op: int, payload: bytes = b"", *, fin: bool = True, mask: bool = True, length: int | None = None) -> bytes:
    """Return a frame of a client, or with `mask=False` of a server; `length` is a false payload length."""
    size = len(payload) if length is None else length
    head = bytes([(0x80 if fin else 0) | op])
    flag = 0x80 if mask else 0
    if size < 126:
        head += bytes([flag | size])
    elif size < 1 << 16:
        head += bytes([flag | 126]) + struct.pack("!H", size)
    else:
        head += bytes([flag | 127]) + struct.pack("!Q", size)
    if not mask:
        return head + payload
    key = os.urandom(4)
    return head + key + bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))


def close_frame(code: int | None, reason: str = "", *, mask: bool = True) -> bytes:
    return frame(Op.CLOSE, b"" if code is None else struct.pack("!H", code) + reason.encode(), mask=mask)


class Raw:
    """A TCP connection; every wait is bounded."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.writer.drain()

    async def head(self) -> bytes:
        """Return a head with the empty line at its end."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def response(self) -> tuple[int, bytes]:
        """Return status and body of an HTTP response; a body requires Content-Length."""
        head = (await self.head()).decode("latin-1")
        lengths = [line.partition(":")[2] for line in head.split("\r\n") if line.lower().startswith("content-length:")]
        async with asyncio.timeout(PATIENCE_SECONDS):
            body = await self.reader.readexactly(int(lengths[0])) if lengths else b""
        return int(head.split(" ")[1]), body

    async def frame(self) -> tuple[int, bytes]:
        """Return type and payload of the next frame."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            first, second = await self.reader.readexactly(2)
            size = second & 0x7F
            if size == 126:
                size = int.from_bytes(await self.reader.readexactly(2))
            elif size == 127:
                size = int.from_bytes(await self.reader.readexactly(8))
            key = await self.reader.readexactly(4) if second & 0x80 else bytes(4)
            payload = await self.reader.readexactly(size)
        return first & 0x0F, bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))

    async def text(self) -> bytes:
        """Return the payload of the next frame, a text frame."""
        op, payload = await self.frame()
        assert op == Op.TEXT
        return payload

    async def closing(self) -> tuple[int, str]:
        """Return code and reason of the next frame, a close frame."""
        op, payload = await self.frame()
        assert op == Op.CLOSE, (op, payload)
        return int.from_bytes(payload[:2]), payload[2:].decode()

    async def rest(self) -> bytes:
        """Return all data until the other side closes or resets the connection."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            try:
                return await self.reader.read(-1)
            except ConnectionError:
                return b""

    def reset(self) -> None:
        """Abort the connection: the other side gets an RST."""
        connection = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def close(self) -> None:
        self.writer.close()
        async with asyncio.timeout(PATIENCE_SECONDS):
            try:
                await self.writer.wait_closed()
            except (ConnectionError, ssl.SSLError):
                return


@asynccontextmanager
async def connection(
    port: int, *, tls: ssl.SSLContext | None = None, receive_buffer: int | None = None
) -> AsyncIterator[Raw]:
    """Connect to a local port; with a small receive buffer, the other side's send buffer fills up sooner."""
    plain = socket.socket()
    if receive_buffer is not None:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    plain.setblocking(False)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", port))
            name = "localhost" if tls else None
            raw = Raw(*await asyncio.open_connection(sock=plain, limit=256, ssl=tls, server_hostname=name))
    except (OSError, TimeoutError):
        plain.close()
        raise
    try:
        yield raw
    except BaseException:
        raw.writer.transport.abort()  # a failed test does not wait until unread data is sent
        raise
    finally:
        await raw.close()


@asynccontextmanager
async def websocket(port: int, path: str = "/", *, receive_buffer: int | None = None) -> AsyncIterator[Raw]:
    """Connect and open a websocket."""
    async with connection(port, receive_buffer=receive_buffer) as raw:
        await raw.send(upgrade(path))
        assert (await raw.head()).startswith(b"HTTP/1.1 101 ")
        yield raw


class Listener:
    """A server that the test controls: `next` returns its connections."""

    def __init__(self) -> None:
        self.port = 0
        self.taken: list[Raw] = []
        self._waiting: asyncio.Queue[Raw] = asyncio.Queue()

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raw = Raw(reader, writer)
        self.taken.append(raw)
        self._waiting.put_nowait(raw)

    @property
    def untouched(self) -> int:
        """The number of connections that `next` has not returned."""
        return self._waiting.qsize()

    async def next(self) -> Raw:
        """Return the next connection."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._waiting.get()

    async def accept(self) -> tuple[Raw, str]:
        """Accept a websocket on the next connection; return it with the requested path."""
        raw = await self.next()
        head = await raw.head()
        await raw.send(accepted(head))
        return raw, head.split(b" ")[1].decode("latin-1")


@asynccontextmanager
async def listener() -> AsyncIterator[Listener]:
    """Listen on a free local port."""
    listening = Listener()
    server = await asyncio.start_server(listening.connected, "127.0.0.1", 0)
    listening.port = server.sockets[0].getsockname()[1]
    try:
        yield listening
    finally:
        server.close()
        for raw in listening.taken:
            await raw.close()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await server.wait_closed()
