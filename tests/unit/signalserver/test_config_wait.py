"""Peers that wait for their TURN credentials, with a real signalling server and a fake TURN API."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from websockets.exceptions import InvalidStatus

import signalserver.app
from signalserver.settings import Settings
from tests.integration.peers import SDP, player, streamer
from tests.parts import eventually


class TurnApi:
    """A TURN API that responds on demand."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.asked: list[dict[str, str]] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.query))
        if "name" in request.query:
            await self.open.wait()
        user = f"1999999999:{request.query.get('name', 'shared')}"
        return web.json_response({"iceServers": [{"urls": "turn:192.0.2.1", "username": user, "credential": "x"}]})

    def server(self, **settings: object) -> AbstractAsyncContextManager[signalserver.app.SignalServer]:
        ports = dict.fromkeys(("player_port", "streamer_port", "sfu_port", "metrics_port"), 0)
        values = {"host": "127.0.0.1", **ports, "rtc_config_url": self.url, "rtc_config_session_seconds": 5.0}
        return signalserver.app.running(Settings(**{**values, **settings}))  # type: ignore[arg-type]  # as options are


@pytest.fixture
async def turn_api() -> AsyncIterator[TurnApi]:
    api = TurnApi()
    app = web.Application()
    app.router.add_get("/", api.answer)
    async with TestServer(app) as server:
        api.url = str(server.make_url("/"))
        yield api
        api.open.set()


def user_of(config: dict[str, dict[str, list[dict[str, str]]]]) -> str:
    return config["peerConnectionOptions"]["iceServers"][0]["username"].partition(":")[2]


async def test_every_peer_gets_credentials_of_its_own_and_one_config(turn_api: TurnApi) -> None:
    async with (
        turn_api.server() as server,
        streamer(f"ws://127.0.0.1:{server.streamer_port}", "cam"),
    ):
        users = set()
        for _ in range(2):
            async with player(f"ws://127.0.0.1:{server.player_port}") as viewer:
                users.add(user_of(await viewer.receive("config")))
                await viewer.send("listStreamers")
                await viewer.send("ping", time=1)
                assert [(await viewer.receive_any())["type"] for _ in range(2)] == ["streamerList", "pong"]
    named = [query for query in turn_api.asked if "name" in query]
    assert users == {query["name"] for query in named[1:]}
    assert len(users) == 2
    assert [query.get("role") for query in named] == ["streamer", None, None]


async def test_messages_before_the_config_are_handled_after_it_in_order(turn_api: TurnApi) -> None:
    async with (
        turn_api.server() as server,
        streamer(f"ws://127.0.0.1:{server.streamer_port}", "cam") as source,
    ):
        turn_api.open.clear()
        async with player(f"ws://127.0.0.1:{server.player_port}") as viewer:
            await viewer.send("subscribe", streamerId="cam")
            await viewer.send("offer", sdp=SDP)
            await eventually(lambda: len(turn_api.asked) >= 3, "the TURN API was asked")
            assert server.players == 0
            turn_api.open.set()
            assert (await viewer.receive_any())["type"] == "config"
            assert [(await source.receive_any())["type"] for _ in range(2)] == ["playerConnected", "offer"]


async def test_a_turn_api_that_hangs_causes_a_bounded_wait(turn_api: TurnApi) -> None:
    async with turn_api.server(rtc_config_session_seconds=0.1) as server:
        turn_api.open.clear()
        async with player(f"ws://127.0.0.1:{server.player_port}") as viewer:
            assert user_of(await viewer.receive("config")) == "shared"


async def test_with_zero_seconds_all_peers_share_the_credentials(turn_api: TurnApi) -> None:
    async with (
        turn_api.server(rtc_config_session_seconds=0) as server,
        player(f"ws://127.0.0.1:{server.player_port}") as viewer,
    ):
        assert user_of(await viewer.receive("config")) == "shared"
    assert turn_api.asked == [{}]


async def test_a_peer_that_leaves_while_it_waits_leaves_nothing_behind(turn_api: TurnApi) -> None:
    async with turn_api.server(max_players=1) as server:
        turn_api.open.clear()
        async with player(f"ws://127.0.0.1:{server.player_port}"):
            await eventually(lambda: len(turn_api.asked) == 2, "the TURN API was asked")
        turn_api.open.set()

        async def let_in() -> bool:
            async with player(f"ws://127.0.0.1:{server.player_port}") as viewer:
                return bool(await viewer.receive("config"))

        assert await eventually(let_in, "there is room again", tolerating=(InvalidStatus,))


async def test_a_peer_that_sends_too_much_while_it_waits_is_closed(turn_api: TurnApi) -> None:
    async with turn_api.server() as server:
        turn_api.open.clear()
        async with player(f"ws://127.0.0.1:{server.player_port}") as viewer:
            for _ in range(300):
                await viewer.send("ping")
            assert (await viewer.closed())[0] == 4104


async def test_waiting_peers_count_as_players_and_are_closed_at_shutdown(turn_api: TurnApi) -> None:
    async with AsyncExitStack() as players:
        async with turn_api.server(max_players=1) as server:
            turn_api.open.clear()
            viewer = await players.enter_async_context(player(f"ws://127.0.0.1:{server.player_port}"))
            with pytest.raises(InvalidStatus, match="503"):
                async with player(f"ws://127.0.0.1:{server.player_port}"):
                    pass
        assert (await viewer.closed())[0] == 4005
