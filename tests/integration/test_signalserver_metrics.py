"""The metrics of a signalling server as Prometheus scrapes them."""

import asyncio

import aiohttp
import pytest

import signalserver.app
from signalserver.settings import Settings
from tests.integration.peers import SDP, player, streamer
from tests.parts import PATIENCE_SECONDS, SIGNALSERVER_ON_FREE_PORTS, program, require_part
from tests.reference import GAUGES

pytestmark = pytest.mark.integration


async def scrape(port: int, path: str) -> str:
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}{path}") as answer:
        assert answer.status == 200
        return await answer.text()


async def test_promtool_accepts_the_metrics_of_a_running_server() -> None:
    promtool = require_part("promtool")
    settings = Settings(**SIGNALSERVER_ON_FREE_PORTS)
    async with (
        signalserver.app.running(settings) as server,
        streamer(f"ws://127.0.0.1:{server.streamer_port}", "cam") as source,
        player(f"ws://127.0.0.1:{server.player_port}") as viewer,
    ):
        await viewer.send("offer", sdp=SDP)
        player_id = (await source.receive("offer"))["playerId"]
        await source.send("answer", sdp=SDP, playerId=player_id)
        await viewer.receive("answer")
        await viewer.send("dance")
        await viewer.send("stats", data='{"path": "relayed"}')
        await viewer.send("stats", data='{"path": "relayed"}')
        await viewer.send("stats", data="frames: 7")
        await viewer.send("ping")
        await viewer.receive("pong")
        custom = await scrape(server.metrics_port, "/custom")
        everything = await scrape(server.metrics_port, "/metrics")
    names = {line.split()[2] for line in custom.splitlines() if line.startswith("# TYPE")}
    assert names == GAUGES
    for series in (
        'signalserver_messages_received_total{role="player",type="offer"} 1.0',
        'signalserver_messages_sent_total{type="answer"} 1.0',
        'signalserver_messages_dropped_total{role="player",type="unknown"} 1.0',
        "signalserver_relay_seconds_count 1.0",
        'signalserver_video_paths_total{path="relayed"} 1.0',
        'signalserver_video_paths_total{path="none"} 0.0',
        "signalserver_application_stuck 0.0",
    ):
        assert series in everything
    pipes = {"stdin": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.STDOUT}
    async with program(promtool, "check", "metrics", **pipes) as checker, asyncio.timeout(PATIENCE_SECONDS):
        output, _ = await checker.communicate(everything.encode())
    assert (checker.returncode, output.decode()) == (0, "")
