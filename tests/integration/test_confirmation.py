"""A streamer is kept only for a page that is there: pages in a browser's cache answer pings, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import running_chain
from tests.integration.matchmakers import running_legacy_server, running_matchmaker
from tests.integration.peers import Peer, negotiate, player, streamer
from tests.parts import eventually
from tests.standins.cirrus import GENERATIONS, Generation

pytestmark = pytest.mark.integration

PASSED_OVER = (4009, "the page did not answer its match")
MATCHES: dict[str, Any] = {"confirm_seconds": 2.0}
"""Enough time for the second page of a test, on a machine that is busy."""
HANDED_OVER = pytest.param({}, "", id="handed over")
RELAYED = pytest.param({"session_key": None}, "", id="relayed")


@asynccontextmanager
async def ghost(url: str) -> AsyncIterator[Peer]:
    """Connect as a page whose scripts do not run: its browser answers pings, and messages remain unread.

    Before that it has asked for the streamers, as Epic's pages do as soon as their socket is open.
    """
    async with player(url) as page:
        await page.send("listStreamers")
        yield page


@pytest.mark.parametrize(
    ("entry", "query"), [HANDED_OVER, RELAYED, pytest.param({}, "?resume=1", id="handed over, can resume")]
)
async def test_a_silent_page_is_passed_over_and_the_next_player_gets_its_streamer(
    page_folder: Path, entry: dict[str, Any], query: str
) -> None:
    async with (
        running_chain(page_folder, matches=MATCHES, entry=entry) as chain,
        ghost(chain.player_url + query) as silent,
    ):
        await eventually(lambda: chain.matches.queue == 1, "the silent page waits")
        async with player(chain.player_url) as second:
            await eventually(lambda: chain.matches.queue == 2, "the second page waits")
            async with streamer(chain.streamer_url, "cam") as source:
                await negotiate(second, source, "default")
                assert await silent.closed() == PASSED_OVER
                await eventually(lambda: chain.signals.players == 1, "the server has the second player only")


@pytest.mark.parametrize(("entry", "query"), [HANDED_OVER, RELAYED])
async def test_a_live_page_that_has_nothing_to_send_is_asked_and_keeps_its_streamer(
    page_folder: Path, entry: dict[str, Any], query: str
) -> None:
    async with (
        running_chain(page_folder, matches={"confirm_seconds": 3.0}, entry=entry) as chain,
        streamer(chain.streamer_url, "cam") as source,
        player(chain.player_url + query) as viewer,
    ):
        await viewer.receive("config")
        asked = await viewer.receive("ping")
        await viewer.send("pong", time=asked["time"])
        await viewer.send("subscribe", streamerId="default")
        await source.receive("playerConnected")


@pytest.mark.parametrize("generation", GENERATIONS, ids=lambda generation: generation.name)
async def test_a_silent_page_at_a_legacy_server_is_passed_over(generation: Generation) -> None:
    async with (
        running_matchmaker(**MATCHES) as running,
        ghost(running.player_url) as silent,
    ):
        await eventually(lambda: running.server.queue == 1, "the silent page waits")
        async with running_legacy_server(running, generation) as legacy, player(running.player_url) as second:
            assert await silent.closed() == PASSED_OVER
            await second.receive("config")
            assert legacy.dialled == 2
            (view,) = (await running.store.snapshot()).streamers
            assert view.failures == 0, "the server is not blamed"
