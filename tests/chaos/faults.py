"""A TCP proxy between two parts of a fleet, which can delay, cut, silence, split and slow down what it forwards."""

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

LOOPBACK: Final = "127.0.0.1"
READ_BYTES: Final = 16 * 1024
RESET: Final = struct.pack("ii", 1, 0)
"""The option of a socket with which its close sends a reset."""


class Way(Enum):
    """A direction: `UP` is from the side that dialled."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What a link does to all its connections. The default does nothing."""

    delay: float = 0.0
    """Seconds before each piece of data is forwarded; order is kept."""
    jitter: float = 0.0
    """Seconds of further delay, uniform from 0 to this."""
    piece: int = READ_BYTES
    """The most bytes that are written at once; 1 is byte by byte."""
    bytes_per_second: float = 0.0
    """The bandwidth of each connection and direction; 0 is no limit."""
    silent: frozenset[Way] = frozenset()
    """Directions in which nothing passes for now, not even the end of the connection. It is kept, and passes later."""


@dataclass(eq=False)
class _Connection:
    dialled: asyncio.StreamWriter
    target: asyncio.StreamWriter
    dead: bool = False
    """Whether it is half-open: what either side sends is lost, and neither is notified."""

    def abort(self) -> None:
        """End both sides with a reset."""
        for writer in (self.dialled, self.target):
            if not writer.transport.is_closing():
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                writer.transport.abort()


class Link:
    """The proxy: everything that connects to `port` reaches `target`, unless a fault prevents it."""

    def __init__(self, name: str, chance: random.Random) -> None:
        """`chance` decides the jitter."""
        self.name = name
        self.target = 0
        """The port behind the link; 0 refuses connections."""
        self.port = 0
        self._chance = chance
        self._faults = Faults()
        self._changed = asyncio.Event()
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Return the websocket URL of the link."""
        return f"ws://{LOOPBACK}:{self.port}"

    @asynccontextmanager
    async def listening(self, target: int = 0) -> AsyncIterator["Link"]:
        """Forward connections while the body runs."""
        self.target = target
        server = await asyncio.start_server(self._accept, LOOPBACK, self.port, limit=READ_BYTES)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self._become(Faults())
            self.reset()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- faults ---------------------------------------------------------------------------------------

    @contextmanager
    def faulty(self, faults: Faults) -> Iterator[None]:
        """Apply faults while the body runs."""
        self._become(faults)
        try:
            yield
        finally:
            self._become(Faults())

    def reset(self) -> int:
        """End all connections with a reset; return their number."""
        found = list(self._connections)
        for each in found:
            each.abort()
        return len(found)

    def half_open(self) -> int:
        """Lose what passes over the present connections from now on; return their number. New ones are not affected."""
        found = [each for each in self._connections if not each.dead]
        for each in found:
            each.dead = True
        return len(found)

    # -- private --------------------------------------------------------------------------------------

    def _become(self, faults: Faults) -> None:
        self._faults = faults
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not self.target:
                raise OSError("no target")
            target_reader, target_writer = await asyncio.open_connection(LOOPBACK, self.target, limit=READ_BYTES)
        except OSError:
            writer.transport.abort()
            return
        connection = _Connection(writer, target_writer)
        self._connections.add(connection)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(connection, Way.UP, reader, target_writer))
                group.create_task(self._pump(connection, Way.DOWN, target_reader, writer))
        finally:
            self._connections.discard(connection)
            writer.close()
            target_writer.close()

    async def _pump(
        self, connection: _Connection, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Forward one direction until its end; a broken connection ends the other direction, too."""
        try:
            while data := await reader.read(READ_BYTES):
                if not connection.dead:
                    await self._forward(connection, way, data, writer)
            await self._audible(way)
            if not connection.dead and not writer.transport.is_closing():
                writer.write_eof()
        except OSError:
            if not connection.dead:
                await self._audible(way)
                connection.abort()

    async def _forward(self, connection: _Connection, way: Way, data: bytes, writer: asyncio.StreamWriter) -> None:
        while data and not connection.dead:
            await self._audible(way)
            faults = self._faults
            piece, data = data[: faults.piece], data[faults.piece :]
            seconds = faults.delay + (self._chance.uniform(0.0, faults.jitter) if faults.jitter else 0.0)
            if faults.bytes_per_second:
                seconds += len(piece) / faults.bytes_per_second
            if seconds:
                await self._pause(seconds)
            if writer.transport.is_closing():
                return
            if not connection.dead:
                writer.write(piece)
                await writer.drain()
            if faults.piece == 1:
                await asyncio.sleep(0)

    async def _audible(self, way: Way) -> None:
        while way in self._faults.silent:
            await self._changed.wait()

    async def _pause(self, seconds: float) -> None:
        """Wait, at most until the faults change."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()


SILENT_UP: Final = Faults(silent=frozenset({Way.UP}))
SILENT_DOWN: Final = Faults(silent=frozenset({Way.DOWN}))
SILENT: Final = replace(SILENT_UP, silent=frozenset(Way))
LATE: Final = Faults(delay=0.05, jitter=0.25)
BYTEWISE: Final = Faults(piece=1)
SLOW: Final = Faults(piece=512, bytes_per_second=16 * 1024)
