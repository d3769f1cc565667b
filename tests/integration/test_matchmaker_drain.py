"""The drain of a matchmaker: in a process of its own, and with players of two replicas."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from websockets.exceptions import InvalidStatus

from pixelfleet.fleet.memory import MemoryFleetStore
from tests.integration.matchmakers import running_legacy_server, running_matchmaker
from tests.integration.peers import SDP, player
from tests.parts import PATIENCE_SECONDS, eventually, free_ports, program
from tests.standins.cirrus import Cirrus

pytestmark = pytest.mark.integration


class Replica:
    """A matchmaker in a process of its own, with one legacy server."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, legacy: Cirrus) -> None:
        self.process = process
        self.port = port
        self.legacy = legacy
        self.url = f"ws://127.0.0.1:{port}"

    async def end(self) -> int:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.process.wait()


@asynccontextmanager
async def replica(*options: str, stderr: int = asyncio.subprocess.DEVNULL) -> AsyncIterator[Replica]:
    port, link = free_ports(2)
    arguments = ["--host", "127.0.0.1", "--port", str(port), "--legacy-port", str(link), "--metrics-port", "0"]
    command = (sys.executable, "-m", "pixelfleet_cli.cli", "matchmaker", *arguments, *options)
    async with program(*command, stderr=stderr) as process, aiohttp.ClientSession() as http:

        async def ready() -> bool:
            async with http.get(f"http://127.0.0.1:{port}/readyz") as answer:
                return answer.status == 200

        await eventually(ready, "the matchmaker is ready", tolerating=(aiohttp.ClientError,))
        async with running_legacy_server() as legacy:
            await legacy.connect(link)
            yield Replica(process, port, legacy)


async def test_a_drain_closes_waiting_players_at_once_and_lets_matched_players_finish() -> None:
    async with replica() as running, aiohttp.ClientSession() as http, player(running.url) as playing:
        await playing.receive("config")
        async with player(running.url) as waiting:
            await waiting.receive("matchmaker")
            running.process.send_signal(signal.SIGTERM)
            assert await waiting.closed() == (4005, "the server restarts")
        with pytest.raises(InvalidStatus) as late:
            async with player(running.url):
                pass
        assert late.value.response.status_code == 503
        async with http.get(f"http://127.0.0.1:{running.port}/readyz") as answer:
            assert (answer.status, (await answer.json())["status"]) == (503, "shutting down")
        await playing.send("offer", sdp=SDP)
        await playing.receive("answer")
        await playing.socket.close()
        assert await running.end() == 0
        await eventually(lambda: running.legacy.players == 0, "the legacy server is free")


async def test_remaining_players_are_closed_with_a_reconnect_code_after_the_grace_period() -> None:
    async with replica("--drain-seconds", "0.5") as running, player(running.url) as playing:
        await playing.receive("config")
        running.process.send_signal(signal.SIGTERM)
        assert await playing.closed() == (4005, "the server restarts")
        assert await running.end() == 0


async def test_a_second_signal_ends_the_drain_at_once() -> None:
    async with replica("--drain-seconds", "600") as running, player(running.url) as playing:
        await playing.receive("config")
        async with player(running.url) as waiting:
            await waiting.receive("matchmaker")
            running.process.send_signal(signal.SIGTERM)
            assert (await waiting.closed())[0] == 4005
        running.process.send_signal(signal.SIGTERM)
        assert await playing.closed() == (4005, "the server restarts")
        assert await running.end() == 1


async def test_a_player_closed_by_a_draining_replica_waits_at_the_other() -> None:
    store = MemoryFleetStore()
    async with (
        running_matchmaker(store) as first,
        running_matchmaker(store) as second,
        player(first.player_url) as waiting,
    ):
        await waiting.receive("matchmaker")
        await eventually(lambda: first.has_sessions(1), "it waits")
        drain = asyncio.create_task(first.server.drain())
        assert (await waiting.closed())[0] == 4005
        async with player(second.player_url) as again:
            await again.receive("matchmaker")
            await eventually(lambda: second.has_sessions(1), "the player waits at the other replica")
            async with running_legacy_server(second):
                await again.receive("config")
        async with asyncio.timeout(PATIENCE_SECONDS):
            await drain


async def series(http: aiohttp.ClientSession, port: int) -> dict[str, float]:
    """Return the time series that autoscalers read."""
    async with http.get(f"http://127.0.0.1:{port}/custom") as answer:
        lines = [line for line in (await answer.text()).splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


async def test_two_replicas_export_the_same_fleet_and_each_its_own_sockets() -> None:
    store = MemoryFleetStore()
    async with (
        running_matchmaker(store) as first,
        running_matchmaker(store) as second,
        aiohttp.ClientSession() as http,
        running_legacy_server(first),
        player(first.player_url) as playing,
        player(second.player_url),
    ):
        await playing.receive("config")

        async def agree() -> bool:
            seen = [await series(http, each.server.metrics_port) for each in (first, second)]
            own = {"matchmaker_player_socket_connections", "matchmaker_link_connections"}
            fleet = [{k: v for k, v in each.items() if k not in own and "oldest" not in k} for each in seen]
            return fleet[0] == fleet[1] and fleet[0].get("matchmaker_streamer_demand_ratio") == 2.0

        await eventually(agree, "both show two players for one streamer")
        for each, links in ((first, 1), (second, 0)):
            shown = await series(http, each.server.metrics_port)
            assert shown["matchmaker_player_socket_connections"] == 1
            assert shown["matchmaker_link_connections"] == links


async def is_refused(url: str) -> bool:
    """Return whether a player is refused with 503."""
    try:
        async with player(url):
            return False
    except InvalidStatus as error:
        return error.response.status_code == 503


@pytest.mark.parametrize("log_format", ["console", "json"])
async def test_a_full_device_for_the_log_affects_no_player(log_format: str) -> None:
    with Path("/dev/full").open("wb") as full:  # noqa: ASYNC230 - opening a device does not block
        options = ["--log-format", log_format, "--log-level", "debug"]
        async with replica(*options, stderr=full.fileno()) as running, player(running.url) as playing:
            await playing.receive("config")
            running.process.send_signal(signal.SIGTERM)
            await eventually(lambda: is_refused(running.url), "the drain refuses new players")
            await playing.socket.close()
            assert await running.end() == 0
