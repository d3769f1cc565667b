"""A player reaches a streamer through router, matchmaker and signalserver."""

from contextlib import AsyncExitStack

import aiohttp
import pytest
from websockets.exceptions import InvalidStatus

from tests.integration.conftest import Chain
from tests.integration.peers import SDP, player, streamer
from tests.parts import eventually

pytestmark = pytest.mark.integration


async def test_a_player_and_a_streamer_exchange_offer_answer_and_candidates(chain: Chain) -> None:
    async with streamer(chain.streamer_url, "cam") as source, player(chain.player_url) as viewer:
        assert (await viewer.receive("matchmaker"))["queued"] is True
        matched = await viewer.receive("matchmaker")
        assert matched["matched"] is True
        assert matched["detail"]["port"] == chain.signals.player_port
        await viewer.receive("config")
        await viewer.send("listStreamers")
        assert (await viewer.receive("streamerList"))["ids"] == ["default"]
        await viewer.send("subscribe", streamerId="default")
        player_id = (await source.receive("playerConnected"))["playerId"]
        await source.send("offer", sdp=SDP, playerId=player_id)
        assert (await viewer.receive("offer"))["sdp"] == SDP
        await viewer.send("answer", sdp=SDP)
        assert (await source.receive("answer"))["playerId"] == player_id
        candidate = {"candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0}
        await viewer.send("iceCandidate", candidate=candidate, playerId="999")
        received = await source.receive("iceCandidate")
        assert received["candidate"] == candidate
        assert received["playerId"] == player_id


async def test_messages_of_a_waiting_player_are_delivered_in_order(chain: Chain) -> None:
    async with player(chain.player_url) as viewer:
        await viewer.send("listStreamers")
        await viewer.send("subscribe", streamerId="default")
        await viewer.send("offer", sdp=SDP)
        await viewer.send("ping", time=1)
        assert (await viewer.receive("pong"))["time"] == 1
        async with streamer(chain.streamer_url, "cam") as source:
            kinds = [(await source.receive_any())["type"] for _ in range(2)]
            assert kinds == ["playerConnected", "offer"]
            assert (await viewer.receive("streamerList"))["ids"] == ["default"]


async def test_the_second_player_waits_for_the_only_streamer_and_gets_it(chain: Chain) -> None:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(streamer(chain.streamer_url, "cam"))
        async with player(chain.player_url) as first:
            await first.receive("config")
            second = await stack.enter_async_context(player(chain.player_url))
            waiting = await second.receive("matchmaker")
            while "position" not in waiting:
                waiting = await second.receive("matchmaker")
            assert (waiting["queued"], waiting["position"], waiting["ahead"]) == (True, 1, 0)
        await second.receive("config")


async def test_three_players_get_three_different_streamers_under_one_name(chain: Chain) -> None:
    async with AsyncExitStack() as stack:
        sources = [await stack.enter_async_context(streamer(chain.streamer_url, name)) for name in ("a", "b", "c")]
        for _ in sources:
            viewer = await stack.enter_async_context(player(chain.player_url))
            await viewer.receive("config")
            await viewer.send("listStreamers")
            assert (await viewer.receive("streamerList"))["ids"] == ["default"]
            await viewer.send("subscribe", streamerId="default")
        for source in sources:
            await source.receive("playerConnected")


async def test_a_leased_player_can_subscribe_to_nothing_else(chain: Chain) -> None:
    async with (
        streamer(chain.streamer_url, "a"),
        streamer(chain.streamer_url, "b"),
        player(chain.player_url) as first,
        player(chain.player_url) as second,
    ):
        for viewer in (first, second):
            await viewer.receive("config")
        for viewer in (first, second):
            for wanted in ("a", "b"):
                await viewer.send("subscribe", streamerId=wanted)
        failures = 0
        for viewer in (first, second):
            failures += bool(await viewer.receive("subscribeFailed"))
        assert failures == 2


async def test_players_are_closed_with_a_reconnect_code_when_their_streamer_leaves(chain: Chain) -> None:
    async with player(chain.player_url) as viewer:
        async with streamer(chain.streamer_url, "cam") as source:
            await viewer.receive("config")
            await viewer.send("subscribe", streamerId="default")
            await source.receive("playerConnected")
        code, reason = await viewer.closed()
        assert (code, reason) == (4000, "the streamer left")


async def test_a_streamer_is_notified_once_that_its_player_left(chain: Chain) -> None:
    async with streamer(chain.streamer_url, "cam") as source:
        async with player(chain.player_url) as viewer:
            await viewer.receive("config")
            await viewer.send("subscribe", streamerId="default")
            player_id = (await source.receive("playerConnected"))["playerId"]
        assert (await source.receive("playerDisconnected"))["playerId"] == player_id


async def test_a_player_without_a_session_token_is_refused(chain: Chain) -> None:
    for query in ("", "?session=forged", "?session=a.b.c"):
        with pytest.raises(InvalidStatus) as refused:
            async with player(f"ws://127.0.0.1:{chain.signals.player_port}/{query}"):
                pass
        assert refused.value.response.status_code == 403


async def test_the_router_serves_the_page_with_a_strict_policy_and_accepts_players_on_its_root(chain: Chain) -> None:
    async with aiohttp.ClientSession(chain.page_url) as http:
        async with http.get("/") as page:
            assert page.status == 200
            assert "script-src 'self'" in page.headers["Content-Security-Policy"]
            assert page.headers["Cache-Control"] == "no-cache"
        async with http.get("/assets/main-abc123.js") as asset:
            assert asset.status == 200
            assert "immutable" in asset.headers["Cache-Control"]
        for path in ("/assets/../index.html", "/assets/%2e%2e/index.html", "/nothing", "/assets/"):
            async with http.get(path) as missing:
                assert missing.status in (403, 404)
    async with (
        streamer(chain.streamer_url, "cam"),
        player(f"ws://127.0.0.1:{chain.entry.port}/") as viewer,
    ):
        await viewer.receive("config")


async def test_readiness_follows_the_streamer(chain: Chain) -> None:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{chain.signals.player_port}") as http:

        async def ready() -> bool:
            async with http.get("/readyz") as answer:
                return answer.status == 200

        assert not await ready()
        async with http.get("/livez") as alive:
            assert alive.status == 200
        async with streamer(chain.streamer_url, "cam"):
            assert await ready()

            async def gone() -> bool:
                return not await ready()

        await eventually(gone, "not ready after the streamer left")


async def test_metrics_count_the_player_under_the_names_that_dashboards_query(chain: Chain) -> None:
    async with (
        aiohttp.ClientSession() as http,
        streamer(chain.streamer_url, "cam"),
        player(chain.player_url) as viewer,
    ):
        await viewer.receive("config")
        async with http.get(f"http://127.0.0.1:{chain.signals.metrics_port}/custom") as custom:
            text = await custom.text()
        assert "signalserver_player_socket_connections 1.0" in text
        assert "stream_player_connections 1.0" in text
        assert "signalserver_stream_socket_open_indicator 1.0" in text
        async with http.get(f"http://127.0.0.1:{chain.signals.metrics_port}/anything") as everything:
            assert "pixelfleet_build_info" in await everything.text()
