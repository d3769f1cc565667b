"""The connection to the signalling server, and reconnects."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs
from websockets.asyncio.server import ServerConnection, serve

from tests.parts import PATIENCE_SECONDS
from teststreamer import signalling
from teststreamer.signalling import SignallingLink, shown


class Listener:
    """Records the link's messages."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[bytes] = asyncio.Queue()
        self.goodbyes: asyncio.Queue[None] = asyncio.Queue()

    async def message(self, data: bytes) -> None:
        self.messages.put_nowait(data)

    async def disconnected(self) -> None:
        self.goodbyes.put_nowait(None)

    async def receive(self) -> bytes:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.messages.get()

    async def lose(self) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.goodbyes.get()


@asynccontextmanager
async def dialling(port: int) -> AsyncIterator[tuple[SignallingLink, Listener]]:
    link, listener = SignallingLink(f"ws://127.0.0.1:{port}", random.Random(1)), Listener()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(link.run(listener))
        yield link, listener
        running.cancel()


@asynccontextmanager
async def serving(handler: object, port: int = 0) -> AsyncIterator[int]:
    async with serve(handler, "127.0.0.1", port, close_timeout=1) as server:  # type: ignore[arg-type]  # any handler
        yield next(iter(server.sockets)).getsockname()[1]


async def greet(socket: ServerConnection) -> None:
    await socket.send('{"type":"hello"}')
    await socket.wait_closed()


async def test_messages_go_both_ways() -> None:
    async def echo(socket: ServerConnection) -> None:
        await socket.send('{"type":"hello"}')
        async for text in socket:
            await socket.send(text)

    async with serving(echo) as port, dialling(port) as (link, listener):
        assert await listener.receive() == b'{"type":"hello"}'
        await link.send({"type": "offer", "sdp": "x"})
        assert await listener.receive() == b'{"type":"offer","sdp":"x"}'


async def test_a_cancelled_link_closes_normally_and_logs_no_error() -> None:
    codes: asyncio.Queue[int | None] = asyncio.Queue()

    async def attend(socket: ServerConnection) -> None:
        await socket.send('{"type":"hello"}')
        await socket.wait_closed()
        codes.put_nowait(socket.close_code)

    async with serving(attend) as port:
        async with dialling(port) as (_, listener):
            await listener.receive()
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await codes.get() == 1000


async def test_the_link_connects_when_the_server_starts() -> None:
    async with serving(greet) as port:
        pass
    async with dialling(port) as (link, listener):
        await listener.lose()
        await link.send({"type": "pong"})
        async with serving(greet, port):
            assert await listener.receive() == b'{"type":"hello"}'
        assert link.dials >= 2


async def test_the_link_reconnects_each_time_the_server_returns() -> None:
    async def hang_up(socket: ServerConnection) -> None:
        await socket.send('{"type":"hello"}')
        await socket.close(1012, "restarting")

    async with serving(hang_up) as port, dialling(port) as (link, listener):
        for times in range(1, 4):
            await listener.receive()
            await listener.lose()
            assert link.dials == times


async def test_a_server_that_refuses_is_dialled_again() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server, dialling(server.sockets[0].getsockname()[1]) as (link, listener):
        await listener.lose()
        await listener.lose()
        assert link.dials >= 2


async def test_a_message_that_is_too_large_ends_only_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signalling, "MAX_MESSAGE_BYTES", 100)

    async def shout(socket: ServerConnection) -> None:
        await socket.send("x" * 101)
        await socket.wait_closed()

    async with serving(shout) as port, dialling(port) as (_, listener):
        await listener.lose()
        await listener.lose()
        assert listener.messages.empty()


@pytest.mark.parametrize(("settled", "failures"), [(0.0, {1}), (3600.0, {1, 2, 3})])
async def test_a_lasting_connection_resets_the_backoff(
    monkeypatch: pytest.MonkeyPatch, settled: float, failures: set[int]
) -> None:
    counted: list[int] = []

    class Counting:
        def delay(self, failures: int, _: float) -> float:
            counted.append(failures)
            return 0.01

    monkeypatch.setattr(signalling, "BACKOFF", Counting())
    monkeypatch.setattr(signalling, "SETTLED_SECONDS", settled)

    async def hang_up(socket: ServerConnection) -> None:
        await socket.close(1012)

    async with serving(hang_up) as port, dialling(port) as (_, listener):
        for _ in range(4):
            await listener.lose()
    assert set(counted[:3]) == failures


@pytest.mark.parametrize(
    ("url", "logged"),
    [
        ("ws://127.0.0.1:8888", "ws://127.0.0.1:8888"),
        ("wss://u:hush@[::1]:8888/pod?token=hush#hush", "wss://[::1]:8888/pod"),
    ],
)
def test_a_url_is_logged_without_a_possible_token(url: str, logged: str) -> None:
    assert shown(url) == logged


async def test_no_token_is_in_the_log() -> None:
    async with serving(greet) as port:
        link, listener = SignallingLink(f"ws://127.0.0.1:{port}/?token=hush", random.Random(1)), Listener()
        with capture_logs() as lines:
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(link.run(listener))
                await listener.receive()
                running.cancel()
    assert lines
    assert "hush" not in str(lines)
