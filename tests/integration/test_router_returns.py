"""Pages that return to their session through a router, which connects them to their signalling server itself."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import bcrypt
import pytest

from pixelfleet.fleet import resume, waiting
from pixelfleet.fleet.model import Ticket
from pixelfleet.fleet.resume import ResumeToken, resume_key
from pixelfleet.fleet.waiting import WaitingToken, waiting_key
from pixelfleet.service.lifecycle import background
from tests.integration.router_stack import Backend, RouterStack, backend, running_stack
from tests.parts import eventually, free_port

pytestmark = pytest.mark.integration

KEY = "k" * 32
USERS = f"ada:{bcrypt.hashpw(b'secret', bcrypt.gensalt(4)).decode()}"


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def pod() -> AsyncIterator[Backend]:
    """A signalling server that echoes."""
    async with backend() as running:
        yield running


def token(port: int, key: str = KEY) -> str:
    return resume.sign(ResumeToken("a" * 32, "pod-1", f"ws://127.0.0.1:{port}", "default", "b"), resume_key(key))


def place(key: str = KEY) -> str:
    return waiting.sign(WaitingToken(Ticket(session_id="a" * 32, replica_id="", app="game")), waiting_key(key))


async def echoed(socket: aiohttp.ClientWebSocketResponse) -> None:
    await socket.send_str("hello")
    assert (await socket.receive()).data == "hello"


async def close_code(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    while (await socket.receive()).type is aiohttp.WSMsgType.TEXT:
        pass
    return socket.close_code


async def metric(stack: RouterStack, http: aiohttp.ClientSession, outcome: str) -> bool:
    async with http.get(f"http://127.0.0.1:{stack.router.metrics_port}/metrics") as answer:
        return f'router_returns_total{{outcome="{outcome}"}} 1.0' in await answer.text()


async def test_a_page_returns_to_its_server_without_a_matchmaker_and_without_its_password(
    page_folder: Path, http: aiohttp.ClientSession, pod: Backend
) -> None:
    settings: dict[str, Any] = {"session_key": KEY, "auth": "basic", "users": USERS}
    async with running_stack(page_folder, **settings) as stack:
        target = f"{stack.url}/ws?resume={token(pod.port)}&received=3&link=secret"
        async with http.ws_connect(target, headers={"Cookie": "a=b"}) as socket:
            await echoed(socket)
            assert pod.targets == [f"/?resume={token(pod.port)}&received=3"]
            assert "Cookie" not in pod.headers[0]
            assert stack.matchmaker.reached == 0
            assert len(stack.router.players) == 1
        await eventually(lambda: not len(stack.router.players), "it has left")
        assert await metric(stack, http, "ok")


async def test_a_page_returns_while_all_matchmakers_are_silent_or_full(
    page_folder: Path, http: aiohttp.ClientSession, pod: Backend
) -> None:
    async with running_stack(page_folder, session_key=KEY, matchmaker=[f"ws://127.0.0.1:{free_port()}"]) as stack:
        for target in stack.router.matchmakers.pool.targets():
            target.silent = True
        stack.router.players.full()
        async with http.ws_connect(f"{stack.url}/?resume={token(pod.port)}") as socket:
            await echoed(socket)


async def test_a_close_of_the_server_reaches_the_page(
    page_folder: Path, http: aiohttp.ClientSession, pod: Backend
) -> None:
    async with (
        running_stack(page_folder, session_key=KEY) as stack,
        http.ws_connect(f"{stack.url}/?resume={token(pod.port)}") as socket,
    ):
        await echoed(socket)
        await pod.sockets[0].close(code=4007, message=b"the session cannot be resumed")
        assert await close_code(socket) == 4007


@pytest.mark.parametrize("text", ["forged", token(1, "x" * 32), place("x" * 32)])
async def test_a_token_that_is_not_valid_is_refused_with_a_close_code(
    page_folder: Path, http: aiohttp.ClientSession, text: str
) -> None:
    async with running_stack(page_folder, session_key=KEY) as stack:
        async with http.ws_connect(f"{stack.url}/ws?resume={text}") as socket:
            assert await close_code(socket) == 4007
        assert stack.reached == 0
        assert await metric(stack, http, "refused")
        await eventually(lambda: not len(stack.router.players), "it has left")


@pytest.mark.parametrize(("status", "code"), [(0, 4001), (403, 4007), (503, 4105)])
async def test_a_server_that_cannot_be_dialled_is_a_close_code(
    page_folder: Path, http: aiohttp.ClientSession, pod: Backend, status: int, code: int
) -> None:
    pod.refuse = status
    async with running_stack(page_folder, session_key=KEY) as stack:
        port = pod.port if status else free_port()
        async with http.ws_connect(f"{stack.url}/ws?resume={token(port)}") as socket:
            assert await close_code(socket) == code
        assert await metric(stack, http, "failed")


async def test_limits_and_origins_apply_to_pages_that_return(
    page_folder: Path, http: aiohttp.ClientSession, pod: Backend
) -> None:
    settings: dict[str, Any] = {"session_key": KEY, "connections_per_address": 1, "origins": ["https://shop.example"]}
    async with running_stack(page_folder, **settings) as stack:
        target = f"{stack.url}/?resume={token(pod.port)}"
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await http.ws_connect(target, headers={"Origin": "https://evil.example"})
        assert error.value.status == 403
        async with http.ws_connect(target):
            with pytest.raises(aiohttp.WSServerHandshakeError) as error:
                await http.ws_connect(target)
            assert error.value.status == 429


async def test_a_page_that_waits_goes_to_a_matchmaker_without_its_password(
    page_folder: Path, http: aiohttp.ClientSession
) -> None:
    target = f"/?resume={place()}"
    async with (
        running_stack(page_folder, session_key=KEY, auth="basic", users=USERS) as stack,
        http.ws_connect(stack.url + target),
    ):
        await eventually(lambda: stack.matchmaker.targets == [target], "the matchmaker has it")


async def test_a_router_without_the_session_key_forwards_the_token(
    page_folder: Path, http: aiohttp.ClientSession, pod: Backend
) -> None:
    async with running_stack(page_folder) as stack:
        async with http.ws_connect(f"{stack.url}/?resume={token(pod.port)}") as socket:
            await echoed(socket)
            assert stack.matchmaker.targets == [f"/?resume={token(pod.port)}"]
        assert pod.reached == 0


async def test_a_drained_router_sends_away_the_pages_that_can_resume_and_no_others(
    page_folder: Path, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.drain.RETURN_SECONDS", 0.0)
    async with running_stack(page_folder, spread_seconds=0, drain_seconds=600) as stack:
        stock = await http.ws_connect(f"{stack.url}/")
        ours = [await http.ws_connect(f"{stack.url}/?resume=1") for _ in range(40)]
        for socket in (stock, *ours):
            await echoed(socket)
        async with background(stack.router.drain()):
            assert {await close_code(socket) for socket in ours} == {4005}
            await echoed(stock)
            await stock.close()
