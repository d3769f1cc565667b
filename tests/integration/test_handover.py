"""A matched player moves from its matchmaker to its signalling server, and nothing but its matchmaker can move it."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr
from websockets.asyncio.server import ServerConnection, serve

import pixelfleet.net.dial
import router.app
import router.player
import router.settings
from benchmarks.matching.processes import matchmakers
from pixelfleet.fleet import handover
from pixelfleet.fleet.handover import CLAIM_HEADER, Destination, handover_key
from pixelfleet.fleet.memory import MemoryFleetStore
from pixelfleet.fleet.model import ServerReport, StreamerReport
from pixelfleet.fleet.open import open_store
from pixelfleet.net.dial import DialError
from tests.integration.conftest import Chain, running_chain
from tests.integration.matchmakers import running_legacy_server, running_matchmaker
from tests.integration.operators import BEARER, TOKEN
from tests.integration.peers import SDP, Peer, negotiate, player, streamer
from tests.integration.signalservers import running_signalserver
from tests.parts import eventually, free_ports, require_part

pytestmark = pytest.mark.integration

KEY = "k" * 32
CANDIDATE = {"candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0}


async def exchange(viewer: Peer, source: Peer, player_id: str) -> None:
    """Assert that messages pass in both directions."""
    await viewer.send("iceCandidate", candidate=CANDIDATE)
    assert (await source.receive("iceCandidate"))["playerId"] == player_id
    await source.send("iceCandidate", candidate=CANDIDATE, playerId=player_id)
    await viewer.receive("iceCandidate")


@asynccontextmanager
async def running_router(page: Path, *urls: str, **settings: Any) -> AsyncIterator[router.app.Router]:
    """Run a router in front of these matchmakers, by default with the session key."""
    values = {"port": 0, "metrics_port": 0, "page": page, "matchmaker": list(urls), "session_key": KEY, **settings}
    async with router.app.running(router.settings.Settings(host="127.0.0.1", **values)) as front:
        yield front


async def is_relayed(chain: Chain, name: str = "default") -> bool:
    """Play through a chain, and return whether the player is still connected to the matchmaker."""
    async with streamer(chain.streamer_url, "cam") as source, player(chain.player_url) as viewer:
        player_id = await negotiate(viewer, source, name)
        await exchange(viewer, source, player_id)
        return len(chain.matches.players) == 1


# -- the normal case --------------------------------------------------------------------------------


async def test_a_playing_player_has_no_connection_to_a_matchmaker(chain: Chain) -> None:
    async with streamer(chain.streamer_url, "cam") as source, player(chain.player_url) as viewer:
        player_id = await negotiate(viewer, source, "default")
        await eventually(lambda: not chain.matches.players, "the matchmaker has no player")
        assert len(chain.entry.players) == 1
        assert not chain.matches.broker.has_pending_work
        assert [target.connections for target in chain.entry.matchmakers.pool.targets()] == [0]
        await exchange(viewer, source, player_id)


async def test_a_killed_matchmaker_is_not_noticed_by_those_who_play(page_folder: Path) -> None:
    require_part("redis-server")
    async with AsyncExitStack() as stack:
        replicas = await stack.enter_async_context(matchmakers(2, "--session-key", KEY))
        store = await stack.enter_async_context(open_store(replicas.redis_url))
        pod = await stack.enter_async_context(
            running_signalserver(store, session_key=SecretStr(KEY), require_session=True)
        )
        urls = [f"ws://127.0.0.1:{replica.facts['port']}" for replica in replicas.replicas]
        front = await stack.enter_async_context(running_router(page_folder, *urls))
        await front.matchmakers.found.wait()
        playing = []
        for name in ("one", "two"):  # one by each replica: the router takes them in turn
            source = await stack.enter_async_context(streamer(pod.streamer_url, name))
            viewer = await stack.enter_async_context(player(f"ws://127.0.0.1:{front.port}/ws"))
            playing.append((viewer, source, await negotiate(viewer, source, "default")))
        targets = front.matchmakers.pool.targets()
        await eventually(lambda: [target.connections for target in targets] == [0, 0], "both are handed over")
        for replica in replicas.replicas:
            replica.signal(signal.SIGKILL)
        for viewer, source, player_id in playing:
            await exchange(viewer, source, player_id)
        sessions = (await store.snapshot()).streamers
        assert sorted(len(view.report.sessions) for view in sessions) == [1, 1]


async def test_a_drained_matchmaker_does_not_wait_for_those_who_play(chain: Chain) -> None:
    async with streamer(chain.streamer_url, "cam") as source, player(chain.player_url) as viewer:
        player_id = await negotiate(viewer, source, "default")
        await eventually(lambda: not chain.matches.players, "the player is handed over")
        drain = chain.matches.draining
        drain._spread_seconds = 0.0
        async with asyncio.timeout(drain.seconds_left + drain._grace_seconds / 2):
            await chain.matches.drain()
        await exchange(viewer, source, player_id)


async def test_a_router_that_stops_closes_its_players_with_a_reconnect_code(page_folder: Path) -> None:
    async with AsyncExitStack() as stack, running_chain(page_folder) as chain:
        source = await stack.enter_async_context(streamer(chain.streamer_url, "cam"))
        viewer = await stack.enter_async_context(player(chain.player_url))
        await negotiate(viewer, source, "default")
        chain.entry.players.close_all()
        assert await viewer.closed() == (4005, "the server restarts")
        await source.receive("playerDisconnected")


async def test_an_operator_ends_a_session_that_was_handed_over(page_folder: Path) -> None:
    async with (
        running_chain(page_folder, matches={"rest_token": TOKEN}) as chain,
        streamer(chain.streamer_url, "cam") as source,
        player(chain.player_url) as viewer,
        aiohttp.ClientSession(f"http://127.0.0.1:{chain.matches.port}", headers=BEARER) as http,
    ):
        await negotiate(viewer, source, "default")

        async def sessions() -> list[Any]:
            async with http.get("/api/v1/sessions") as answer:
                return [each for each in (await answer.json())["items"] if each["state"] == "held"]

        (session,) = await eventually(sessions, "the server has reported the session")
        async with http.delete(f"/api/v1/sessions/{session['id']}") as answer:
            assert answer.status < 300
        assert (await viewer.closed())[0] == 4201


# -- failures ---------------------------------------------------------------------------------------


async def test_after_a_failed_dial_a_player_keeps_its_place(page_folder: Path) -> None:
    store = MemoryFleetStore()
    (dead,) = free_ports(1)
    async with (
        running_chain(page_folder, store) as chain,
        player(chain.player_url) as first,
    ):
        await eventually(lambda: chain.matches.queue == 1, "the first player waits")
        async with player(chain.player_url) as second:
            await eventually(lambda: chain.matches.queue == 2, "the second player waits")
            await first.send("listStreamers")
            report = StreamerReport(server_id="dead", endpoint_id="cam", app="default", url=f"ws://127.0.0.1:{dead}")
            await store.report(ServerReport(server_id="dead", sequence=1, streamers=(report,)))
            while (await first.receive("matchmaker"))[
                "detail"
            ] != "The streamer cannot be reached; waiting for another":
                pass
            await store.report(ServerReport(server_id="dead", sequence=2, streamers=()))
            async with streamer(chain.streamer_url, "cam"):
                await first.receive("config")
                assert (await first.receive("streamerList"))["ids"] == ["default"]
                assert (await second.receive("matchmaker"))["queued"] is True


async def test_a_router_without_a_route_to_the_server_is_relayed(
    page_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dial = pixelfleet.net.dial.dial

    async def blocked(url: str, *arguments: Any, **options: Any) -> Any:
        if "session=" in url:
            raise DialError("no answer in time")
        return await dial(url, *arguments, **options)

    monkeypatch.setattr(router.player, "dial", blocked)
    async with running_chain(page_folder) as chain:
        assert await is_relayed(chain)


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param({"session_key": None}, id="a router without handovers"),
        pytest.param({"session_key": "x" * 32}, id="a router with another key"),
    ],
)
async def test_a_router_that_cannot_take_over_is_relayed(page_folder: Path, entry: dict[str, Any]) -> None:
    async with running_chain(page_folder, entry=entry) as chain:
        assert await is_relayed(chain)


async def test_a_matchmaker_without_handovers_relays(page_folder: Path) -> None:
    async with running_chain(
        page_folder, signals={"session_key": None, "require_session": False}, matches={"session_key": None}
    ) as chain:
        assert await is_relayed(chain, "cam")


# -- forgeries --------------------------------------------------------------------------------------


@dataclass
class Trap:
    """A server to which a forged handover would lead."""

    port: int = 0
    dialled: int = 0
    sockets: list[ServerConnection] = field(default_factory=list)

    def forgeries(self) -> list[bytes]:
        """Return control messages that are as good as those of a matchmaker, and some of a router."""
        stolen = handover.sign(Destination(f"ws://127.0.0.1:{self.port}/", "a" * 32), handover_key(KEY))
        messages: list[handover.Order | handover.Answer] = [
            handover.Hold(),
            handover.Handover(stolen),
            handover.Relay(),
            handover.Arrived(0.1),
            handover.failed(0, "lost"),
        ]
        return [handover.encode(each) for each in messages]


@pytest.fixture
async def trap() -> AsyncIterator[Trap]:
    made = Trap()

    async def count(_: ServerConnection) -> None:
        made.dialled += 1

    async with serve(count, "127.0.0.1", 0) as server:
        made.port = next(iter(server.sockets)).getsockname()[1]
        yield made


FORGERY_CHAIN: dict[str, Any] = {part: {"session_key": SecretStr(KEY)} for part in ("signals", "matches", "entry")}


async def test_a_player_cannot_move_itself(page_folder: Path, trap: Trap) -> None:
    async with running_chain(page_folder, **FORGERY_CHAIN) as chain, player(chain.player_url) as viewer:
        await eventually(lambda: chain.matches.queue == 1, "the player waits")
        for forged in trap.forgeries():
            await viewer.socket.send(forged)
            await viewer.socket.send(forged.decode())
        await viewer.send("ping", time=1)
        await viewer.receive("pong")
        assert chain.matches.queue == 1
        async with streamer(chain.streamer_url, "cam") as source:
            player_id = await negotiate(viewer, source, "default")
            for forged in trap.forgeries():
                await viewer.socket.send(forged)
            await exchange(viewer, source, player_id)
    assert trap.dialled == 0


async def test_a_streamer_cannot_move_its_player(page_folder: Path, trap: Trap) -> None:
    async with (
        running_chain(page_folder, **FORGERY_CHAIN) as chain,
        streamer(chain.streamer_url, "cam") as source,
        player(chain.player_url) as viewer,
    ):
        player_id = await negotiate(viewer, source, "default")
        for forged in trap.forgeries():
            addressed = forged.replace(b"{", b'{"playerId":"%s",' % player_id.encode(), 1)
            await source.socket.send(addressed)
            await source.socket.send(addressed.decode())
        await exchange(viewer, source, player_id)
    assert trap.dialled == 0


@pytest.mark.parametrize("code", [1000, 3000, 4000, 4005])
async def test_a_legacy_server_cannot_move_its_player(page_folder: Path, trap: Trap, code: int) -> None:
    async with (
        running_matchmaker(session_key=KEY) as running,
        running_legacy_server(running) as legacy,
        running_router(page_folder, running.player_url) as front,
        player(f"ws://127.0.0.1:{front.port}/ws") as viewer,
    ):
        await viewer.receive("config")
        (relayed,) = legacy.connected.values()
        for forged in trap.forgeries():
            await relayed.socket.send(forged)
            await relayed.socket.send(forged.decode())
        await relayed.send("marker")
        await viewer.receive("marker")
        await viewer.send("offer", sdp=SDP)
        await viewer.receive("answer")
        await relayed.socket.close(code, trap.forgeries()[1].decode()[:100])
        await viewer.closed()
    assert trap.dialled == 0


async def test_a_server_in_place_of_a_matchmaker_cannot_move_a_player(page_folder: Path, trap: Trap) -> None:
    forged = handover.sign(Destination(f"ws://127.0.0.1:{trap.port}/", "a" * 32), handover_key("x" * 32))
    claims: list[str | None] = []

    async def imitate(socket: ServerConnection) -> None:
        assert socket.request is not None
        claims.append(socket.request.headers.get(CLAIM_HEADER))
        await socket.send(handover.encode(handover.Hold()))
        await socket.send(handover.encode(handover.Handover(forged)))
        answer = handover.read_answer(await socket.recv(decode=False))
        assert isinstance(answer, handover.Failed)
        await socket.send('{"type":"refused"}')
        await socket.wait_closed()

    async with serve(imitate, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with (
            running_router(page_folder, f"ws://127.0.0.1:{port}") as front,
            player(f"ws://127.0.0.1:{front.port}/ws") as viewer,
        ):
            await viewer.receive("refused")
    assert claims != [None]
    assert trap.dialled == 0


async def test_a_client_of_a_matchmaker_that_claims_to_be_a_router_is_relayed(trap: Trap) -> None:
    claim = handover.ClaimWriter(handover_key("x" * 32)).claim(0.0)
    store = MemoryFleetStore()
    async with (
        running_matchmaker(store, session_key=KEY) as running,
        running_signalserver(store, session_key=SecretStr(KEY), require_session=True) as pod,
        streamer(pod.streamer_url, "cam") as source,
        aiohttp.ClientSession() as http,
        http.ws_connect(running.player_url, headers={CLAIM_HEADER: claim}) as socket,
    ):
        await socket.send_bytes(handover.encode(handover.failed(0, "lost")))
        kinds = [(await socket.receive_json())["type"] for _ in range(3)]
        assert kinds == ["matchmaker", "matchmaker", "config"]
        assert len(running.server.players) == 1
        assert source.socket.close_code is None
