"""The signalling server's REST API: access, answers, and effects of changes."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.peers import player, streamer
from tests.integration.signalservers import BEARER, TOKEN, RunningSignalserver, running_signalserver
from tests.parts import eventually

pytestmark = pytest.mark.integration

READS = ["/api/config", "/api/streamers", "/api/streamers/cam", "/api/players", "/api/players/101"]
CHANGES = [("DELETE", "/api/players/101"), ("POST", "/api/drain"), ("GET", "/drain")]


@pytest.fixture
async def guarded() -> AsyncIterator[RunningSignalserver]:
    async with running_signalserver(rest_token=TOKEN) as running:
        yield running


async def test_status_and_definition_need_no_token(guarded: RunningSignalserver) -> None:
    async with streamer(guarded.streamer_url, "cam"), player(guarded.player_url):
        status, body = await guarded.ask("GET", "/api/status", headers={})
    assert (status, body["streamer_count"], body["player_count"]) == (200, 1, 1)
    assert isinstance(body["uptime"], int)
    assert body["version"]
    status, definition = await guarded.ask("GET", "/api/api-definition", headers={})
    assert (status, definition["openapi"][:2]) == (200, "3.")


@pytest.mark.parametrize("path", READS)
async def test_reading_needs_the_token(guarded: RunningSignalserver, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
        status, body = await guarded.ask("GET", path, headers=headers)
        assert (status, list(body)) == (401, ["error"])


@pytest.mark.parametrize(("method", "path"), CHANGES)
async def test_changes_need_the_token(guarded: RunningSignalserver, method: str, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        assert (await guarded.ask(method, path, headers=headers))[0] == 401
    assert not guarded.server.draining.begun


@pytest.mark.parametrize(("method", "path"), CHANGES)
async def test_without_a_token_changes_are_refused_even_if_reading_is_open(method: str, path: str) -> None:
    async with running_signalserver(rest_api=True) as running:
        assert (await running.ask("GET", "/api/players", headers={}))[0] == 200
        assert (await running.ask(method, path, headers={}))[0] == 403
        assert (await running.ask(method, path, headers=BEARER))[0] == 403
        assert not running.server.draining.begun


async def test_streamers_and_players_are_listed_as_by_the_reference_server(guarded: RunningSignalserver) -> None:
    async with streamer(guarded.streamer_url, "cam") as source, player(guarded.player_url) as viewer:
        await viewer.send("subscribe", streamerId="cam")
        player_id = (await source.receive("playerConnected"))["playerId"]
        seen = {
            "streamerId": "cam",
            "type": "streamer",
            "streaming": True,
            "remoteAddress": "127.0.0.1",
            "subscribers": [player_id],
        }
        assert await guarded.ask("GET", "/api/streamers") == (200, [seen])
        assert await guarded.ask("GET", "/api/streamers/cam") == (200, seen)
        assert (await guarded.ask("GET", "/api/streamers/other"))[0] == 404
        seen = {"playerId": player_id, "type": "player", "subscribedTo": "cam", "remoteAddress": "127.0.0.1"}
        assert await guarded.ask("GET", "/api/players") == (200, [seen])
        assert await guarded.ask("GET", f"/api/players/{player_id}") == (200, seen)
        assert (await guarded.ask("GET", "/api/players/999"))[0] == 404


async def test_an_id_may_contain_any_character(guarded: RunningSignalserver) -> None:
    async with streamer(guarded.streamer_url, "räum/1 ?#"):
        status, body = await guarded.ask("GET", "/api/streamers/r%C3%A4um%2F1%20%3F%23")
        assert (status, body["streamerId"]) == (200, "räum/1 ?#")


async def test_a_kicked_player_gets_the_reason_and_its_streamer_is_notified(guarded: RunningSignalserver) -> None:
    async with (
        streamer(guarded.streamer_url, "cam") as source,
        player(guarded.player_url) as viewer,
        player(guarded.player_url) as other,
    ):
        for each in (viewer, other):
            await each.send("subscribe", streamerId="cam")
        player_id = (await source.receive("playerConnected"))["playerId"]
        status, body = await guarded.ask("DELETE", f"/api/players/{player_id}?reason=time+is+up")
        assert (status, body) == (200, {"playerId": player_id, "reason": "time is up"})
        assert (await viewer.receive("subscribeFailed"))["message"] == "time is up"
        assert await viewer.closed() == (4201, "time is up")
        assert (await source.receive("playerDisconnected"))["playerId"] == player_id
        await other.send("ping")
        await other.receive("pong")

        async def counted() -> bool:
            return await guarded.metric('signalserver_closes_total{reason="kicked",role="player"}') == 1

        await eventually(counted, "the kick is counted")
        assert (await guarded.ask("DELETE", f"/api/players/{player_id}"))[0] == 404


async def test_the_settings_are_listed_without_secrets() -> None:
    async with running_signalserver(
        rest_token=TOKEN,
        streamer_token="hush",
        session_key="hush" * 8,
        peer_options='{"iceServers":[{"urls":"turn:h","username":"u","credential":"hush"}]}',
        ue_rest_endpoint="http://user:hush@127.0.0.1:1/base",
    ) as running:
        status, body = await running.ask("GET", "/api/config")
    assert status == 200
    assert body["config"]["ue_rest_endpoint"] == "http://127.0.0.1:1/base"
    assert body["protocolConfig"] == {"protocolVersion": "1.3.0"}
    assert "hush" not in str(body)
    assert TOKEN not in str(body)


async def test_pages_of_allowed_origins_may_read_answers_and_errors() -> None:
    async with running_signalserver(rest_token=TOKEN, origins=["https://play.example"]) as running:
        url = running.rest_url + "/api/players"
        mine, other = {"Origin": "https://play.example"}, {"Origin": "https://evil.example"}
        async with running.http.get(url, headers=BEARER | mine) as answer:
            assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (200, "https://play.example")
            assert answer.headers["Vary"] == "Origin"
        async with running.http.get(url, headers=mine) as answer:
            assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (401, "https://play.example")
        async with running.http.get(url, headers=BEARER | other) as answer:
            assert "Access-Control-Allow-Origin" not in answer.headers
        preflight = {"Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "Authorization"}
        async with running.http.options(url + "/101", headers=mine | preflight) as answer:
            assert answer.status == 204
            assert "DELETE" in answer.headers["Access-Control-Allow-Methods"]
            assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize(
    ("proxies", "seen"), [(0, "127.0.0.1"), (1, "198.51.100.7"), (2, "203.0.113.9"), (3, "127.0.0.1")]
)
async def test_a_players_address_is_taken_from_trusted_proxies_only(proxies: int, seen: str) -> None:
    from websockets.asyncio.client import connect

    async with (
        running_signalserver(rest_token=TOKEN, trusted_proxies=proxies) as running,
        connect(
            running.player_url,
            additional_headers={"X-Forwarded-For": "203.0.113.9, 198.51.100.7"},
            compression=None,
            proxy=None,
        ) as socket,
    ):
        await socket.recv()
        _, (listed,) = await running.ask("GET", "/api/players")
        assert listed["remoteAddress"] == seen


async def test_errors_for_unknown_paths_and_methods_are_json(guarded: RunningSignalserver) -> None:
    assert (await guarded.ask("GET", "/api/nothing")) == (404, {"error": "Not Found"})
    assert (await guarded.ask("PUT", "/api/players/101"))[0] == 405
