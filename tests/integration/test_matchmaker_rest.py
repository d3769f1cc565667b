"""The matchmaker over HTTP: reservations for pages, lists for operators, and their changes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from pydantic import SecretStr
from yarl import URL

from pixelfleet.auth.person import PLAYER_HEADER, new_player_id
from pixelfleet.fleet.bounds import PAGE_ARRIVAL_SECONDS
from pixelfleet.fleet.model import ServerReport, StreamerReport
from pixelfleet.fleet.tokens import verify
from pixelfleet.net import server as front
from pixelfleet.service.errors import UsageError
from tests.integration.matchmakers import (
    KEY,
    RunningMatchmaker,
    running_legacy_server,
    running_matchmaker,
)
from tests.integration.operators import BEARER, TOKEN
from tests.integration.peers import player, streamer
from tests.integration.signalservers import running_signalserver
from tests.parts import PATIENCE_SECONDS, eventually

pytestmark = pytest.mark.integration

READS = ["streamers", "streamers/s00001/cam", "streamers/cam", "sessions", "sessions/x", "queue", "apps", "events"]
CHANGES = [
    ("POST", "streamers/s00001/cam/drain"),
    ("POST", "streamers/s00001%2Fcam/drain"),
    ("POST", "streamers/cam/undrain"),
    ("DELETE", "sessions/x"),
    ("POST", "sessions/x/extend?seconds=60"),
]


@pytest.fixture
async def matchmaker() -> AsyncIterator[RunningMatchmaker]:
    async with running_matchmaker() as running:
        yield running


# -- reservations for pages -------------------------------------------------------------------------


async def test_a_page_gets_a_reservation_with_a_token_and_the_streamer_is_leased(matchmaker: RunningMatchmaker) -> None:
    await matchmaker.report(4001)
    status, reserve = await matchmaker.ask("GET", "/signallingserver", headers={})
    assert (status, reserve["signallingServer"]) == (200, "127.0.0.1:4001")
    assert reserve["arrivalSeconds"] == PAGE_ARRIVAL_SECONDS
    token = verify(parse_qs(urlsplit(reserve["url"]).query)["session"][0], KEY, "s04001")
    assert token.session_id == reserve["sessionId"]
    again = await matchmaker.ask("GET", "/signallingserver", headers={})
    assert again == (200, {"signallingServer": "", "error": "No signalling servers available"})
    (lease,) = (await matchmaker.store.snapshot()).leases
    assert lease.deadline - lease.since == pytest.approx(PAGE_ARRIVAL_SECONDS)


async def test_a_page_uses_its_reservation(matchmaker: RunningMatchmaker) -> None:
    async with (
        running_signalserver(matchmaker.store, session_key=SecretStr(KEY), require_session=True) as running,
        streamer(running.streamer_url, "cam"),
    ):
        await eventually(matchmaker.streamers, "the streamer is registered")
        _, reserve = await matchmaker.ask("GET", "/signallingserver", headers={})
        async with player(reserve["url"]) as viewer:
            await viewer.receive("config")
            await viewer.send("listStreamers")
            assert (await viewer.receive("streamerList"))["ids"] == ["default"]


async def test_a_reservation_can_select_an_app_and_labels(matchmaker: RunningMatchmaker) -> None:
    await matchmaker.report(1, app="car", labels={"region": "eu"})
    for query in ("", "?app=boat", "?app=car&region=us"):
        assert (await matchmaker.ask("GET", f"/signallingserver{query}"))[1]["signallingServer"] == ""
    assert (await matchmaker.ask("GET", "/signallingserver?app=car&region=eu"))[1]["app"] == "car"
    assert (await matchmaker.ask("GET", "/signallingserver?app=no%20name"))[0] == 400


async def test_preflight_and_head_requests_reserve_nothing(matchmaker: RunningMatchmaker) -> None:
    await matchmaker.report(1)
    async with matchmaker.http.head(matchmaker.rest_url + "/signallingserver") as answer:
        assert answer.status == 405
    async with matchmaker.http.options(
        matchmaker.rest_url + "/signallingserver",
        headers={"Origin": "https://a.example", "Access-Control-Request-Method": "GET"},
    ) as answer:
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert await matchmaker.sessions() == 0


async def test_other_origins_and_addresses_above_the_limit_reserve_nothing() -> None:
    async with running_matchmaker(origins=["https://play.example"], offers_per_minute=2) as matchmaker:
        for number in range(1, 5):
            await matchmaker.report(number)
        other = {"Origin": "https://evil.example"}
        assert (await matchmaker.ask("GET", "/signallingserver", headers=other))[0] == 403
        assert await matchmaker.sessions() == 0
        mine = {"Origin": "https://play.example"}
        statuses = [(await matchmaker.ask("GET", "/signallingserver", headers=mine))[0] for _ in range(4)]
        assert statuses == [200, 200, 429, 429]
        assert await matchmaker.sessions() == 2


async def test_redirect_mode_sends_a_browser_to_a_free_server_or_reloads() -> None:
    async with running_matchmaker(redirect=True) as matchmaker:
        for path in ("/", "/custom_html/a%20b.html"):
            async with matchmaker.http.get(matchmaker.rest_url + path) as answer:
                text = await answer.text()
                assert (answer.status, answer.headers["Retry-After"]) == (503, "3")
                assert '<meta http-equiv="refresh" content="3">' in text
                assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        await matchmaker.report(4001)
        for path in ("/", "/custom_html/a.html"):
            async with matchmaker.http.head(matchmaker.rest_url + path) as answer:
                assert (answer.status, answer.headers["Allow"]) == (405, "GET")
        assert await matchmaker.sessions() == 0
        async with matchmaker.http.get(matchmaker.rest_url, allow_redirects=False) as answer:
            assert answer.status == 302
            assert answer.headers["Location"].startswith("http://127.0.0.1:4001/?ss=ws%3A%2F%2F127.0.0.1%3A4001")
        async with (
            running_legacy_server(matchmaker) as legacy,
            matchmaker.http.get(
                URL(matchmaker.rest_url + "/custom_html/..%2Fa%20b.html", encoded=True),
                allow_redirects=False,
            ) as answer,
        ):
            assert answer.headers["Location"] == f"http://127.0.0.1:{legacy.port}/custom_html/..%2Fa%20b.html"


async def test_without_redirect_mode_the_root_describes_the_service(matchmaker: RunningMatchmaker) -> None:
    await matchmaker.report(1)
    status, body = await matchmaker.ask("GET", "/", headers={})
    assert (status, body["service"]) == (200, "matchmaker")
    async with matchmaker.http.head(matchmaker.rest_url) as answer:
        assert answer.status == 200
    assert (await matchmaker.ask("GET", "/custom_html/a.html"))[0] == 404
    assert await matchmaker.sessions() == 0


async def test_the_server_list_is_paginated(matchmaker: RunningMatchmaker) -> None:
    for number in range(1, 6):
        await matchmaker.report(number, rest_url="http://127.0.0.1:30010")
    status, listed = await matchmaker.ask("GET", "/list?limit=3")
    assert (status, [each["id"] for each in listed]) == (200, ["s00001/cam", "s00002/cam", "s00003/cam"])
    assert set(listed[0]) == {
        "id",
        "address",
        "port",
        "restPort",
        "ready",
        "numConnectedClients",
        "lastPingReceived",
    }
    _, rest = await matchmaker.ask("GET", f"/list?limit=3&after={listed[-1]['id']}")
    assert [each["id"] for each in rest] == ["s00004/cam", "s00005/cam"]


# -- access -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/list", *(f"/api/v1/{name}" for name in READS)])
async def test_reading_needs_the_token_unless_it_is_open(matchmaker: RunningMatchmaker, path: str) -> None:
    await matchmaker.report(1)
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
        status, body = await matchmaker.ask("GET", path, headers=headers)
        assert (status, list(body)) == (401, ["error"])
    if path.endswith("events"):
        return
    async with running_matchmaker(matchmaker.store, rest_token=None) as closed:
        assert (await closed.ask("GET", path))[0] == 403
    async with running_matchmaker(matchmaker.store, rest_token=None, rest_api=True) as opened:
        assert (await opened.ask("GET", path, headers={}))[0] == (404 if path.endswith("sessions/x") else 200)


@pytest.mark.parametrize(("method", "path"), CHANGES)
async def test_changes_always_need_a_token(matchmaker: RunningMatchmaker, method: str, path: str) -> None:
    await matchmaker.report(1)
    assert (await matchmaker.ask(method, f"/api/v1/{path}", headers={}))[0] == 401
    async with running_matchmaker(matchmaker.store, rest_token=None, rest_api=True) as opened:
        assert (await opened.ask(method, f"/api/v1/{path}"))[0] == 403
    assert not (await matchmaker.store.snapshot()).streamers[0].operator_drained


async def test_the_definition_needs_no_token(matchmaker: RunningMatchmaker) -> None:
    status, definition = await matchmaker.ask("GET", "/api/v1/openapi.json", headers={})
    assert (status, definition["openapi"][:2]) == (200, "3.")


async def test_errors_are_json_with_cors_headers(matchmaker: RunningMatchmaker) -> None:
    origin = {"Origin": "https://a.example"}
    async with matchmaker.http.get(matchmaker.rest_url + "/api/v1/apps", headers=origin) as answer:
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (401, "*")
        assert list(await answer.json()) == ["error"]
    assert (await matchmaker.ask("GET", "/api/v1/nothing"))[0] == 404
    for limit in ("0", "1001", "-1", "x", "1e2", "9" * 50):
        assert (await matchmaker.ask("GET", f"/api/v1/streamers?limit={limit}"))[0] == 400


# -- operators --------------------------------------------------------------------------------------


async def test_a_large_fleet_is_paginated(matchmaker: RunningMatchmaker) -> None:
    for server in range(1, 11):
        streamers = [
            StreamerReport(
                server_id=f"s{server}", endpoint_id=f"cam{number:03}", app="car" if number else "boat", url="ws://h"
            )
            for number in range(200)
        ]
        await matchmaker.store.report(ServerReport(server_id=f"s{server}", sequence=1, streamers=tuple(streamers)))
    seen: list[str] = []
    path = "/api/v1/streamers?limit=700"
    while True:
        _, body = await matchmaker.ask("GET", path)
        assert body["total"] == 2000
        seen += [each["id"] for each in body["items"]]
        if body["next"] is None:
            break
        path = f"/api/v1/streamers?limit=700&after={body['next']}"
    assert seen == sorted(set(seen))
    assert len(seen) == 2000
    _, cars = await matchmaker.ask("GET", "/api/v1/streamers?app=car&limit=1")
    assert cars["total"] == 1990


async def test_a_drained_streamer_gets_no_players_until_it_is_undrained(matchmaker: RunningMatchmaker) -> None:
    await matchmaker.report(1)
    for name in ("s00001/cam", "s00001%2Fcam", "cam"):
        status, body = await matchmaker.ask("POST", f"/api/v1/streamers/{name}/drain")
        assert (status, body["id"], body["state"]) == (200, "s00001/cam", "draining")
        assert (await matchmaker.ask("GET", "/signallingserver"))[1]["signallingServer"] == ""
        assert (await matchmaker.ask("GET", "/api/v1/streamers"))[1]["items"][0]["state"] == "draining"
        status, body = await matchmaker.ask("POST", f"/api/v1/streamers/{name}/undrain")
        assert (status, body["state"]) == (200, "free")
    assert (await matchmaker.ask("GET", "/signallingserver"))[1]["signallingServer"]
    assert (await matchmaker.ask("POST", "/api/v1/streamers/nobody/drain"))[0] == 404
    assert (await matchmaker.ask("GET", "/api/v1/streamers/s00001%2Fcam"))[1]["state"] == "busy"


async def test_waiting_and_matched_sessions_are_listed_and_can_be_ended(matchmaker: RunningMatchmaker) -> None:
    async with (
        running_legacy_server(matchmaker),
        player(matchmaker.player_url) as first,
        player(matchmaker.player_url) as second,
    ):
        await first.receive("config")
        await second.receive("matchmaker")
        await eventually(lambda: matchmaker.server.queue == 1, "the second waits")
        _, sessions = await matchmaker.ask("GET", "/api/v1/sessions")
        _, queue = await matchmaker.ask("GET", "/api/v1/queue")
        (playing,), (waiting,) = sessions["items"], queue["items"]
        assert (playing["role"], playing["state"], waiting["position"]) == ("player", "claimed", 1)
        assert (await matchmaker.ask("GET", f"/api/v1/sessions/{playing['id']}"))[1] == playing
        assert (await matchmaker.ask("GET", f"/api/v1/sessions/{waiting['id']}"))[1]["state"] == "waiting"
        _, apps = await matchmaker.ask("GET", "/api/v1/apps")
        assert [(app["app"], app["used"], app["waiting"]) for app in apps["apps"]] == [("default", 1, 1)]
        for session, viewer in ((waiting["id"], second), (playing["id"], first)):
            assert await matchmaker.ask("DELETE", f"/api/v1/sessions/{session}") == (
                202,
                {"id": session, "state": "ending"},
            )
            assert (await viewer.receive("subscribeFailed"))["message"] == "removed by the host"
            assert await viewer.closed() == (4201, "removed by the host")
        await eventually(lambda: matchmaker.has_sessions(0), "both sessions have ended")
        assert (await matchmaker.ask("DELETE", "/api/v1/sessions/nobody"))[0] == 404


async def test_a_session_is_extended_by_its_server(matchmaker: RunningMatchmaker) -> None:
    report = StreamerReport(
        server_id="pod", endpoint_id="cam", app="default", url="ws://10.0.0.7:80", sessions=("again",)
    )
    await matchmaker.store.report(ServerReport(server_id="pod", sequence=1, streamers=(report,)))
    for _ in range(2):
        assert await matchmaker.ask("POST", "/api/v1/sessions/again/extend?seconds=600") == (
            202,
            {"id": "again", "seconds": 600.0, "state": "extending"},
        )
    assert (await matchmaker.ask("POST", "/api/v1/sessions/again/extend?seconds=0"))[0] == 400
    assert (await matchmaker.ask("POST", "/api/v1/sessions/nobody/extend?seconds=60"))[0] == 404
    answer = await matchmaker.store.report(ServerReport(server_id="pod", sequence=2, streamers=(report,)))
    assert answer.extend == (("again", 600.0), ("again", 600.0))
    assert answer.end == ()


async def test_a_session_that_only_a_server_knows_is_listed_and_can_be_ended(matchmaker: RunningMatchmaker) -> None:
    report = StreamerReport(
        server_id="pod", endpoint_id="cam", app="default", url="ws://10.0.0.7:80", sessions=("again",)
    )
    await matchmaker.store.report(ServerReport(server_id="pod", sequence=1, streamers=(report,)))
    _, sessions = await matchmaker.ask("GET", "/api/v1/sessions")
    assert [(each["id"], each["state"], each["streamer"]) for each in sessions["items"]] == [
        ("again", "held", "pod/cam")
    ]
    assert (await matchmaker.ask("GET", "/api/v1/sessions/again"))[0] == 200
    assert (await matchmaker.ask("DELETE", "/api/v1/sessions/again"))[0] == 202
    answer = await matchmaker.store.report(ServerReport(server_id="pod", sequence=2, streamers=(report,)))
    assert answer.end == ("again",)


async def test_a_kicked_person_is_refused_on_both_interfaces(matchmaker: RunningMatchmaker) -> None:
    headers = {PLAYER_HEADER: new_player_id()}
    url = matchmaker.player_url
    async with matchmaker.http.ws_connect(url, headers=headers) as socket:
        await eventually(lambda: matchmaker.has_sessions(1), "the player waits")
        _, queue = await matchmaker.ask("GET", "/api/v1/queue")
        await matchmaker.ask("DELETE", f"/api/v1/sessions/{queue['items'][0]['id']}")
        while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
            last = message.json()
        assert (last, message.data) == ({"type": "subscribeFailed", "message": "removed by the host"}, 4201)
    async with matchmaker.http.ws_connect(url, headers=headers) as socket:
        while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
        assert message.data == 4201
    assert (await matchmaker.ask("GET", "/signallingserver", headers=headers))[0] == 403
    async with matchmaker.http.ws_connect(url, headers={PLAYER_HEADER: new_player_id()}):
        await eventually(lambda: matchmaker.has_sessions(1), "another person waits")


async def test_the_event_stream_reports_changes_of_the_fleet(matchmaker: RunningMatchmaker) -> None:
    await matchmaker.report(1)
    url = matchmaker.rest_url + "/api/v1/events"
    headers = {**BEARER, "Origin": "https://a.example"}
    async with matchmaker.http.get(url, headers=headers) as answer, asyncio.timeout(PATIENCE_SECONDS):
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        await read_until(answer, "streamers", "s00001/cam")
        await read_until(answer, "totals", "default")
        await matchmaker.report(2)
        await read_until(answer, "streamers", "s00002/cam")


async def read_until(answer: aiohttp.ClientResponse, name: str, text: str) -> None:
    """Read until an event of this name contains this text."""
    event = ""
    async for line in answer.content:
        if line.startswith(b"event: "):
            event = line.decode().removeprefix("event: ").strip()
        if event == name and line.startswith(b"data: ") and text in line.decode():
            return
    raise AssertionError("the event stream ended")


async def test_open_event_streams_do_not_delay_the_shutdown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "HTTP_STOP_SECONDS", 600.0)  # the wait for an open request
    async with aiohttp.ClientSession() as http, AsyncExitStack() as stack:
        matchmaker = await stack.enter_async_context(running_matchmaker(rest_api=True))
        answer = await http.get(matchmaker.rest_url + "/api/v1/events")
        await read_until(answer, "totals", "apps")
        async with asyncio.timeout(PATIENCE_SECONDS):
            await stack.aclose()
        answer.close()


async def test_players_and_requests_use_tls_with_a_certificate(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    from tests.unit.pixelfleet.net.certificates import make_certificate

    made = make_certificate(tmp_path_factory.mktemp("tls"))
    async with running_matchmaker(tls_cert=made.certificate, tls_key=made.key, redirect_port=0) as matchmaker:
        url = f"https://localhost:{matchmaker.server.port}/livez"
        async with matchmaker.http.get(url, ssl=made.client()) as answer:
            assert answer.status == 200
        plain = f"http://localhost:{matchmaker.server.redirect_port}/livez"
        async with matchmaker.http.get(plain, allow_redirects=False) as answer:
            assert answer.headers["Location"] == url
    with pytest.raises(UsageError, match="--tls-cert"):
        async with running_matchmaker(tls_cert=made.key, tls_key=made.certificate):
            pass
