"""Stock pages, which know no tokens: the router's cookie brings them back to the streamer of their away session."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from pixelfleet.auth.person import PLAYER_COOKIE, new_player_id
from tests.integration.conftest import Chain, running_chain
from tests.integration.peers import Peer, streamer
from tests.parts import eventually

pytestmark = pytest.mark.integration


@asynccontextmanager
async def page(chain: Chain, cookie: str, query: str = "") -> AsyncIterator[Peer]:
    """Connect a page of a browser with this cookie."""
    headers = {"Cookie": f"{PLAYER_COOKIE}={cookie}"}
    async with connect(
        f"{chain.player_url}{query}", compression=None, proxy=None, additional_headers=headers
    ) as socket:
        yield Peer(socket)


async def plays(viewer: Peer) -> None:
    """Subscribe to the streamer of the match."""
    await viewer.receive("config")
    await viewer.send("listStreamers")
    names = (await viewer.receive("streamerList"))["ids"]
    await viewer.send("subscribe", streamerId=names[0])


@asynccontextmanager
async def left(chain: Chain, cookie: str, code: int) -> AsyncIterator[tuple[Peer, Peer]]:
    """Play with one of two streamers, and close with a code; yield that streamer and the other one."""
    async with (
        streamer(chain.streamer_url, "one") as one,
        streamer(chain.streamer_url, "two") as two,
        page(chain, cookie) as viewer,
    ):
        await plays(viewer)
        waiting = {asyncio.ensure_future(each.receive("playerConnected")): each for each in (one, two)}
        done, (other,) = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        other.cancel()
        mine = waiting[done.pop()]
        await viewer.socket.close(code)
        yield mine, waiting[other]


@asynccontextmanager
async def away(chain: Chain, cookie: str) -> AsyncIterator[tuple[Peer, Peer]]:
    """Play, and close as a browser does; yield the streamer and the other one once the session is known to be away."""

    async def is_away() -> bool:
        views = (await chain.matches.broker.store.snapshot()).streamers
        return any(view.report.away for view in views)

    async with left(chain, cookie, 1001) as streamers:
        await eventually(is_away, "the store knows that the session is away")
        yield streamers


async def used(chain: Chain) -> int:
    return sum(len(view.report.sessions) for view in (await chain.matches.broker.store.snapshot()).streamers)


async def test_a_stock_page_that_was_loaded_again_gets_its_streamer_back(chain: Chain) -> None:
    cookie = new_player_id()
    async with away(chain, cookie) as (mine, _), page(chain, cookie) as again:
        await plays(again)
        assert (await mine.receive_any())["type"] == "playerDisconnected"
        assert (await mine.receive_any())["type"] == "playerConnected"
        await again.send("ping", time=1)
        assert await again.receive_any() == {"type": "pong", "time": 1}
        assert await used(chain) == 1


async def test_a_session_that_is_not_away_is_never_taken(chain: Chain) -> None:
    cookie = new_player_id()
    async with (
        streamer(chain.streamer_url, "one") as one,
        streamer(chain.streamer_url, "two") as two,
        page(chain, cookie) as first,
        page(chain, cookie) as second,
    ):
        await plays(first)
        await plays(second)
        for source in (one, two):
            await source.receive("playerConnected")


async def test_another_browser_gets_another_streamer(chain: Chain) -> None:
    async with away(chain, new_player_id()) as (_, other), page(chain, new_player_id()) as viewer:
        await plays(viewer)
        await other.receive("playerConnected")


async def test_a_page_with_tokens_is_not_brought_back_by_its_cookie(chain: Chain) -> None:
    cookie = new_player_id()
    async with away(chain, cookie) as (_, other), page(chain, cookie, "?resume=1") as viewer:
        await plays(viewer)
        await other.receive("playerConnected")


async def test_a_stock_page_that_says_goodbye_frees_its_slot_at_once(chain: Chain) -> None:
    async with left(chain, new_player_id(), 1000) as (mine, _):
        await mine.receive("playerDisconnected")


async def test_the_slot_of_a_closed_tab_is_free_after_a_time(page_folder: Path) -> None:
    async with (
        running_chain(page_folder, signals={"reload_seconds": 0.2}) as chain,
        left(chain, new_player_id(), 1001) as (mine, _),
    ):
        await mine.receive("playerDisconnected")
