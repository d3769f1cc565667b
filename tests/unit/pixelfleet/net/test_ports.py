"""Ports without websockets have the bounds of the player port."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from aiohttp import web

from pixelfleet.net import server
from pixelfleet.net.bounds import Bounds
from pixelfleet.net.ports import plain_port
from pixelfleet.net.request_head import MAX_HEAD_BYTES
from tests.parts import PATIENCE_SECONDS, eventually
from tests.unit.pixelfleet.net.raw import Raw, connection, request, upgrade

SHORT = Bounds(handshake_seconds=0.2, response_seconds=0.4)
LONG = Bounds(handshake_seconds=600.0, response_seconds=600.0)
ASSET = bytes(1024 * 1024)


@asynccontextmanager
async def port(bounds: Bounds) -> AsyncIterator[int]:
    async def asset(_: web.Request) -> web.Response:
        return web.Response(body=ASSET)

    async def small(_: web.Request) -> web.Response:
        return web.Response(text="small")

    app = web.Application()
    app.router.add_get("/asset", asset)
    app.router.add_get("/small", small)
    async with plain_port(app, host="127.0.0.1", port=0, option="--port", bounds=bounds) as number:
        yield number


async def closed(raw: Raw) -> None:
    """Wait until the server has ended a connection."""
    await raw.rest()


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: a\r\n", b"\r\n" * 10], ids=["silent", "half", "empty"])
async def test_a_connection_without_a_request_is_closed(sent: bytes) -> None:
    async with port(SHORT) as number, connection(number) as raw:
        await raw.send(sent)
        await closed(raw)


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: a\r\n"], ids=["idle", "half"])
async def test_a_connection_without_a_further_request_is_closed(sent: bytes) -> None:
    async with port(SHORT) as number, connection(number) as raw:
        await raw.send(request("/small"))
        assert await raw.response() == (200, b"small")
        await raw.send(sent)
        await closed(raw)


async def test_a_long_head_is_refused() -> None:
    async with port(LONG) as number, connection(number) as raw:
        await raw.send(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * (MAX_HEAD_BYTES // 6 + 1))
        await closed(raw)


async def test_silent_connections_give_way_to_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "connection_limit", lambda share: 4)
    async with port(LONG) as number:
        silent = [connection(number) for _ in range(12)]
        opened = [await each.__aenter__() for each in silent]
        async with connection(number) as raw:
            await raw.send(request("/small"))
            assert await raw.response() == (200, b"small")
        for raw in opened[:8]:
            await closed(raw)
        for each in silent:
            await each.__aexit__(None, None, None)


async def test_connections_over_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "connection_limit", lambda share: 1)
    async with port(LONG) as number, connection(number) as first:
        await first.send(request("/small"))
        assert await first.response() == (200, b"small")
        async with connection(number) as second:
            await second.send(request("/small"))
            assert await second.response() == (503, b"too many connections")
            await closed(second)
        await first.close()

        async def served() -> bool:
            async with connection(number) as third:
                await third.send(request("/small"))
                return (await third.response())[0] == 200

        await eventually(served, "the first connection has ended")


@pytest.mark.parametrize("path", ["/asset", "/small"])
async def test_a_client_that_does_not_read_is_disconnected(path: str) -> None:
    loop = asyncio.get_running_loop()
    async with port(SHORT) as number:
        clients = [socket.socket() for _ in range(3)]
        for client in clients:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            await loop.sock_connect(client, ("127.0.0.1", number))
        pipelined = request(path) * (100 if path == "/asset" else 30_000)
        sending = [asyncio.create_task(loop.sock_sendall(client, pipelined)) for client in clients]
        for client, task in zip(clients, sending, strict=True):
            await asyncio.wait([task], timeout=PATIENCE_SECONDS)
            await eventually(partial(is_reset, client), "the connection is reset")
            client.close()


async def is_reset(client: socket.socket) -> bool:
    """Return whether the server has aborted a connection: what it sent stays readable, but nothing can be sent."""
    try:
        await asyncio.get_running_loop().sock_sendall(client, b"\r\n")
    except ConnectionError:
        return True
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="the rate is measured on Linux only")
async def test_a_client_that_reads_steadily_may_take_longer() -> None:
    count, seconds = 24, 0.05
    async with port(SHORT) as number, connection(number) as raw:
        await raw.send(request("/asset") * count)
        for _ in range(count):
            await asyncio.sleep(seconds)
            assert await raw.response() == (200, ASSET)
    assert count * seconds > 2 * SHORT.response_seconds


async def test_pipelined_responses_are_complete_for_a_client_that_reads() -> None:
    async with port(LONG) as number, connection(number) as raw:
        await raw.send(request("/asset") * 3)
        for _ in range(3):
            assert await raw.response() == (200, ASSET)


async def test_an_upgrade_is_a_request_like_others() -> None:
    async with port(LONG) as number, connection(number) as raw:
        await raw.send(upgrade("/small"))
        assert await raw.response() == (200, b"small")


async def test_responses_do_not_contain_versions() -> None:
    async with port(LONG) as number:
        for head in (request("/small"), request("/missing")):
            async with connection(number) as raw:
                await raw.send(head)
                assert b"server:" not in (await raw.head()).lower()
        async with connection(number) as raw:
            await raw.send(b"GET /small HTTP/9.9\r\nHost: a\r\n\r\n")  # aiohttp answers this without the application
            assert b"server: pixelfleet\r\n" in (await raw.head()).lower()
