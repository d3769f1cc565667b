"""Players that wait at a matchmaker share one connection, their router's trunk, and lose nothing by it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from matchmaker.trunks import Trunks
from pixelfleet.fleet.handover import ClaimWriter, handover_key
from pixelfleet.fleet.memory import MemoryFleetStore
from pixelfleet.fleet.trunks import TRUNK_HEADER, TRUNK_TARGET
from pixelfleet.net.dial import DialError, dial
from pixelfleet.net.request_head import RequestHead
from pixelfleet.net.trunk.connection import AcceptedTrunk, DialledTrunk, trunk_bounds
from pixelfleet.net.websocket import WebSocket
from pixelfleet.protocol import close_codes
from pixelfleet.service.logs import REQUEST
from router import player as router_player
from router.app import Router
from tests.integration.conftest import Chain
from tests.integration.matchmakers import RunningMatchmaker, running_legacy_server, running_matchmaker
from tests.integration.peers import Peer, negotiate, player, streamer
from tests.integration.test_handover import KEY, exchange, running_router
from tests.parts import eventually

pytestmark = pytest.mark.integration


@asynccontextmanager
async def waiting(url: str) -> AsyncIterator[Peer]:
    """Connect a player that waits."""
    async with player(url) as viewer:
        await viewer.receive("matchmaker")
        yield viewer


@asynccontextmanager
async def with_trunk(page: Path, *running: RunningMatchmaker) -> AsyncIterator[Router]:
    """Run a router that has a trunk to each matchmaker."""
    async with running_router(page, *(each.player_url for each in running)) as front, AsyncExitStack() as stack:
        for _ in running:
            await stack.enter_async_context(waiting(player_url(front)))
        await eventually(lambda: len(front.players.trunks) == len(running), "the router has its trunks")
        await stack.aclose()
        yield front


def player_url(front: Router) -> str:
    return f"ws://127.0.0.1:{front.port}/ws"


def on_trunks(front: Router) -> int:
    """Return how many players of a router are connected over trunks."""
    return sum(len(trunk) for trunk in front.players.trunks._open)


async def test_the_second_player_is_matched_over_the_trunk(chain: Chain) -> None:
    async with streamer(chain.streamer_url, "cam") as source:
        for _ in range(3):
            async with player(chain.player_url) as viewer:
                await exchange(viewer, source, await negotiate(viewer, source, "default"))
                await eventually(lambda: not chain.matches.players, "the player is handed over")
            await source.receive("playerDisconnected")
            await eventually(lambda: len(chain.entry.players.trunks) == 1, "the router has a trunk")
    assert on_trunks(chain.entry) == 0


async def test_the_log_lines_of_a_player_on_a_trunk_have_the_id_of_its_own_request(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = []

    async def recorded(url: str, *args: Any, **options: Any) -> WebSocket:
        if "session=" in url:
            ids.append(REQUEST.get())
        return await dial(url, *args, **options)

    monkeypatch.setattr(router_player, "dial", recorded)
    async with streamer(chain.streamer_url, "cam") as source:
        for _ in range(3):
            async with player(chain.player_url) as viewer:
                await negotiate(viewer, source, "default")
                await eventually(lambda: len(chain.entry.players.trunks) == 1, "the router has a trunk")
            await source.receive("playerDisconnected")
    assert len(set(ids)) == 3


async def test_players_wait_on_one_connection_and_get_their_positions(page_folder: Path) -> None:
    async with (
        running_matchmaker() as running,
        with_trunk(page_folder, running) as front,
        waiting(player_url(front)) as one,
        waiting(player_url(front)) as other,
    ):
        await eventually(lambda: on_trunks(front) == 2, "both wait on the trunk")
        assert len(running.server.players) == 2
        await one.send("ping", time=1)
        await one.receive("pong")
        await other.socket.close(1000)
        await eventually(lambda: len(running.server.players) == 1, "the matchmaker knows that the player has left")
        assert len(front.players.trunks) == 1


async def test_players_return_after_their_trunk_was_lost(page_folder: Path) -> None:
    async with (
        running_matchmaker() as running,
        with_trunk(page_folder, running) as front,
        waiting(player_url(front)) as viewer,
    ):
        await eventually(lambda: on_trunks(front) == 1, "the player waits on the trunk")
        (trunk,) = front.players.trunks._open
        trunk.socket.abort()
        code, _ = await viewer.closed()
        assert code == 4001
        await eventually(lambda: not len(running.server.players), "the matchmaker has forgotten the player")
        async with waiting(player_url(front)):
            await eventually(lambda: len(running.server.players) == 1, "the player waits over a connection of its own")
            assert on_trunks(front) == 0


async def test_a_refusal_over_a_trunk_is_final_for_the_page(page_folder: Path) -> None:
    async with (
        running_matchmaker() as running,
        with_trunk(page_folder, running) as front,
        player(f"{player_url(front)}?app=*") as viewer,
    ):
        await viewer.receive("subscribeFailed")
        assert (await viewer.closed())[0] == 4206
        assert len(front.players.trunks) == 1


async def test_players_go_to_another_replica_when_theirs_shuts_down(page_folder: Path) -> None:
    store = MemoryFleetStore()
    async with (
        running_matchmaker(store) as one,
        running_matchmaker(store) as other,
        with_trunk(page_folder, one, other) as front,
    ):
        one.server.players.closing = True
        async with AsyncExitStack() as stack:
            for _ in range(4):
                await stack.enter_async_context(waiting(player_url(front)))
            assert (len(one.server.players), len(other.server.players)) == (0, 4)


async def test_a_player_that_its_trunk_refuses_gets_a_connection_of_its_own(
    page_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a load balancer the replica of the trunk may be full, and another one not."""

    def refuse(_: Trunks, trunk: AcceptedTrunk, number: int, __: RequestHead) -> None:
        trunk.refuse(number, 503, "the queue is full")

    async with running_matchmaker() as running, with_trunk(page_folder, running) as front:
        monkeypatch.setattr(Trunks, "_decide", refuse)
        async with waiting(player_url(front)):
            assert len(running.server.players) == 1
            assert len(front.players.trunks) == on_trunks(front) == 0


async def test_a_matchmaker_that_stops_closes_the_players_of_its_trunk_with_a_reconnect_code(page_folder: Path) -> None:
    async with AsyncExitStack() as stack:
        matches = AsyncExitStack()
        running = await matches.enter_async_context(running_matchmaker())
        front = await stack.enter_async_context(with_trunk(page_folder, running))
        viewer = await stack.enter_async_context(waiting(player_url(front)))
        await eventually(lambda: on_trunks(front) == 1, "the player waits on the trunk")
        closing = asyncio.create_task(matches.aclose())
        assert (await viewer.closed())[0] == 4005
        await closing
        await eventually(lambda: not front.players.trunks._open, "the trunk is closed")


async def test_players_of_legacy_servers_leave_the_trunk_to_others(page_folder: Path) -> None:
    async with running_matchmaker() as running, with_trunk(page_folder, running) as front:
        async with running_legacy_server(running) as legacy, player(player_url(front)) as viewer:
            await viewer.receive("config")
            (relayed,) = legacy.connected.values()
            await relayed.send("marker")
            await viewer.receive("marker")
            assert on_trunks(front) == 1
            assert len(front.players.trunks) == 0
            async with waiting(player_url(front)):
                assert on_trunks(front) == 1
        await eventually(lambda: not front.players.trunks._open, "the trunk is closed after its last player")


async def test_only_a_router_opens_a_trunk() -> None:
    forged = ClaimWriter(handover_key("x" * 32)).claim(0.0)
    async with running_matchmaker(session_key=KEY) as running:
        for claim in ("", forged):
            with pytest.raises(DialError) as refused:
                await dial(
                    running.player_url + TRUNK_TARGET, lambda _: None, trunk_bounds(5.0), headers={TRUNK_HEADER: claim}
                )
            assert refused.value.status == 403


async def test_a_matchmaker_that_knows_no_trunks_refuses_one_and_queues_nobody() -> None:
    """It ignores the header, as every matchmaker does without it."""
    async with running_matchmaker() as running, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(running.player_url + TRUNK_TARGET)
        assert refused.value.status == 400
        assert await running.sessions() == 0


async def test_a_router_that_breaks_the_rules_of_a_trunk_loses_it() -> None:
    claim = ClaimWriter(handover_key(KEY)).claim(0.0)
    async with (
        running_matchmaker(session_key=KEY) as running,
        aiohttp.ClientSession() as http,
        http.ws_connect(running.player_url + TRUNK_TARGET, headers={TRUNK_HEADER: claim}) as socket,
    ):
        await socket.send_bytes(b"\x01")
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 1002


async def test_players_on_a_trunk_count_for_their_own_addresses(page_folder: Path) -> None:
    async with (
        running_matchmaker(connections_per_address=1, trusted_proxies=1) as running,
        running_router(page_folder, running.player_url, trusted_proxies=1) as front,
        aiohttp.ClientSession() as http,
        waiting(player_url(front)),
    ):
        await eventually(lambda: len(front.players.trunks) == 1, "the router has a trunk")
        sockets = []
        for address, refused in (("198.51.100.7", False), ("198.51.100.8", False), ("198.51.100.7", True)):
            socket = await http.ws_connect(player_url(front), headers={"X-Forwarded-For": address})
            sockets.append(socket)
            message = await socket.receive()
            assert (message.type is aiohttp.WSMsgType.CLOSE) is refused
            assert socket.close_code == (close_codes.FULL.code if refused else None)
        assert len(front.players.trunks) == 1


async def test_a_balancer_before_the_matchmaker_counts_as_a_proxy_of_the_players_on_a_trunk() -> None:
    """It appends the router's address to the request for the trunk, as to each request for a player's connection."""
    claim, opened = ClaimWriter(handover_key(KEY)).claim(0.0), []
    balanced = {TRUNK_HEADER: claim, "X-Forwarded-For": "192.0.2.1"}

    def begin(socket: WebSocket) -> DialledTrunk:
        opened.append(DialledTrunk(socket, lambda _code, _reason: None))
        return opened[0]

    async with running_matchmaker(session_key=KEY, connections_per_address=1, trusted_proxies=2) as running:
        await dial(running.player_url + TRUNK_TARGET, begin, trunk_bounds(5.0), headers=balanced)
        (trunk,) = opened
        for address in ("198.51.100.7", "198.51.100.8"):
            await trunk.dial("/", lambda _: None, trunk_bounds(5.0), headers={"X-Forwarded-For": address})
        with pytest.raises(DialError) as refused:
            await trunk.dial("/", lambda _: None, trunk_bounds(5.0), headers={"X-Forwarded-For": "198.51.100.7"})
        assert refused.value.status == 429
        trunk.socket.abort()
