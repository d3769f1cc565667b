"""Players at the matchmaker: queues, choices, joins, bounds, and what they hear meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import orjson
import pytest
from pydantic import SecretStr
from websockets.exceptions import InvalidStatus

from tests.integration.matches import KEY, Matches, matches, stock_server
from tests.integration.peers import SDP, Message, Peer, player, streamer
from tests.integration.signals import Signals, signals
from tests.parts import eventually

pytestmark = pytest.mark.integration


@pytest.fixture
async def matched() -> AsyncIterator[Matches]:
    async with matches() as running:
        yield running


@asynccontextmanager
async def pod(matched: Matches, name: str = "cam", **settings: Any) -> AsyncIterator[tuple[Signals, Peer]]:
    """Run a signalserver with a streamer, as one pod has them, until the matchmaker can match it."""
    key = SecretStr(KEY)
    before = len(await matched.streamers())
    async with (
        signals(matched.store, session_key=key, require_session=True, **settings) as running,
        streamer(running.streamer_url, name) as source,
    ):

        async def known() -> bool:
            return len(await matched.streamers()) > before

        await eventually(known, f"{name} is known")
        yield running, source


async def waiting(viewer: Peer) -> Message:
    """Return the next message with a position, or with the fact that nothing serves the player."""
    while not {"position", "unserved"} & (message := await viewer.hear("matchmaker")).keys():
        pass
    return message


async def streamer_of(viewer: Peer) -> str:
    """Return the id of the streamer that a player is given."""
    while not (message := await viewer.hear("matchmaker"))["matched"]:
        pass
    return str(message["detail"]["id"])


# -- choices ----------------------------------------------------------------------------------------


async def test_each_app_has_its_own_queue(matched: Matches) -> None:
    async with (
        player(f"{matched.player_url}/?app=boat") as sailor,
        pod(matched, app="car"),
        player(f"{matched.player_url}/ws?app=car") as driver,
        player(f"{matched.player_url}/any/path?app=car") as second,
    ):
        await driver.hear("config")
        assert (await waiting(second))["position"] == 1
        assert (await waiting(sailor))["unserved"] is True
        await driver.say("listStreamers")
        assert (await driver.hear("streamerList"))["ids"] == ["car"]
        async with pod(matched, app="boat"):
            await sailor.hear("config")


async def test_a_region_is_a_choice_that_blocks_nobody_else(matched: Matches) -> None:
    async with (
        pod(matched, labels={"region": "us"}),
        player(f"{matched.player_url}/?region=eu") as picky,
    ):
        await waiting(picky)
        async with player(matched.player_url) as easy:
            assert await streamer_of(easy)
        async with pod(matched, labels={"region": "eu"}):
            await picky.hear("config")


async def test_one_streamer_can_be_asked_for_by_its_key_or_its_endpoint(matched: Matches) -> None:
    async with pod(matched, "a"), pod(matched, "b"):
        keys = {key.partition("/")[2]: key for key in await matched.streamers()}
        for wanted in ("b", keys["b"]):
            async with player(f"{matched.player_url}/?id={wanted}") as viewer:
                assert await streamer_of(viewer) == keys["b"]
                await viewer.hear("config")
            await eventually(lambda: matched.has_sessions(0), "the slot is free again")


async def test_a_session_under_way_is_joined_by_its_id_and_takes_no_slot(matched: Matches) -> None:
    async with pod(matched), player(matched.player_url) as host:
        await host.hear("config")
        await host.say("subscribe", streamerId="default")

        async def held() -> str:
            return next((s for each in (await matched.streamers()).values() for s in each.sessions), "")

        session = await eventually(held, "the session is held")
        async with (
            player(f"{matched.player_url}/?id={session}") as onlooker,
            player(f"{matched.player_url}/?id=*") as anybody,
        ):
            for viewer in (onlooker, anybody):
                await viewer.hear("config")

            async def looked_on() -> bool:
                return any(len(each.spectators) == 2 for each in (await matched.streamers()).values())

            await eventually(looked_on, "two look on")
        async with player(matched.player_url) as late:
            assert (await waiting(late))["position"] == 1


@pytest.mark.parametrize(("join", "allowed"), [("any", True), ("session", False), ("never", False)])
async def test_whether_anybody_may_look_on_is_a_setting(join: str, *, allowed: bool) -> None:
    async with matches(join=join) as matched, pod(matched), player(matched.player_url) as host:
        await host.hear("config")
        async with player(f"{matched.player_url}/?id=cam") as other:
            if allowed:
                await other.hear("config")
            else:
                assert (await waiting(other))["position"] == 1


# -- waiting ----------------------------------------------------------------------------------------


async def test_pings_are_answered_while_a_player_waits(matched: Matches) -> None:
    async with player(matched.player_url) as viewer:
        for time in (1, 2, 3):
            await viewer.say("ping", time=time)
            assert (await viewer.hear("pong"))["time"] == time


async def test_what_a_player_says_early_arrives_in_order_and_it_gets_one_config(matched: Matches) -> None:
    async with player(matched.player_url) as viewer:
        await viewer.say("listStreamers")
        await viewer.say("subscribe", streamerId="default")
        for number in range(50):
            await viewer.say("offer", sdp=SDP, number=number)
        async with pod(matched) as (_, source):
            await source.hear("playerConnected")
            assert [(await source.hear("offer"))["number"] for _ in range(50)] == list(range(50))
            kinds = []
            await viewer.say("ping", time=9)
            while (message := await viewer.hear_any())["type"] != "pong":
                kinds.append(message["type"])
            assert kinds.count("config") == 1
            assert kinds.index("config") < kinds.index("streamerList")


async def test_places_are_told_again_as_they_change_and_at_most_once_a_second(matched: Matches) -> None:
    loop = asyncio.get_running_loop()
    await matched.report(1, ready=False)
    async with AsyncExitStack() as stack:
        others = [AsyncExitStack() for _ in range(3)]
        for other in others:
            await other.enter_async_context(player(matched.player_url))
        begun = loop.time()
        last = await stack.enter_async_context(player(matched.player_url))
        heard = [await waiting(last)]
        for other in others:
            await other.aclose()
            await eventually(lambda: matched.server.queue == 4 - len(heard), "one has left")
            heard.append(await waiting(last))
        assert [message["position"] for message in heard] == [4, 3, 2, 1]
        assert [message["ahead"] for message in heard] == [3, 2, 1, 0]
        assert loop.time() - begun > 1.5


async def test_an_estimate_is_told_once_sessions_have_ended(matched: Matches) -> None:
    async with pod(matched) as (_, source), AsyncExitStack() as stack:
        for _ in range(2):
            async with player(matched.player_url) as viewer:
                await viewer.hear("config")
                await viewer.say("subscribe", streamerId="default")
                await source.hear("playerConnected")
            await source.hear("playerDisconnected")
            await eventually(lambda: matched.has_sessions(0), "the session has ended")
        await (await stack.enter_async_context(player(matched.player_url))).hear("config")
        last = await stack.enter_async_context(player(matched.player_url))
        assert (await waiting(last))["etaSeconds"] >= 1


async def test_a_queue_that_is_full_takes_nobody_more() -> None:
    async with matches(max_queue=2) as matched, player(matched.player_url), player(matched.player_url):
        await eventually(lambda: matched.server.queue == 2, "two wait")
        with pytest.raises(InvalidStatus) as refused:
            async with player(matched.player_url):
                pass
        assert refused.value.response.status_code == 503


async def test_whoever_has_waited_too_long_is_told_so_and_may_come_back_later() -> None:
    async with matches(queue_seconds=0.1) as matched, player(matched.player_url) as viewer:
        await viewer.hear("matchmaker")
        last = {}
        while "too long" not in (last := await viewer.hear("matchmaker"))["detail"]:
            pass
        assert last["queued"] is True
        assert await viewer.closed() == (4103, "waited too long for a streamer")
        await eventually(lambda: matched.has_sessions(0), "it waits no more")


async def test_a_choice_that_cannot_be_is_refused_before_there_is_a_websocket(matched: Matches) -> None:
    for query in ("?app=no%20name", "?region=a%2Fb", "?id=" + "x" * 300):
        with pytest.raises(InvalidStatus) as refused:
            async with player(f"{matched.player_url}/{query}"):
                pass
        assert refused.value.response.status_code == 400


async def test_a_player_that_nothing_serves_gets_no_place_and_one_of_an_ended_session_is_refused(
    matched: Matches,
) -> None:
    async with pod(matched), player(matched.player_url) as host:
        await host.hear("config")
        for query in ("id=nope", "region=nowhere", "app=nothing"):
            async with player(f"{matched.player_url}/?{query}") as viewer:
                message = await waiting(viewer)
                assert message["unserved"] is True
                assert not {"position", "ahead", "etaSeconds"} & message.keys()
        async with player(f"{matched.player_url}/?id={'0' * 32}") as late:
            assert (await late.hear("subscribeFailed"))["message"] == "no such session"
            assert (await late.closed())[0] == 4205
        async with player(matched.player_url) as second:
            assert (await waiting(second))["position"] == 1


async def test_strange_messages_of_a_waiting_player_cost_it_alone(matched: Matches) -> None:
    async with player(matched.player_url) as other, player(matched.player_url) as viewer:
        for data in ("null", "[]", '{"type":"ping"}', '{"type":"ping","time":{"a":[1]}}', "ping" * 10, '"ping"'):
            await viewer.socket.send(data)
        assert "time" in await viewer.hear("pong")
        for number in range(300):
            await viewer.socket.send(orjson.dumps({"type": "x", "n": number}).decode())
        assert (await viewer.closed())[0] == 4104
        await other.say("ping", time=1)
        await other.hear("pong")


# -- stock and native servers in one fleet ----------------------------------------------------------


async def test_stock_and_native_servers_mix_and_the_player_hears_the_dialect(matched: Matches) -> None:
    async with (
        pod(matched),
        stock_server(matched),
        player(matched.player_url) as first,
        player(matched.player_url) as second,
    ):
        dialects = set()
        for viewer in (first, second):
            while not (message := await viewer.hear("matchmaker"))["matched"]:
                pass
            dialects.add(message["dialect"])
            await viewer.hear("config")
        assert dialects == {"5.0", "5.5"}
