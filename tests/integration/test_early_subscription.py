"""A page that asks with its request to be subscribed, through router, matchmaker and signalling server."""

from pathlib import Path

import pytest

from tests.integration.conftest import running_chain
from tests.integration.peers import SDP, player, streamer
from tests.parts import eventually

pytestmark = pytest.mark.integration

EARLY = "?resume=1&subscribe=1"


async def test_the_offer_reaches_a_page_that_has_sent_no_message(page_folder: Path) -> None:
    async with (
        running_chain(page_folder) as chain,
        streamer(chain.streamer_url, "cam") as source,
        player(chain.player_url + EARLY) as viewer,
    ):
        player_id = (await source.receive("playerConnected"))["playerId"]
        await source.send("offer", sdp=SDP, playerId=player_id)
        await viewer.receive("offer")
        await viewer.send("listStreamers")
        await viewer.send("subscribe", streamerId="default")
        await viewer.send("answer", sdp=SDP)
        assert (await source.receive_any())["type"] == "answer", "it is not subscribed a second time"


async def test_a_page_that_has_waited_subscribes_itself(page_folder: Path) -> None:
    async with running_chain(page_folder) as chain, player(chain.player_url + EARLY) as viewer:
        await eventually(lambda: chain.matches.queue == 1, "the page waits")
        async with streamer(chain.streamer_url, "cam") as source:
            await viewer.receive("config")
            await viewer.send("ping", time=1)
            assert (await viewer.receive_any())["type"] == "pong", "no list that it did not ask for"
            await viewer.send("subscribe", streamerId="default")
            await source.receive("playerConnected")


async def test_a_page_that_is_loaded_again_gets_its_offer_without_a_message(page_folder: Path) -> None:
    async with running_chain(page_folder) as chain, streamer(chain.streamer_url, "cam") as source:
        async with player(chain.player_url + EARLY) as first:
            token = (await first.receive("session"))["token"]
            await source.receive("playerConnected")
            first.socket.transport.abort()
        async with player(f"{chain.player_url}?resume={token}&fresh=1&subscribe=1") as again:
            player_id = (await source.receive("playerConnected"))["playerId"]
            await source.send("offer", sdp=SDP, playerId=player_id)
            await again.receive("offer")
