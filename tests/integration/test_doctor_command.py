"""`pixelfleet doctor` as a program, against services as programs on a real Redis."""

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import orjson
import pytest

from pixelfleet_cli.health import is_alive
from tests.integration.conftest import Chain
from tests.integration.peers import streamer
from tests.parts import PATIENCE_SECONDS, eventually, free_ports, program
from tests.unit.pixelfleet.fleet.redis_servers import redis_server

pytestmark = pytest.mark.integration


async def doctor(*arguments: str) -> tuple[int | None, str, str]:
    """Run the command on 80 columns without a terminal; return its exit code, stdout and stderr."""
    command = (sys.executable, "-m", "pixelfleet_cli.cli", "doctor", *arguments)
    async with program(*command, env={**os.environ, "COLUMNS": "80"}) as process, asyncio.timeout(PATIENCE_SECONDS):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


@asynccontextmanager
async def services(page: Path, folder: Path) -> AsyncIterator[tuple[str, str]]:
    """Run router, matchmaker and signalserver as programs; yield the URLs of the page and for streamers."""
    router, matchmaker, players, streamers, *others = map(str, free_ports(9))
    token, key = folder / "rest-token", folder / "session-key"
    token.write_text(secrets.token_hex(16))
    key.write_text(secrets.token_hex(32))
    with redis_server(folder) as redis:
        shared = ("--host", "127.0.0.1", "--redis-url", redis.url, "--session-key-file", str(key))
        commands = (
            ("signalserver", "--player-port", players, "--streamer-port", streamers, "--sfu-port", others[0],
             "--metrics-port", others[1], "--require-session", *shared),
            ("matchmaker", "--port", matchmaker, "--metrics-port", others[2], "--rest-token-file", str(token), *shared),
            ("router", "--host", "127.0.0.1", "--port", router, "--metrics-port", others[3], "--page", str(page),
             "--matchmaker", f"ws://127.0.0.1:{matchmaker}"),
        )  # fmt: skip
        async with AsyncExitStack() as stack:
            for command in commands:
                await stack.enter_async_context(program(sys.executable, "-m", "pixelfleet_cli.cli", *command))
            url = f"http://127.0.0.1:{router}/"
            await eventually(lambda: asyncio.to_thread(is_alive, f"{url}readyz"), "the router is ready")
            for name, address in (("matchmaker", f"{matchmaker}/readyz"), ("signalserver", f"{others[1]}/livez")):
                probe = partial(asyncio.to_thread, is_alive, f"http://127.0.0.1:{address}")
                await eventually(probe, f"the {name} answers")
            yield url, f"ws://127.0.0.1:{streamers}"


async def test_the_doctor_reports_a_fleet_of_programs(page_folder: Path, tmp_path: Path) -> None:
    token = ("--token-file", str(tmp_path / "rest-token"))
    async with services(page_folder, tmp_path) as (url, streamers):
        code, out, err = await doctor(url)
        assert (code, err) == (0, "")
        assert out.startswith(f"{url}\n\n")
        assert "  ✓ websocket    opened, the server sends matchmaker\n" in out
        assert out.endswith("\nNo errors and no warnings.\n")
        assert "\x1b" not in out
        assert max(map(len, out.splitlines())) <= 80

        code, out, err = await doctor(url, *token)
        assert (code, err) == (2, "")
        assert "  ✗ streamers    0 ready, 0 free, 0 waiting\n" in out
        assert "no-streamer: " in out
        assert "Next: Start the application" in out
        assert out.endswith("\n1 error\n")

        async with streamer(streamers, "cam"):

            async def has_streamer() -> bool:
                code, out, _ = await doctor(url, *token, "--json", "--seconds", "3")
                checks = {check["name"]: check for check in orjson.loads(out)["checks"]}
                assert orjson.loads(out)["exitCode"] == code
                return bool(checks["streamers"]["severity"] == "ok" and checks["offer"]["findings"])

            await eventually(has_streamer, "the streamer is listed, and joined")


async def test_an_interrupted_command_has_printed_the_lines_until_then(chain: Chain) -> None:
    command = (sys.executable, "-m", "pixelfleet_cli.cli", "doctor", chain.page_url, "--idle", "3600")
    async with program(*command) as process, asyncio.timeout(PATIENCE_SECONDS):
        assert process.stdout is not None
        while not (await process.stdout.readline()).startswith(b"  - turn "):
            pass
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
    assert (process.returncode, err) == (130, b"")


async def test_a_page_that_does_not_answer_is_short(tmp_path: Path) -> None:
    [port] = free_ports(1)
    code, out, err = await doctor(f"http://127.0.0.1:{port}/")
    assert (code, err) == (2, "")
    assert "  - not checked  certificate, page, clock, streamers, websocket, offer, idle\n" in out
    assert "(connection failed)" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["ftp://x/"], "URL: must be"),
        (["play.example"], "URL: must be"),
        (["http://[s3cret/"], "URL: is not a valid URL"),
        (["http://x:99999/"], "URL: is not a valid URL"),
        (["http://x/", "http://y/"], "more arguments"),
        (["--idle", "-1"], "--idle"),
        (["--seconds", "0"], "--seconds"),
        (["--token-file", "missing"], "--token-file missing"),
        (["--tls-ca", "missing"], "--tls-ca missing"),
        (["--turn-url", "turn.example"], "--turn-url: must be"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
async def test_an_invalid_argument_is_named_in_one_line(arguments: list[str], named: str) -> None:
    code, out, err = await doctor(*arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert named in err
    assert "s3cret" not in err
