"""The limits of a session, with real sockets."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from pixelfleet.fleet.tokens import SessionToken, sign
from tests.integration.operators import TOKEN
from tests.integration.peers import Peer, negotiate, player, streamer
from tests.integration.signalservers import RunningSignalserver, running_signalserver
from tests.parts import eventually

pytestmark = pytest.mark.integration

KEY = "k" * 32


@pytest.fixture
async def running(request: pytest.FixtureRequest) -> AsyncIterator[RunningSignalserver]:
    """A server with the settings that a test gives as a parameter."""
    fixed: dict[str, Any] = {"session_key": KEY, "require_session": True, "server_id": "pod-1", "rest_token": TOKEN}
    async with running_signalserver(**fixed, **request.param) as made:
        yield made


def settings(**chosen: Any) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("running", [chosen], indirect=True)


def url(running: RunningSignalserver, query: str) -> str:
    ticket = sign(SessionToken("session-1", "pod-1", "cam", "game"), KEY)
    return f"{running.player_url}/?session={ticket}{query}"


async def the_player(running: RunningSignalserver) -> dict[str, Any]:
    status, (found,) = await running.ask("GET", "/api/players")
    assert status == 200
    return dict(found)


async def warning(viewer: Peer) -> dict[str, Any]:
    while "limit" not in (message := await viewer.receive("sessionLimit")):
        pass
    return message


@settings(session_seconds=3, warn_seconds=60)
async def test_a_session_is_warned_of_its_end_and_ends_for_good(running: RunningSignalserver) -> None:
    async with (
        streamer(running.streamer_url, "cam") as source,
        player(url(running, "&resume=1")) as viewer,
    ):
        token = (await viewer.receive("session"))["token"]
        player_id = await negotiate(viewer, source, "game")
        message = await warning(viewer)
        assert message["limit"] == "time"
        assert 0 < message["remaining"] <= 3
        assert (await viewer.receive("subscribeFailed"))["message"] == "the time of this session is over"
        assert await viewer.closed() == (4209, "the time of this session is over")
        assert (await source.receive("playerDisconnected"))["playerId"] == player_id
        async with player(f"{running.player_url}/?resume={token}&received=3") as back:
            assert await back.closed() == (4209, "the time of this session is over")

    async def counted() -> bool:
        return await running.metric('pixelfleet_sessions_limited_total{limit="time"}') == 1

    await eventually(counted, "the end is counted")
    assert await running.metric('signalserver_closes_total{reason="time_over",role="player"}') >= 1


@settings(session_seconds=600, idle_seconds=500, warn_seconds=550)
async def test_an_operator_extends_a_session_and_sees_its_end(running: RunningSignalserver) -> None:
    async with streamer(running.streamer_url, "cam") as source, player(url(running, "&resume=1")) as viewer:
        player_id = await negotiate(viewer, source, "game")
        assert (await warning(viewer))["limit"] == "idle"
        before = await the_player(running)
        assert before["limit"] == "idle"
        assert time.time() < before["endsAt"] <= time.time() + 500
        assert before["idleSeconds"] > 0
        await viewer.send("activity", idle=0)
        status, body = await running.ask("POST", f"/api/players/{player_id}/extend?seconds=3600")
        assert (status, body) == (200, {"playerId": player_id, "seconds": 3600.0})
        assert (await the_player(running))["endsAt"] > before["endsAt"]
        for wrong in ("", "0", "-1", "nan", "86401", "soon"):
            assert (await running.ask("POST", f"/api/players/{player_id}/extend?seconds={wrong}"))[0] == 400
        assert (await running.ask("POST", "/api/players/none/extend?seconds=60"))[0] == 404
        assert (await running.ask("POST", f"/api/players/{player_id}/extend?seconds=60", headers={}))[0] == 401


@settings(session_seconds=1)
async def test_a_page_without_limits_gets_the_text_and_the_code(running: RunningSignalserver) -> None:
    async with streamer(running.streamer_url, "cam") as source, player(url(running, "")) as viewer:
        await negotiate(viewer, source, "game")
        assert (await viewer.receive_any())["type"] == "subscribeFailed"
        assert (await viewer.closed())[0] == 4209
