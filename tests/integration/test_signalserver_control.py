"""Players' calls to the application, through the signalling server."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from pixelfleet.net.http import plain_port
from tests.integration.peers import player
from tests.integration.signalservers import running_signalserver
from tests.integration.test_signalserver_admission import KEY, ticket

pytestmark = pytest.mark.integration


@pytest.fixture
async def application() -> AsyncIterator[str]:
    """The address of an application that answers with the request it received."""

    async def echo(request: web.Request) -> web.Response:
        payload = await request.json() if request.can_read_body else None
        return web.json_response({"method": request.method, "path": request.path, "payload": payload})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", echo)
    async with plain_port(app, host="127.0.0.1", port=0, option="--port") as port:
        yield f"http://127.0.0.1:{port}/api"


async def test_a_player_makes_allowed_calls_and_gets_the_answer_or_an_error(application: str) -> None:
    async with (
        running_signalserver(ue_rest_endpoint=application, control_paths=["/scene/*"]) as running,
        player(running.player_url) as viewer,
    ):
        await viewer.send("control", action="scene/next", payload={"speed": 2})
        assert await viewer.receive("response") == {
            "type": "response",
            "action": "scene/next",
            "response": {"method": "POST", "path": "/api/scene/next", "payload": {"speed": 2}},
        }
        await viewer.send("control", action="scene/now")
        assert (await viewer.receive("response"))["response"]["method"] == "GET"
        for action in ("quit", "scene/../quit", "//elsewhere/scene"):
            await viewer.send("control", action=action)
            assert await viewer.receive("response") == {"type": "response", "action": action, "error": "not allowed"}
        assert await running.metric('signalserver_control_calls_total{outcome="ok"}') == 2
        assert await running.metric('signalserver_control_calls_total{outcome="refused"}') == 3


@pytest.mark.parametrize(("role", "answer"), [("player", "response"), ("spectator", "error")])
async def test_a_spectator_cannot_make_calls(application: str, role: str, answer: str) -> None:
    async with (
        running_signalserver(
            ue_rest_endpoint=application, control_paths=["/*"], session_key=KEY, require_session=True, server_id="pod-1"
        ) as running,
        player(f"{running.player_url}/?session={ticket('pod-1', role=role)}") as viewer,
    ):
        await viewer.send("control", action="scene")
        assert answer in await viewer.receive("response")


@pytest.mark.parametrize(
    ("chosen", "error"),
    [({}, "control is not configured here"), ({"ue_rest_endpoint": "http://127.0.0.1:9"}, "not allowed")],
)
async def test_a_call_without_an_application_or_paths_gets_an_error(chosen: dict[str, Any], error: str) -> None:
    async with running_signalserver(**chosen) as running, player(running.player_url) as viewer:
        await viewer.send("control", action="scene")
        assert (await viewer.receive("response"))["error"] == error
