"""The fault proxy has the faults that its name says, and forwards everything without them."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.chaos.faults import BYTEWISE, SILENT_DOWN, SILENT_UP, Faults, Link
from tests.parts import PATIENCE_SECONDS

DATA = b"0123456789" * 1000


class Echo:
    """A server that returns what it receives, and records it."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.arrived = asyncio.Event()
        self.ended = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                self.received += data
                self.arrived.set()
                writer.write(data)
        except ConnectionError:
            pass
        self.ended.set()
        writer.close()


@asynccontextmanager
async def echo() -> AsyncIterator[tuple[Link, Echo, asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect to an echo server through a link."""
    server = Echo()
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with Link("test", random.Random(1)).listening(listener.sockets[0].getsockname()[1]) as link:
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        writer.write(b"<")
        assert await reader.readexactly(1) == b"<"
        yield link, server, reader, writer
        writer.close()
    listener.close()


@pytest.mark.parametrize(
    "faults",
    [Faults(), BYTEWISE, Faults(delay=0.001, jitter=0.002), Faults(bytes_per_second=1e7, piece=1000)],
    ids=["none", "byte by byte", "late", "slow"],
)
async def test_all_data_pass_in_order(faults: Faults) -> None:
    async with echo() as (link, _, reader, writer), asyncio.timeout(PATIENCE_SECONDS):
        with link.faulty(faults):
            writer.write(DATA)
            assert await reader.readexactly(len(DATA)) == DATA


async def test_a_reset_ends_both_sides_with_an_error() -> None:
    async with echo() as (link, server, reader, _), asyncio.timeout(PATIENCE_SECONDS):
        assert link.reset() == 1
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        await server.ended.wait()


async def test_a_half_open_connection_loses_data_and_its_end() -> None:
    async with echo() as (link, server, _, writer), asyncio.timeout(PATIENCE_SECONDS):
        assert link.half_open() == 1
        writer.write(DATA)
        other_reader, other = await asyncio.open_connection("127.0.0.1", link.port)
        other.write(b"new")
        assert await other_reader.readexactly(3) == b"new"
        other.close()
        assert bytes(server.received) == b"<new"


async def test_what_was_sent_into_silence_arrives_after_it() -> None:
    async with echo() as (link, server, reader, writer), asyncio.timeout(PATIENCE_SECONDS):
        with link.faulty(SILENT_UP):
            writer.write(b"up")
            await asyncio.sleep(0)
            assert bytes(server.received) == b"<"
        assert await reader.readexactly(2) == b"up"


async def test_silence_in_one_direction_does_not_affect_the_other() -> None:
    async with echo() as (link, server, reader, writer), asyncio.timeout(PATIENCE_SECONDS):
        server.arrived.clear()
        with link.faulty(SILENT_DOWN):
            writer.write(b"up")
            await server.arrived.wait()
        assert await reader.readexactly(2) == b"up"


async def test_a_link_without_a_target_refuses() -> None:
    async with echo() as (link, _, _, _), asyncio.timeout(PATIENCE_SECONDS):
        link.target = 0
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        assert await reader.read(1) == b""
        writer.close()
