"""Command lines and config files that were written for older servers start this one."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.integration.peers import player, streamer
from tests.integration.test_cli import pixelfleet
from tests.parts import PATIENCE_SECONDS, eventually, free_ports
from tests.reference import CIRRUS_JSON

pytestmark = pytest.mark.integration


@asynccontextmanager
async def started(port: int, *options: str) -> AsyncIterator[list[str]]:
    """Run the command until the block ends; the list then has the lines of its stderr."""
    output: list[str] = []
    async with pixelfleet("signalserver", *options, "--spread-seconds", "0") as process:
        async with aiohttp.ClientSession() as http:

            async def alive() -> bool:
                async with http.get(f"http://127.0.0.1:{port}/livez") as answer:
                    return answer.status == 200

            await eventually(alive, "the server answers", tolerating=(aiohttp.ClientError,))
        yield output
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_SECONDS):
            _, stderr = await process.communicate()
        assert process.returncode == 0
        output.extend(stderr.decode().splitlines())


async def conversed(player_port: int, streamer_port: int) -> None:
    async with (
        streamer(f"ws://127.0.0.1:{streamer_port}", "cam") as source,
        player(f"ws://127.0.0.1:{player_port}") as viewer,
    ):
        config = await viewer.receive("config")
        assert config["peerConnectionOptions"] == {"iceServers": [{"urls": ["stun:127.0.0.1:3478"]}]}
        await viewer.send("subscribe", streamerId="cam")
        await source.receive("playerConnected")


PEER_OPTIONS = '{ "iceServers": [{"urls": ["stun:127.0.0.1:3478"]}] }'


async def test_a_config_of_cirrus_with_the_arguments_of_a_manifest_is_accepted(tmp_path: Path) -> None:
    players, streamers, sfus, metrics = free_ports(4)
    file = tmp_path / "cirrus.json"
    keys = {
        **{key: value for key, value in CIRRUS_JSON.items() if not key.startswith("HTTPS")},
        "MatchmakerPort": 9999,
        "StreamerPort": streamers,
        "SFUPort": sfus,
        "peerConnectionOptions": PEER_OPTIONS,
    }
    await asyncio.to_thread(file.write_text, json.dumps(keys))
    options = [f"--configFile={file}", f"--httpPort={players}", f"--metricsPort={metrics}", "--dialect=auto"]
    async with started(players, *options) as output:
        await conversed(players, streamers)
    assert not [line for line in output if "pixelfleet: " in line]


async def test_the_arguments_of_wilbur_are_accepted() -> None:
    players, streamers, sfus, metrics = free_ports(4)
    options = ["--player_port", str(players), f"--streamer_port={streamers}", "--sfu_port", str(sfus)]
    options += ["--max_players", "3", "--rest_api", "--log_level_console", "info", "--peer_options", PEER_OPTIONS]
    options += ["--console_messages", "verbose", "--metrics-port", str(metrics)]
    async with started(players, *options) as output:
        await conversed(players, streamers)
        async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{players}/api/config") as answer:
            config = (await answer.json())["config"]
        assert config["max_players_per_streamer"] == 3
    (warning,) = [line for line in output if "pixelfleet: " in line]
    assert warning.startswith("pixelfleet: warning: --console_messages: ")


async def test_a_removed_security_option_prevents_the_start_and_its_value_is_not_printed() -> None:
    async with pixelfleet("signalserver", "--player_token", "hush") as process, asyncio.timeout(PATIENCE_SECONDS):
        _, stderr = await process.communicate()
        assert process.returncode == 2
        assert "--player_token" in stderr.decode()
        assert "hush" not in stderr.decode()
