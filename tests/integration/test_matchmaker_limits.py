"""The limits of one client address at the matchmaker, with and without a router in front of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import router.app
import router.settings
from tests.integration.matchmakers import RunningMatchmaker, running_matchmaker
from tests.parts import PATIENCE_SECONDS, eventually

pytestmark = pytest.mark.integration


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def joins(http: aiohttp.ClientSession, url: str, client: str, stack: AsyncExitStack) -> int:
    """Connect a player of a client behind a proxy; return 101, or the status of the refusal."""
    try:
        socket = await http.ws_connect(url, headers={"X-Forwarded-For": f"6.6.6.6, {client}"})
    except aiohttp.WSServerHandshakeError as error:
        return error.status
    stack.push_async_callback(socket.close)
    assert (await socket.receive_json())["queued"] is True
    return 101


@asynccontextmanager
async def behind_a_router(matchmaker: RunningMatchmaker, page: Path, **settings: Any) -> AsyncIterator[str]:
    chosen = router.settings.Settings(
        host="127.0.0.1", port=0, metrics_port=0, page=page, matchmaker=[matchmaker.player_url], **settings
    )
    async with router.app.running(chosen) as entry:
        yield f"ws://127.0.0.1:{entry.port}/ws"


async def test_a_client_is_refused_before_the_upgrade_and_others_are_let_in(http: aiohttp.ClientSession) -> None:
    async with running_matchmaker(trusted_proxies=1, joins_per_minute=4) as matchmaker, AsyncExitStack() as stack:
        url = matchmaker.player_url
        assert [await joins(http, url, "192.0.2.1", stack) for _ in range(3)] == [101, 101, 429]
        assert [await joins(http, url, "192.0.2.2", stack) for _ in range(3)] == [101, 101, 429]
        assert len(matchmaker.server.players) == 4


async def test_a_client_may_join_again_when_its_players_have_left(http: aiohttp.ClientSession) -> None:
    async with (
        running_matchmaker(trusted_proxies=1, connections_per_address=2) as matchmaker,
        AsyncExitStack() as stack,
    ):
        async with AsyncExitStack() as first:
            assert [await joins(http, matchmaker.player_url, "192.0.2.1", first) for _ in range(3)] == [101, 101, 429]
        await eventually(lambda: len(matchmaker.server.players) == 0, "its players have left")
        assert await joins(http, matchmaker.player_url, "192.0.2.1", stack) == 101


@pytest.mark.parametrize("trusted", [0, 1])
async def test_a_router_is_not_one_client(page_folder: Path, http: aiohttp.ClientSession, trusted: int) -> None:
    async with (
        running_matchmaker(trusted_proxies=trusted, joins_per_minute=2, connections_per_address=1) as matchmaker,
        behind_a_router(matchmaker, page_folder, trusted_proxies=1) as url,
        AsyncExitStack() as stack,
    ):
        for number in range(5):
            assert await joins(http, url, f"192.0.2.{number}", stack) == 101
        assert len(matchmaker.server.players) == 5


async def test_players_of_this_machine_have_no_limits(http: aiohttp.ClientSession) -> None:
    async with running_matchmaker(joins_per_minute=2, connections_per_address=1) as matchmaker:
        sockets = [await http.ws_connect(matchmaker.player_url) for _ in range(5)]
        assert len(matchmaker.server.players) == 5
        for socket in sockets:
            await socket.close()


async def test_a_client_at_its_limit_does_not_make_a_router_avoid_the_matchmaker(
    page_folder: Path, http: aiohttp.ClientSession
) -> None:
    async with (
        running_matchmaker(trusted_proxies=1, connections_per_address=1) as matchmaker,
        behind_a_router(matchmaker, page_folder, trusted_proxies=1) as url,
        AsyncExitStack() as stack,
    ):
        assert await joins(http, url, "192.0.2.1", stack) == 101
        async with http.ws_connect(url, headers={"X-Forwarded-For": "192.0.2.1"}) as refused:
            await refused.receive()
            assert refused.close_code == 4102
        assert await joins(http, url, "192.0.2.2", stack) == 101


async def closed_with(http: aiohttp.ClientSession, url: str, client: str) -> int | None:
    """Connect a player of a client that is refused after the upgrade; return the close code."""
    async with http.ws_connect(url, headers={"X-Forwarded-For": client}) as socket:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not socket.closed:
                await socket.receive()
        return socket.close_code


async def test_a_client_that_waits_for_many_names_keeps_no_other_client_out(http: aiohttp.ClientSession) -> None:
    async with running_matchmaker(trusted_proxies=1, hold_seconds=0) as matchmaker, AsyncExitStack() as stack:
        url = f"{matchmaker.player_url}/?app=invented-"
        for number in range(8):
            assert await joins(http, f"{url}{number}", "192.0.2.1", stack) == 101
        await eventually(lambda: matchmaker.has_sessions(8), "they wait")
        for number in range(8, 80):
            assert await closed_with(http, f"{url}{number}", "192.0.2.1") == 4206
        assert await joins(http, f"{url}8", "192.0.2.2", stack) == 101
        await eventually(lambda: matchmaker.has_sessions(9), "the other client waits, too")
