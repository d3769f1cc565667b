"""The commands as a user runs them: how they start, fail and end."""

import asyncio
import signal
import socket
import sys
from contextlib import AbstractAsyncContextManager

import aiohttp
import pytest

from tests.parts import PATIENCE_SECONDS, eventually, free_port, free_ports, program

pytestmark = pytest.mark.integration

Process = asyncio.subprocess.Process


def pixelfleet(*arguments: str) -> AbstractAsyncContextManager[Process]:
    return program(sys.executable, "-m", "pixelfleet_cli.cli", *arguments)


async def outcome(*arguments: str) -> tuple[int, str]:
    """Return the exit code and the stderr of a command that should exit without a signal."""
    async with pixelfleet(*arguments) as process, asyncio.timeout(PATIENCE_SECONDS):
        _, stderr = await process.communicate()
        assert process.returncode is not None
        return process.returncode, stderr.decode()


@pytest.mark.parametrize(
    ("command", "option", "others"),
    [
        ("signalserver", "--player-port", ("--streamer-port", "--sfu-port", "--metrics-port")),
        ("matchmaker", "--port", ("--legacy-port", "--metrics-port")),
        ("router", "--port", ("--metrics-port",)),
        ("demo", "--port", ("--streamer-port",)),
    ],
)
async def test_a_taken_port_is_named_in_one_line(command: str, option: str, others: tuple[str, ...]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        free = [word for other in others for word in (other, "0")]
        code, output = await outcome(command, "--host", "127.0.0.1", option, port, *free)
    assert code == 2
    assert output.count("\n") == 1
    assert f"{option} {port}" in output
    assert "taken" in output


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["signalserver", "--no-such-option"], "--no-such-option"),
        (["signalserver", "--player-port", "many"], "--player-port"),
        (["matchmaker", "--port", "70000"], "--port"),
        (["router", "--config", "missing.json"], "missing.json"),
        (["demo", "--streamers", "-1"], "--streamers"),
        (["turn-api", "--server", "192.0.2.1"], "--secret"),
        (["turn-api", "--secret", "0123456789abcdef", "--servers-file", "missing.json"], "missing.json"),
        (["turn-check", "--file", "missing.json"], "missing.json"),
        (["nonsense"], "nonsense"),
    ],
)
async def test_a_wrong_option_is_named_in_one_line(arguments: list[str], named: str) -> None:
    code, output = await outcome(*arguments)
    assert code == 2
    assert output.count("\n") == 1
    assert named in output


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
async def test_the_demo_prints_its_address_and_stops_on_a_signal(ending: signal.Signals) -> None:
    port = free_port()
    async with pixelfleet("demo", "--port", str(port), "--streamer-port", "0") as process:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while f"http://localhost:{port}/" not in (line := (await process.stdout.readline()).decode()):
                assert line, "the demo ended before it printed its address"
        process.send_signal(ending)
        async with asyncio.timeout(PATIENCE_SECONDS):
            _, stderr = await process.communicate()
        assert process.returncode == 0
        assert "Traceback" not in stderr.decode()


async def test_each_service_starts_alone_and_stops_gracefully() -> None:
    ports = free_ports(5)
    arguments = ["--host", "127.0.0.1", "--player-port", str(ports[0]), "--streamer-port", str(ports[1])]
    arguments += ["--sfu-port", str(ports[2]), "--metrics-port", str(ports[3])]
    async with pixelfleet("signalserver", *arguments) as process, aiohttp.ClientSession() as http:

        async def alive() -> bool:
            async with http.get(f"http://127.0.0.1:{ports[0]}/livez") as answer:
                return answer.status == 200

        await eventually(alive, "the signalserver answers", tolerating=(aiohttp.ClientError,))
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await process.wait()
        assert process.returncode == 0
