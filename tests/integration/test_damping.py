"""Router, matchmaker and signalserver hold back a client whose connections end at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from pixelfleet.net import damping
from pixelfleet.net.damping import FREE_ENDS
from tests.integration.matchmakers import running_matchmaker
from tests.integration.router_stack import running_stack
from tests.integration.signalservers import running_signalserver

pytestmark = pytest.mark.integration

PAGE, OTHER_PAGE = "https://play.example", "https://evil.example"
SETTINGS: dict[str, Any] = {"origins": [PAGE], "handshake_seconds": 2400.0, "hold_seconds": 60.0}


@asynccontextmanager
async def service(name: str, page_folder: Path) -> AsyncIterator[str]:
    """Run a service for pages of one origin; yield the URL that players dial."""
    if name == "router":
        async with running_stack(page_folder, **SETTINGS) as stack:
            yield f"{stack.url}/ws"
    elif name == "matchmaker":
        async with running_matchmaker(**SETTINGS) as matchmaker:
            yield matchmaker.rest_url
    else:
        async with running_signalserver(**SETTINGS) as signalserver:
            yield signalserver.player_url.replace("ws:", "http:")


async def dial(http: aiohttp.ClientSession, url: str, origin: str, **headers: str) -> int:
    """Return the status of the answer to a websocket's request."""
    try:
        async with http.ws_connect(url, headers={"Origin": origin, **headers}):
            return 101
    except aiohttp.WSServerHandshakeError as error:
        return error.status


async def is_held_back(http: aiohttp.ClientSession, url: str) -> bool:
    """Return whether a page of the right origin gets no answer, while a page of another address does."""
    held = asyncio.create_task(dial(http, url, PAGE))
    await asyncio.sleep(0)
    for _ in range(10):
        assert await dial(http, url, PAGE, **{"X-Forwarded-For": "192.0.2.7"}) == 101
    if held.done():
        assert held.result() == 101
        return False
    held.cancel()
    return True


@pytest.mark.parametrize("name", ["router", "matchmaker", "signalserver"])
async def test_a_page_whose_connections_end_at_once_is_held_back(
    name: str, page_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(damping, "FIRST_HOLD_SECONDS", 600.0)
    async with service(name, page_folder) as url, aiohttp.ClientSession() as http:
        assert [await dial(http, url, OTHER_PAGE) for _ in range(FREE_ENDS)] == [403] * FREE_ENDS
        assert not await is_held_back(http, url)
        assert await dial(http, url, OTHER_PAGE) == 403
        assert await is_held_back(http, url)


async def test_a_router_that_dials_a_matchmaker_is_not_held_back(
    page_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(damping, "FIRST_HOLD_SECONDS", 600.0)
    async with (
        running_matchmaker(**SETTINGS) as matchmaker,
        running_stack(page_folder, matchmaker=[matchmaker.player_url], hold_seconds=0) as stack,
        aiohttp.ClientSession() as http,
    ):
        for _ in range(3 * FREE_ENDS):
            async with http.ws_connect(f"{stack.url}/ws?app=a%20b") as socket:  # refused by the matchmaker with 400
                assert "subscribeFailed" in (await socket.receive()).data
        assert matchmaker.server.queue == 0
        async with http.ws_connect(f"{stack.url}/ws", headers={"Origin": PAGE}) as socket:
            assert "Waiting" in (await socket.receive()).data


async def test_a_matchmaker_that_dials_a_signalserver_is_not_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(damping, "FIRST_HOLD_SECONDS", 600.0)
    async with (
        running_signalserver(**SETTINGS, session_key="k" * 32) as signalserver,
        aiohttp.ClientSession() as http,
    ):
        url = signalserver.player_url.replace("ws:", "http:")
        for _ in range(3 * FREE_ENDS):
            assert await dial(http, f"{url}/?session=invalid", PAGE) == 403
        assert not await is_held_back(http, url)
