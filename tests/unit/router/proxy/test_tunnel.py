"""A websocket to a streamer's REST API."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from aiohttp.typedefs import Handler

from pixelfleet.net.bounds import Bounds
from router.proxy.tunnel import MAX_SUBPROTOCOLS, tunnel
from tests.parts import eventually
from tests.unit.router.servers import serving, session


@asynccontextmanager
async def between(handler: Handler, bounds: Bounds | None = None) -> AsyncIterator[str]:
    """Relay every websocket to a handler; yield the URL to dial."""
    async with session() as client, serving(handler) as url:

        async def passing(request: web.Request) -> web.StreamResponse:
            return await tunnel(request, client, url, {"X-Told": "1"}, bounds or Bounds())

        async with serving(passing) as address:
            yield address


class Far:
    """The streamer's end of the websocket."""

    def __init__(self) -> None:
        self.offered = ""
        self.headers: dict[str, str] = {}
        self.codes: list[int | None] = []

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.offered, self.headers = request.headers.get("Sec-WebSocket-Protocol", ""), dict(request.headers)
        socket = web.WebSocketResponse(protocols=["chat"])
        await socket.prepare(request)
        async for message in socket:
            if message.data == "end":
                await socket.close(code=4321)
            elif message.type is WSMsgType.TEXT:
                await socket.send_str(message.data)
            else:
                await socket.send_bytes(message.data)
        self.codes.append(socket.close_code)
        return socket


async def test_messages_are_relayed_unchanged_and_one_end_closes_both() -> None:
    far = Far()
    async with between(far.serve) as url, aiohttp.ClientSession() as http:
        names = ["bearer.secret", "chat", *(f"p{number}" for number in range(20))]
        async with http.ws_connect(url, protocols=names, headers={"Cookie": "a=secret"}) as socket:
            assert socket.protocol == "chat"
            await socket.send_str("text")
            await socket.send_bytes(b"\x00")
            assert [(await socket.receive()).data for _ in range(2)] == ["text", b"\x00"]
            await socket.send_str("end")
            assert (await socket.receive()).type is WSMsgType.CLOSE
        assert socket.close_code == 4321
        assert "secret" not in str(far.headers)
        assert far.headers["X-Told"] == "1"
        assert len(far.offered.split(",")) == MAX_SUBPROTOCOLS
        async with http.ws_connect(url):
            pass
        await eventually(lambda: len(far.codes) == 2, "the streamer's connection is closed")


@pytest.mark.parametrize("code", [1000, 1001, 3001, 4205])
async def test_the_code_of_the_client_is_passed_on_and_echoed(code: int) -> None:
    far = Far()
    async with between(far.serve) as url, aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
        await socket.close(code=code)
        assert socket.close_code == code
        await eventually(lambda: far.codes == [code], "the streamer's connection is closed with the client's code")


async def test_a_refusal_or_timeout_is_an_http_status() -> None:
    goes_on = asyncio.Event()

    async def hangs(request: web.Request) -> web.StreamResponse:
        if request.path == "/":
            await goes_on.wait()
        raise web.HTTPForbidden

    async with between(hangs, Bounds(handshake_seconds=1.0)) as url, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await http.ws_connect(url)
        assert error.value.status == 504
        goes_on.set()
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await http.ws_connect(url)
        assert error.value.status == 502


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_of_the_streamer_is_not_followed(status: int) -> None:
    internal = Far()

    async with serving(internal.serve) as secret:

        async def redirects(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers={"Location": secret})

        async with between(redirects) as url, aiohttp.ClientSession() as http:
            with pytest.raises(aiohttp.WSServerHandshakeError) as error:
                await http.ws_connect(url)
    assert error.value.status == 502
    assert internal.headers == {}


async def test_an_oversized_message_ends_the_tunnel() -> None:
    far = Far()
    async with between(far.serve, Bounds(message_bytes=100)) as url, aiohttp.ClientSession() as http:
        async with http.ws_connect(url) as socket:
            await socket.send_str("x" * 101)
            assert (await socket.receive()).type is WSMsgType.CLOSE
        assert socket.close_code == 1009
        await eventually(lambda: far.codes, "the streamer's connection is closed")
