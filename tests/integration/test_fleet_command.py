"""`pixelfleet fleet` against a running matchmaker."""

import asyncio
import os
import sys

import orjson
import pytest

from tests.integration.matchmakers import RunningMatchmaker, running_matchmaker
from tests.integration.operators import TOKEN
from tests.integration.peers import player
from tests.parts import PATIENCE_SECONDS, eventually, program

pytestmark = pytest.mark.integration


async def fleet(matchmaker: RunningMatchmaker, *arguments: str, token: str = TOKEN) -> tuple[int | None, str, str]:
    """Run the command; return its exit code, stdout and stderr."""
    env = {**os.environ, "PIXELFLEET_FLEET_URL": matchmaker.rest_url, "PIXELFLEET_FLEET_TOKEN": token}
    async with (
        program(sys.executable, "-m", "pixelfleet_cli.cli", "fleet", *arguments, env=env) as process,
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_an_operator_lists_the_fleet_drains_a_streamer_and_ends_a_session() -> None:
    async with running_matchmaker() as matchmaker:
        await matchmaker.report(1, app="car", node="node-7")
        async with player(matchmaker.player_url) as viewer:
            await viewer.receive("matchmaker")
            await eventually(lambda: matchmaker.has_sessions(1), "it waits")
            code, out, err = await fleet(matchmaker, "ls")
            assert (code, err) == (0, "")
            assert all(word in out for word in ("s00001/cam", "car", "free", "0/1", "node-7"))
            code, out, _ = await fleet(matchmaker, "ls", "apps")
            assert code == 0
            assert "default" in out
            code, out, _ = await fleet(matchmaker, "ls", "queue", "--json")
            (waiting,) = orjson.loads(out)["items"]
            assert (code, waiting["position"]) == (0, 1)
            assert await fleet(matchmaker, "drain", "s00001/cam") == (0, "s00001/cam: draining\n", "")
            assert await fleet(matchmaker, "undrain", "cam") == (0, "s00001/cam: free\n", "")
            code, _, err = await fleet(matchmaker, "extend", waiting["id"])
            assert (code, err.endswith("no such session (404)\n")) == (2, True)  # it waits
            assert await fleet(matchmaker, "kick", waiting["id"]) == (0, f"{waiting['id']}: ending\n", "")
            assert (await viewer.closed())[0] == 4201
        await matchmaker.report(2, sessions=("playing",))
        extend = await fleet(matchmaker, "extend", "playing", "--seconds", "900")
        assert extend == (0, "playing: extending\n", "")
        code, out, err = await fleet(matchmaker, "kick", "nobody")
        assert (code, out) == (2, "")
        assert err == "pixelfleet: DELETE /api/v1/sessions/nobody: no such session (404)\n"
        code, _, err = await fleet(matchmaker, "ls", token="wrong")
        assert (code, err) == (2, "pixelfleet: GET /api/v1/streamers: a bearer token is needed (401)\n")
