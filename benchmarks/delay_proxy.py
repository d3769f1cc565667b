"""A TCP proxy that adds the round trip of a network, and records the flights of the page behind it.

Each direction delays its data by half of the round trip. The first data of a connection waits one round trip longer:
on a real network the handshake of TCP comes first, and the loopback interface has none of that delay.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from benchmarks.flights import Flights


@dataclass(eq=False, slots=True)
class DelayProxy:
    """Forwards TCP connections to a port of this machine."""

    target: int
    rtt: float
    """The round trip in seconds."""
    port: int = 0
    flights: Flights = field(default_factory=Flights)
    """The record of the present visit; the caller replaces it for the next one."""
    _ends: set[asyncio.StreamWriter] = field(default_factory=set)
    """Both ends of each connection."""

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        open_at = asyncio.get_running_loop().time() + self.rtt
        record = self.flights.connection()
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        self._ends |= {writer, back}
        await asyncio.gather(
            self._forward(reader, back, open_at, record.sent, record.arrived),
            self._forward(there, writer, open_at, record.answered, record.received),
        )
        self._ends -= {writer, back}

    async def close(self) -> None:
        """End all connections, and return when none is left."""
        while self._ends:
            for end in self._ends:
                end.transport.abort()
            await asyncio.sleep(0.01)

    async def _forward(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        open_at: float,
        at_start: Callable[[bytes], int],
        at_end: Callable[[bytes, int], None],
    ) -> None:
        """Forward one direction, and then close it; nothing leaves before `open_at`, on the loop's clock.

        `at_start` returns the flight of data that is sent, and `at_end` gets it when the data arrives.
        """
        now, delayed = asyncio.get_running_loop().time, asyncio.Queue[tuple[float, bytes, int]]()

        async def deliver() -> None:
            while True:
                due, data, flight = await delayed.get()
                await asyncio.sleep(due - now())
                if not data:
                    return
                at_end(data, flight)
                writer.write(data)

        delivering = asyncio.create_task(deliver())
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                delayed.put_nowait((max(now(), open_at) + self.rtt / 2, data, at_start(data)))
        delayed.put_nowait((now() + self.rtt / 2, b"", 0))
        await delivering
        writer.close()


@asynccontextmanager
async def delaying(target: int, rtt: float) -> AsyncIterator[DelayProxy]:
    """Run a proxy before a port of this machine, with a round trip in seconds, on a free port of 127.0.0.1."""
    proxy = DelayProxy(target, rtt)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
