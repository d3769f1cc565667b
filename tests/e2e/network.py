"""A network between the page and the router, whose connections a test can cut or silence."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass(eq=False, slots=True)
class Network:
    """Forwards TCP connections to a port of this machine."""

    target: int
    port: int = 0
    is_down: bool = False
    """Whether new connections are closed at once."""
    opened: int = 0
    """The number of connections so far."""
    _lines: dict[asyncio.StreamWriter, asyncio.Event] = field(default_factory=dict)
    """Each end of a connection, with whether its data is forwarded."""

    def cut(self) -> None:
        """End all connections without a goodbye."""
        for line in self._lines:
            line.transport.abort()

    def silence(self) -> None:
        """Forward nothing more on the present connections, and close none of them."""
        for carries in self._lines.values():
            carries.clear()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        if self.is_down:
            writer.transport.abort()
            return
        self.opened += 1
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        carries = asyncio.Event()
        carries.set()
        self._lines[writer] = self._lines[back] = carries
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_forward(reader, back, carries))
                tasks.create_task(_forward(there, writer, carries))
        finally:
            for line in (writer, back):
                del self._lines[line]
                line.close()


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, carries: asyncio.Event) -> None:
    """Forward one direction, and then end both."""
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            await carries.wait()
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def network(target: int, host: str = "127.0.0.1") -> AsyncIterator[Network]:
    """Run a network in front of a port."""
    made = Network(target)
    server = await asyncio.start_server(made.accept, host, 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        made.cut()
