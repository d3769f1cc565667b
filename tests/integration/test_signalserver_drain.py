"""The drain of a signalling server, started over REST and by signals."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest
from websockets.exceptions import InvalidStatus

from tests.integration.peers import player, streamer
from tests.integration.signalservers import BEARER, TOKEN, running_signalserver
from tests.integration.test_cli import Process, pixelfleet
from tests.parts import PATIENCE_SECONDS, eventually, free_ports

pytestmark = pytest.mark.integration


async def test_a_drain_waits_for_the_last_player_and_not_the_first() -> None:
    async with (
        running_signalserver(rest_token=TOKEN, spread_seconds=0, drain_seconds=600) as running,
        AsyncExitStack() as stack,
    ):
        source = await stack.enter_async_context(streamer(running.streamer_url, "cam"))
        first = await stack.enter_async_context(player(running.player_url))
        async with player(running.player_url) as last:
            assert await running.ready() is None
            status, body = await running.ask("POST", "/api/drain")
            assert status == 202
            assert body["players"] == 2
            for viewer in (first, last):
                notice = await viewer.receive("sigterm")
                assert notice["message"] == "stream will shutdown"
                assert 500 < notice["secondsLeft"] <= 600
            waiting = asyncio.create_task(running.ask("GET", "/drain?wait=1"))
            await first.socket.close()
            await last.send("subscribe", streamerId="cam")
            assert (await source.receive("playerConnected"))["playerId"] == "102"
            assert await running.ready() == "draining"
            assert await running.metric("signalserver_draining") == 1
            assert not waiting.done()
        assert await waiting == (200, {"state": "drained", "players": 0})
        # The server remains, and serves everything but players.
        await source.send("ping")
        await source.receive("pong")
        with pytest.raises(InvalidStatus) as refused:
            async with player(running.player_url):
                pass
        assert refused.value.response.status_code == 503


async def test_players_are_accepted_during_the_spread() -> None:
    async with running_signalserver(rest_token=TOKEN, spread_seconds=30, drain_seconds=600) as running:
        assert await running.ask("GET", "/drain") == (200, {"state": "spreading", "players": 0})
        async with player(running.player_url) as late:
            assert (await late.receive_any())["type"] == "config"
            assert (await late.receive_any())["type"] == "sigterm"


async def test_players_are_closed_with_a_reconnect_code_after_the_grace_period() -> None:
    async with (
        running_signalserver(rest_token=TOKEN, spread_seconds=0, drain_seconds=0.3) as running,
        player(running.player_url) as viewer,
    ):
        # One player had not left.
        assert await running.ask("GET", "/drain?wait=1") == (200, {"state": "drained", "players": 1})
        assert await viewer.closed() == (4005, "the server restarts")


# -- by signals -------------------------------------------------------------------------------------


@asynccontextmanager
async def server(*options: str) -> AsyncIterator[tuple[Process, str, str]]:
    """Run the command; yield its process and the URLs for players and streamers."""
    ports = free_ports(4)
    names = ("--player-port", "--streamer-port", "--sfu-port", "--metrics-port")
    arguments = [text for name, port in zip(names, ports, strict=True) for text in (name, str(port))]
    async with pixelfleet("signalserver", "--host", "127.0.0.1", *arguments, *options) as process:
        async with aiohttp.ClientSession() as http:

            async def alive() -> bool:
                async with http.get(f"http://127.0.0.1:{ports[0]}/livez") as answer:
                    return answer.status == 200

            await eventually(alive, "the server answers", tolerating=(aiohttp.ClientError,))
        yield process, f"ws://127.0.0.1:{ports[0]}", f"ws://127.0.0.1:{ports[1]}"


async def ended(process: Process) -> tuple[int, str]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        _, output = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


async def test_sigterm_lets_the_players_finish() -> None:
    async with server("--spread-seconds", "0", "--drain-seconds", "600") as (process, players, streamers):
        async with streamer(streamers, "cam") as source, player(players) as viewer:
            await viewer.send("subscribe", streamerId="cam")
            await source.receive("playerConnected")
            process.send_signal(signal.SIGTERM)
            await viewer.receive("sigterm")
            await source.send("offer", sdp="v=0", playerId="101")
            await viewer.receive("offer")
            await viewer.socket.close()
            # The last player has left: the streamer is closed with a reconnect code.
            assert await source.closed() == (4005, "the server restarts")
        code, output = await ended(process)
    assert code == 0
    assert "Traceback" not in output


async def test_sigterm_closes_remaining_players_after_the_grace_period() -> None:
    async with (
        server("--spread-seconds", "0", "--drain-seconds", "0.5") as (process, players, _),
        player(players) as viewer,
    ):
        process.send_signal(signal.SIGTERM)
        assert await viewer.closed() == (4005, "the server restarts")
        code, output = await ended(process)
    assert code == 0
    assert "Traceback" not in output


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_ends_the_drain_at_once(second: signal.Signals) -> None:
    async with server("--drain-seconds", "600") as (process, players, streamers), streamer(streamers, "cam") as source:
        async with player(players) as viewer:
            process.send_signal(signal.SIGTERM)
            await viewer.receive("sigterm")
            process.send_signal(second)
            assert await viewer.closed() == (4005, "the server restarts")
            code, output = await ended(process)
        assert (await source.closed())[0] == 4005
    assert code == 1
    assert "Traceback" not in output


async def test_a_prestop_hook_returns_when_the_last_player_has_left_also_after_sigterm() -> None:
    async with server("--rest-token", TOKEN, "--spread-seconds", "0", "--drain-seconds", "600") as (
        process,
        players,
        _,
    ):
        url = players.replace("ws://", "http://") + "/drain?wait=1"
        asked = asyncio.Event()

        async def headers_sent(*_: object) -> None:
            asked.set()

        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(headers_sent)
        async with (
            player(players) as viewer,
            aiohttp.ClientSession(headers=BEARER, trace_configs=[trace]) as http,
        ):
            process.send_signal(signal.SIGTERM)
            await viewer.receive("sigterm")

            async def hook() -> tuple[int, str]:
                async with http.get(url) as answer:
                    return answer.status, await answer.text()

            waiting = asyncio.create_task(hook())
            await asked.wait()
            for _ in range(
                10
            ):  # each answer is a turn of the server's loop: the request has been read after a few of them
                await viewer.send("ping")
                await viewer.receive("pong")
            await viewer.socket.close()
            assert await waiting == (200, '{"state":"drained","players":0}')
        assert (await ended(process))[0] == 0
