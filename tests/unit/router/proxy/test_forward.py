"""Forwarding of one HTTP request."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from router.proxy.forward import Forwarder, Onward
from tests.parts import PATIENCE_SECONDS
from tests.unit.router.servers import serving, session


def _plain(url: str) -> Onward:
    return Onward(url, {})


@asynccontextmanager
async def between(
    handler: Handler, *, at_once: int = 4, slow: float = 1.0, onward: Callable[[str], Onward] = _plain
) -> AsyncIterator[tuple[str, Forwarder]]:
    """Forward every request to a handler; yield the URL to request, and the forwarder."""
    async with session() as client, serving(handler) as url:
        forwarder = Forwarder(client, at_once, slow)

        async def passing(request: web.Request) -> web.StreamResponse:
            return await forwarder.forward(request, onward(url + request.raw_path))

        async with serving(passing) as address:
            yield address, forwarder


async def echo(request: web.Request) -> web.Response:
    headers = {"X-Length": request.headers.get("Content-Length", "none")}
    return web.Response(body=await request.read(), headers=headers)


@pytest.mark.parametrize("size", [0, 1, 70_000, 99_999])
@pytest.mark.parametrize("headers", [True, False])
async def test_a_body_arrives_completely_with_its_content_length(size: int, *, headers: bool) -> None:
    data = b"x" * size

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, size, 10_000):
            yield data[start : start + 10_000]

    async with (
        between(echo, onward=lambda url: Onward(url, {}, body_bytes=100_000)) as (url, forwarder),
        aiohttp.ClientSession() as http,
        http.put(f"{url}/x", data=data if headers else chunks()) as answer,
    ):
        assert await answer.read() == data
        assert answer.headers["X-Length"] in (str(size), "none" if size == 0 else "")
    assert forwarder.active == 0


async def test_each_limit_has_its_status_and_no_request_remains_active() -> None:
    goes_on = asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        await goes_on.wait()
        return web.Response()

    def onward(url: str) -> Onward:
        return Onward(url, {}, seconds=PATIENCE_SECONDS if goes_on.is_set() else 0.5, body_bytes=10)

    async def stalls() -> AsyncIterator[bytes]:
        yield b"x"
        await goes_on.wait()

    async with between(slow, at_once=1, slow=0.1, onward=onward) as (url, forwarder), aiohttp.ClientSession() as http:

        async def status(method: str, data: object = None) -> int:
            async with http.request(method, f"{url}/x", data=data) as answer:
                return answer.status

        assert await status("POST", b"x" * 11) == 413
        assert await status("POST", stalls()) == 408
        assert await status("OPTIONS") == 405
        first, second = await asyncio.gather(status("GET"), status("GET"))
        assert sorted((first, second)) == [503, 504]
        goes_on.set()
        assert await status("GET") == 200
    assert forwarder.active == 0


async def test_an_unreachable_upstream_is_a_bad_gateway() -> None:
    def nowhere(_: str) -> Onward:
        return Onward("http://127.0.0.1:1/", {})

    async with (
        between(echo, onward=nowhere) as (url, _),
        aiohttp.ClientSession() as http,
        http.get(f"{url}/x") as answer,
    ):
        assert answer.status == 502


async def test_the_answer_to_head_is_forwarded_without_a_body() -> None:
    async with between(echo) as (url, _), aiohttp.ClientSession() as http, http.head(f"{url}/x") as answer:
        assert (answer.status, await answer.read()) == (200, b"")
