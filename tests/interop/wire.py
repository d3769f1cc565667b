"""A TCP relay between a browser and a service, whose connections a test can cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Wire:
    """A relay to one port of 127.0.0.1."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.dials = 0
        """The number of accepted connections."""
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Reset every present connection on both sides; new ones are accepted."""
        for writer in self._writers:
            writer.transport.abort()

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.dials += 1
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        pair = {writer, far_writer}
        self._writers |= pair
        try:
            await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
        finally:
            self._writers -= pair
            for each in pair:
                each.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def wire_to(port: int) -> AsyncIterator[Wire]:
    """Run a relay to this port of 127.0.0.1."""
    wire = Wire(port)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(wire.relay(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
        wire.cut()
        if tasks:
            await asyncio.wait(tasks)
        await server.wait_closed()
