"""Players at the matchmaker: queues, selectors, joining a session, limits, and messages to waiting players."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import orjson
import pytest
from pydantic import SecretStr
from websockets.exceptions import InvalidStatus

from tests.integration.matchmakers import KEY, RunningMatchmaker, running_legacy_server, running_matchmaker
from tests.integration.peers import SDP, Message, Peer, player, streamer
from tests.integration.signalservers import RunningSignalserver, running_signalserver
from tests.parts import eventually

pytestmark = pytest.mark.integration


@pytest.fixture
async def matchmaker() -> AsyncIterator[RunningMatchmaker]:
    async with running_matchmaker() as running:
        yield running


@asynccontextmanager
async def pod(
    matchmaker: RunningMatchmaker, name: str = "cam", **settings: Any
) -> AsyncIterator[tuple[RunningSignalserver, Peer]]:
    """Run a signalserver with a streamer until the matchmaker can match it."""
    key = SecretStr(KEY)
    before = len(await matchmaker.streamers())
    async with (
        running_signalserver(matchmaker.store, session_key=key, require_session=True, **settings) as running,
        streamer(running.streamer_url, name) as source,
    ):

        async def known() -> bool:
            return len(await matchmaker.streamers()) > before

        await eventually(known, f"{name} is registered")
        yield running, source


async def waiting(viewer: Peer) -> Message:
    """Return the next message with a position, or with the fact that nothing serves the player."""
    while not {"position", "unserved"} & (message := await viewer.receive("matchmaker")).keys():
        pass
    return message


async def streamer_of(viewer: Peer) -> str:
    """Return the id of the streamer that a player is matchmaker to."""
    while not (message := await viewer.receive("matchmaker"))["matched"]:
        pass
    return str(message["detail"]["id"])


# -- selection --------------------------------------------------------------------------------------


async def test_each_app_has_its_own_queue(matchmaker: RunningMatchmaker) -> None:
    async with (
        player(f"{matchmaker.player_url}/?app=boat") as sailor,
        pod(matchmaker, app="car"),
        player(f"{matchmaker.player_url}/ws?app=car") as driver,
        player(f"{matchmaker.player_url}/any/path?app=car") as second,
    ):
        await driver.receive("config")
        assert (await waiting(second))["position"] == 1
        assert (await waiting(sailor))["unserved"] is True
        await driver.send("listStreamers")
        assert (await driver.receive("streamerList"))["ids"] == ["car"]
        async with pod(matchmaker, app="boat"):
            await sailor.receive("config")


async def test_a_waiting_selector_does_not_block_other_players(matchmaker: RunningMatchmaker) -> None:
    async with (
        pod(matchmaker, labels={"region": "us"}),
        player(f"{matchmaker.player_url}/?region=eu") as picky,
    ):
        await waiting(picky)
        async with player(matchmaker.player_url) as easy:
            assert await streamer_of(easy)
        async with pod(matchmaker, labels={"region": "eu"}):
            await picky.receive("config")


async def test_a_streamer_can_be_requested_by_its_key_or_its_endpoint_id(matchmaker: RunningMatchmaker) -> None:
    async with pod(matchmaker, "a"), pod(matchmaker, "b"):
        keys = {key.partition("/")[2]: key for key in await matchmaker.streamers()}
        for wanted in ("b", keys["b"]):
            async with player(f"{matchmaker.player_url}/?id={wanted}") as viewer:
                assert await streamer_of(viewer) == keys["b"]
                await viewer.receive("config")
            await eventually(lambda: matchmaker.has_sessions(0), "the slot is free again")


async def test_a_spectator_joins_an_active_session_by_its_id_without_a_slot(matchmaker: RunningMatchmaker) -> None:
    async with pod(matchmaker), player(matchmaker.player_url) as host:
        await host.receive("config")
        await host.send("subscribe", streamerId="default")

        async def held() -> str:
            return next((s for each in (await matchmaker.streamers()).values() for s in each.sessions), "")

        session = await eventually(held, "the session is occupied")
        async with (
            player(f"{matchmaker.player_url}/?id={session}") as by_id,
            player(f"{matchmaker.player_url}/?id=*") as of_any,
        ):
            for viewer in (by_id, of_any):
                await viewer.receive("config")

            async def has_spectators() -> bool:
                return any(len(each.spectators) == 2 for each in (await matchmaker.streamers()).values())

            await eventually(has_spectators, "there are two spectators")
        async with player(matchmaker.player_url) as late:
            assert (await waiting(late))["position"] == 1


@pytest.mark.parametrize(("join", "allowed"), [("any", True), ("session", False), ("never", False)])
async def test_a_setting_allows_spectators(join: str, *, allowed: bool) -> None:
    async with running_matchmaker(join=join) as matchmaker, pod(matchmaker), player(matchmaker.player_url) as host:
        await host.receive("config")
        async with player(f"{matchmaker.player_url}/?id=cam") as other:
            if allowed:
                await other.receive("config")
            else:
                assert (await waiting(other))["position"] == 1


# -- waiting ----------------------------------------------------------------------------------------


async def test_pings_are_answered_while_a_player_waits(matchmaker: RunningMatchmaker) -> None:
    async with player(matchmaker.player_url) as viewer:
        for time in (1, 2, 3):
            await viewer.send("ping", time=time)
            assert (await viewer.receive("pong"))["time"] == time


async def test_early_messages_of_a_player_arrive_in_order_and_it_gets_one_config(matchmaker: RunningMatchmaker) -> None:
    async with player(matchmaker.player_url) as viewer:
        await viewer.send("listStreamers")
        await viewer.send("subscribe", streamerId="default")
        for number in range(50):
            await viewer.send("offer", sdp=SDP, number=number)
        async with pod(matchmaker) as (_, source):
            await source.receive("playerConnected")
            assert [(await source.receive("offer"))["number"] for _ in range(50)] == list(range(50))
            kinds = []
            await viewer.send("ping", time=9)
            while (message := await viewer.receive_any())["type"] != "pong":
                kinds.append(message["type"])
            assert kinds.count("config") == 1
            assert kinds.index("config") < kinds.index("streamerList")


async def test_positions_are_sent_on_changes_and_at_most_once_a_second(matchmaker: RunningMatchmaker) -> None:
    loop = asyncio.get_running_loop()
    await matchmaker.report(1, ready=False)
    async with AsyncExitStack() as stack:
        others = [AsyncExitStack() for _ in range(3)]
        for other in others:
            await other.enter_async_context(player(matchmaker.player_url))
        begun = loop.time()
        last = await stack.enter_async_context(player(matchmaker.player_url))
        positions = [await waiting(last)]
        for other in others:
            await other.aclose()
            await eventually(lambda: matchmaker.server.queue == 4 - len(positions), "one has left")
            positions.append(await waiting(last))
        assert [message["position"] for message in positions] == [4, 3, 2, 1]
        assert [message["ahead"] for message in positions] == [3, 2, 1, 0]
        assert loop.time() - begun > 1.5


async def test_an_estimate_is_sent_once_sessions_have_ended(matchmaker: RunningMatchmaker) -> None:
    async with pod(matchmaker) as (_, source), AsyncExitStack() as stack:
        for _ in range(2):
            async with player(matchmaker.player_url) as viewer:
                await viewer.receive("config")
                await viewer.send("subscribe", streamerId="default")
                await source.receive("playerConnected")
            await source.receive("playerDisconnected")
            await eventually(lambda: matchmaker.has_sessions(0), "the session has ended")
        await (await stack.enter_async_context(player(matchmaker.player_url))).receive("config")
        last = await stack.enter_async_context(player(matchmaker.player_url))
        assert (await waiting(last))["etaSeconds"] >= 1


async def test_a_full_queue_refuses_players() -> None:
    async with (
        running_matchmaker(max_queue=2) as matchmaker,
        player(matchmaker.player_url),
        player(matchmaker.player_url),
    ):
        await eventually(lambda: matchmaker.server.queue == 2, "two wait")
        with pytest.raises(InvalidStatus) as refused:
            async with player(matchmaker.player_url):
                pass
        assert refused.value.response.status_code == 503


async def test_a_player_that_waited_too_long_is_closed_with_4103() -> None:
    async with running_matchmaker(queue_seconds=0.1) as matchmaker, player(matchmaker.player_url) as viewer:
        await viewer.receive("matchmaker")
        last = {}
        while "too long" not in (last := await viewer.receive("matchmaker"))["detail"]:
            pass
        assert last["queued"] is True
        assert await viewer.closed() == (4103, "waited too long for a streamer")
        await eventually(lambda: matchmaker.has_sessions(0), "its ticket is removed")


async def test_an_invalid_join_request_is_refused_before_the_upgrade(matchmaker: RunningMatchmaker) -> None:
    for query in ("?app=no%20name", "?region=a%2Fb", "?id=" + "x" * 300):
        with pytest.raises(InvalidStatus) as refused:
            async with player(f"{matchmaker.player_url}/{query}"):
                pass
        assert refused.value.response.status_code == 400


async def test_an_unserved_player_gets_no_position_and_one_of_an_ended_session_is_refused(
    matchmaker: RunningMatchmaker,
) -> None:
    async with pod(matchmaker), player(matchmaker.player_url) as host:
        await host.receive("config")
        for query in ("id=nope", "region=nowhere", "app=nothing"):
            async with player(f"{matchmaker.player_url}/?{query}") as viewer:
                message = await waiting(viewer)
                assert message["unserved"] is True
                assert not {"position", "ahead", "etaSeconds"} & message.keys()
        async with player(f"{matchmaker.player_url}/?id={'0' * 32}") as late:
            assert (await late.receive("subscribeFailed"))["message"] == "no such session"
            assert (await late.closed())[0] == 4206
        async with player(matchmaker.player_url) as second:
            assert (await waiting(second))["position"] == 1


async def test_invalid_messages_of_a_waiting_player_close_only_that_player(matchmaker: RunningMatchmaker) -> None:
    async with player(matchmaker.player_url) as other, player(matchmaker.player_url) as viewer:
        for data in ("null", "[]", '{"type":"ping"}', '{"type":"ping","time":{"a":[1]}}', "ping" * 10, '"ping"'):
            await viewer.socket.send(data)
        assert "time" in await viewer.receive("pong")
        for number in range(300):
            await viewer.socket.send(orjson.dumps({"type": "x", "n": number}).decode())
        assert (await viewer.closed())[0] == 4104
        await other.send("ping", time=1)
        await other.receive("pong")


# -- legacy and native servers in one fleet ---------------------------------------------------------


async def test_legacy_and_native_servers_mix_and_the_player_gets_the_dialect(matchmaker: RunningMatchmaker) -> None:
    async with (
        pod(matchmaker),
        running_legacy_server(matchmaker),
        player(matchmaker.player_url) as first,
        player(matchmaker.player_url) as second,
    ):
        dialects = set()
        for viewer in (first, second):
            while not (message := await viewer.receive("matchmaker"))["matched"]:
                pass
            dialects.add(message["dialect"])
            await viewer.receive("config")
        assert dialects == {"5.0", "5.5"}
