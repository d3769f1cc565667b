"""The matchmaker over HTTP: free servers for pages, lists for operators, and what they may change."""

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
from tests.integration.matches import BEARER, KEY, TOKEN, Matches, matches, stock_server
from tests.integration.peers import player, streamer
from tests.integration.signals import signals
from tests.parts import PATIENCE_SECONDS, eventually

pytestmark = pytest.mark.integration

READS = ["streamers", "streamers/s00001/cam", "streamers/cam", "sessions", "sessions/x", "queue", "apps", "events"]
CHANGES = [
    ("POST", "streamers/s00001/cam/drain"),
    ("POST", "streamers/s00001%2Fcam/drain"),
    ("POST", "streamers/cam/undrain"),
    ("DELETE", "sessions/x"),
]


@pytest.fixture
async def matched() -> AsyncIterator[Matches]:
    async with matches() as running:
        yield running


# -- for pages that dial by themselves --------------------------------------------------------------


async def test_a_page_is_offered_a_free_server_with_a_ticket_and_nobody_else_gets_it(matched: Matches) -> None:
    await matched.report(4001)
    status, reserve = await matched.ask("GET", "/signallingserver", headers={})
    assert (status, reserve["signallingServer"]) == (200, "127.0.0.1:4001")
    assert reserve["arrivalSeconds"] == PAGE_ARRIVAL_SECONDS
    token = verify(parse_qs(urlsplit(reserve["url"]).query)["session"][0], KEY, "s04001")
    assert token.session_id == reserve["sessionId"]
    again = await matched.ask("GET", "/signallingserver", headers={})
    assert again == (200, {"signallingServer": "", "error": "No signalling servers available"})
    (lease,) = (await matched.store.snapshot()).leases
    assert lease.deadline - lease.since == pytest.approx(PAGE_ARRIVAL_SECONDS)


async def test_a_page_plays_with_what_it_was_offered(matched: Matches) -> None:
    async with (
        signals(matched.store, session_key=SecretStr(KEY), require_session=True) as running,
        streamer(running.streamer_url, "cam"),
    ):
        await eventually(matched.streamers, "the streamer is known")
        _, reserve = await matched.ask("GET", "/signallingserver", headers={})
        async with player(reserve["url"]) as viewer:
            await viewer.hear("config")
            await viewer.say("listStreamers")
            assert (await viewer.hear("streamerList"))["ids"] == ["default"]


async def test_an_app_and_labels_can_be_asked_for(matched: Matches) -> None:
    await matched.report(1, app="car", labels={"region": "eu"})
    for query in ("", "?app=boat", "?app=car&region=us"):
        assert (await matched.ask("GET", f"/signallingserver{query}"))[1]["signallingServer"] == ""
    assert (await matched.ask("GET", "/signallingserver?app=car&region=eu"))[1]["app"] == "car"
    assert (await matched.ask("GET", "/signallingserver?app=no%20name"))[0] == 400


async def test_asking_whether_it_is_there_takes_nothing(matched: Matches) -> None:
    await matched.report(1)
    async with matched.http.head(matched.rest_url + "/signallingserver") as answer:
        assert answer.status == 405
    async with matched.http.options(
        matched.rest_url + "/signallingserver",
        headers={"Origin": "https://a.example", "Access-Control-Request-Method": "GET"},
    ) as answer:
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert await matched.sessions() == 0


async def test_pages_of_other_origins_and_addresses_that_ask_too_much_take_nothing() -> None:
    async with matches(origins=["https://play.example"], offers_per_minute=2) as matched:
        for number in range(1, 5):
            await matched.report(number)
        other = {"Origin": "https://evil.example"}
        assert (await matched.ask("GET", "/signallingserver", headers=other))[0] == 403
        assert await matched.sessions() == 0
        mine = {"Origin": "https://play.example"}
        statuses = [(await matched.ask("GET", "/signallingserver", headers=mine))[0] for _ in range(4)]
        assert statuses == [200, 200, 429, 429]
        assert await matched.sessions() == 2


async def test_redirect_mode_sends_a_browser_to_a_free_server_or_has_it_try_again() -> None:
    async with matches(redirect=True) as matched:
        for path in ("/", "/custom_html/a%20b.html"):
            async with matched.http.get(matched.rest_url + path) as answer:
                text = await answer.text()
                assert (answer.status, answer.headers["Retry-After"]) == (503, "3")
                assert '<meta http-equiv="refresh" content="3">' in text
                assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        await matched.report(4001)
        for path in ("/", "/custom_html/a.html"):
            async with matched.http.head(matched.rest_url + path) as answer:
                assert (answer.status, answer.headers["Allow"]) == (405, "GET")
        assert await matched.sessions() == 0
        async with matched.http.get(matched.rest_url, allow_redirects=False) as answer:
            assert answer.status == 302
            assert answer.headers["Location"].startswith("http://127.0.0.1:4001/?ss=ws%3A%2F%2F127.0.0.1%3A4001")
        async with (
            stock_server(matched) as stock,
            matched.http.get(
                URL(matched.rest_url + "/custom_html/..%2Fa%20b.html", encoded=True),
                allow_redirects=False,
            ) as answer,
        ):
            assert answer.headers["Location"] == f"http://127.0.0.1:{stock.port}/custom_html/..%2Fa%20b.html"


async def test_without_redirect_mode_the_root_says_what_this_is(matched: Matches) -> None:
    await matched.report(1)
    status, body = await matched.ask("GET", "/", headers={})
    assert (status, body["service"]) == (200, "matchmaker")
    async with matched.http.head(matched.rest_url) as answer:
        assert answer.status == 200
    assert (await matched.ask("GET", "/custom_html/a.html"))[0] == 404
    assert await matched.sessions() == 0


async def test_the_list_has_every_server_a_page_at_a_time(matched: Matches) -> None:
    for number in range(1, 6):
        await matched.report(number, rest_url="http://127.0.0.1:30010")
    status, listed = await matched.ask("GET", "/list?limit=3")
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
    _, rest = await matched.ask("GET", f"/list?limit=3&after={listed[-1]['id']}")
    assert [each["id"] for each in rest] == ["s00004/cam", "s00005/cam"]


# -- who may do what --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/list", *(f"/api/v1/{name}" for name in READS)])
async def test_reading_needs_the_token_unless_it_is_open_to_all(matched: Matches, path: str) -> None:
    await matched.report(1)
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
        status, body = await matched.ask("GET", path, headers=headers)
        assert (status, list(body)) == (401, ["error"])
    if path.endswith("events"):
        return
    async with matches(matched.store, rest_token=None) as closed:
        assert (await closed.ask("GET", path))[0] == 403
    async with matches(matched.store, rest_token=None, rest_api=True) as opened:
        assert (await opened.ask("GET", path, headers={}))[0] == (404 if path.endswith("sessions/x") else 200)


@pytest.mark.parametrize(("method", "path"), CHANGES)
async def test_changing_always_needs_a_token(matched: Matches, method: str, path: str) -> None:
    await matched.report(1)
    assert (await matched.ask(method, f"/api/v1/{path}", headers={}))[0] == 401
    async with matches(matched.store, rest_token=None, rest_api=True) as opened:
        assert (await opened.ask(method, f"/api/v1/{path}"))[0] == 403
    assert not (await matched.store.snapshot()).streamers[0].operator_drained


async def test_anybody_may_read_the_definition(matched: Matches) -> None:
    status, definition = await matched.ask("GET", "/api/v1/openapi.json", headers={})
    assert (status, definition["openapi"][:2]) == (200, "3.")


async def test_errors_are_json_and_pages_may_read_them(matched: Matches) -> None:
    origin = {"Origin": "https://a.example"}
    async with matched.http.get(matched.rest_url + "/api/v1/apps", headers=origin) as answer:
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (401, "*")
        assert list(await answer.json()) == ["error"]
    assert (await matched.ask("GET", "/api/v1/nothing"))[0] == 404
    for limit in ("0", "1001", "-1", "x", "1e2", "9" * 50):
        assert (await matched.ask("GET", f"/api/v1/streamers?limit={limit}"))[0] == 400


# -- operators --------------------------------------------------------------------------------------


async def test_a_large_fleet_is_told_in_pages(matched: Matches) -> None:
    for server in range(1, 11):
        streamers = [
            StreamerReport(
                server_id=f"s{server}", endpoint_id=f"cam{number:03}", app="car" if number else "boat", url="ws://h"
            )
            for number in range(200)
        ]
        await matched.store.report(ServerReport(server_id=f"s{server}", sequence=1, streamers=tuple(streamers)))
    seen: list[str] = []
    path = "/api/v1/streamers?limit=700"
    while True:
        _, body = await matched.ask("GET", path)
        assert body["total"] == 2000
        seen += [each["id"] for each in body["items"]]
        if body["next"] is None:
            break
        path = f"/api/v1/streamers?limit=700&after={body['next']}"
    assert seen == sorted(set(seen))
    assert len(seen) == 2000
    _, cars = await matched.ask("GET", "/api/v1/streamers?app=car&limit=1")
    assert cars["total"] == 1990


async def test_a_drained_streamer_gets_nobody_until_it_is_undrained(matched: Matches) -> None:
    await matched.report(1)
    for name in ("s00001/cam", "s00001%2Fcam", "cam"):
        status, body = await matched.ask("POST", f"/api/v1/streamers/{name}/drain")
        assert (status, body["id"], body["state"]) == (200, "s00001/cam", "draining")
        assert (await matched.ask("GET", "/signallingserver"))[1]["signallingServer"] == ""
        assert (await matched.ask("GET", "/api/v1/streamers"))[1]["items"][0]["state"] == "draining"
        status, body = await matched.ask("POST", f"/api/v1/streamers/{name}/undrain")
        assert (status, body["state"]) == (200, "free")
    assert (await matched.ask("GET", "/signallingserver"))[1]["signallingServer"]
    assert (await matched.ask("POST", "/api/v1/streamers/nobody/drain"))[0] == 404
    assert (await matched.ask("GET", "/api/v1/streamers/s00001%2Fcam"))[1]["state"] == "busy"


async def test_waiting_and_playing_sessions_are_shown_and_can_be_ended(matched: Matches) -> None:
    async with stock_server(matched), player(matched.player_url) as first, player(matched.player_url) as second:
        await first.hear("config")
        await second.hear("matchmaker")
        await eventually(lambda: matched.server.queue == 1, "the second waits")
        _, sessions = await matched.ask("GET", "/api/v1/sessions")
        _, queue = await matched.ask("GET", "/api/v1/queue")
        (playing,), (waiting,) = sessions["items"], queue["items"]
        assert (playing["role"], playing["state"], waiting["position"]) == ("player", "claimed", 1)
        assert (await matched.ask("GET", f"/api/v1/sessions/{playing['id']}"))[1] == playing
        assert (await matched.ask("GET", f"/api/v1/sessions/{waiting['id']}"))[1]["state"] == "waiting"
        _, apps = await matched.ask("GET", "/api/v1/apps")
        assert [(app["app"], app["used"], app["waiting"]) for app in apps["apps"]] == [("default", 1, 1)]
        for session, viewer in ((waiting["id"], second), (playing["id"], first)):
            assert await matched.ask("DELETE", f"/api/v1/sessions/{session}") == (
                202,
                {"id": session, "state": "ending"},
            )
            assert (await viewer.hear("subscribeFailed"))["message"] == "removed by the host"
            assert await viewer.closed() == (4201, "removed by the host")
        await eventually(lambda: matched.has_sessions(0), "both sessions are gone")
        assert (await matched.ask("DELETE", "/api/v1/sessions/nobody"))[0] == 404


async def test_a_session_that_only_a_server_knows_is_listed_and_can_be_ended(matched: Matches) -> None:
    report = StreamerReport(
        server_id="pod", endpoint_id="cam", app="default", url="ws://10.0.0.7:80", sessions=("again",)
    )
    await matched.store.report(ServerReport(server_id="pod", sequence=1, streamers=(report,)))
    _, sessions = await matched.ask("GET", "/api/v1/sessions")
    assert [(each["id"], each["state"], each["streamer"]) for each in sessions["items"]] == [
        ("again", "held", "pod/cam")
    ]
    assert (await matched.ask("GET", "/api/v1/sessions/again"))[0] == 200
    assert (await matched.ask("DELETE", "/api/v1/sessions/again"))[0] == 202
    answer = await matched.store.report(ServerReport(server_id="pod", sequence=2, streamers=(report,)))
    assert answer.end == ("again",)


async def test_a_kicked_person_is_refused_on_both_interfaces(matched: Matches) -> None:
    headers = {PLAYER_HEADER: new_player_id()}
    url = matched.player_url
    async with matched.http.ws_connect(url, headers=headers) as socket:
        await eventually(lambda: matched.has_sessions(1), "the player waits")
        _, queue = await matched.ask("GET", "/api/v1/queue")
        await matched.ask("DELETE", f"/api/v1/sessions/{queue['items'][0]['id']}")
        while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
            last = message.json()
        assert (last, message.data) == ({"type": "subscribeFailed", "message": "removed by the host"}, 4201)
    async with matched.http.ws_connect(url, headers=headers) as socket:
        while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
        assert message.data == 4201
    assert (await matched.ask("GET", "/signallingserver", headers=headers))[0] == 403
    async with matched.http.ws_connect(url, headers={PLAYER_HEADER: new_player_id()}):
        await eventually(lambda: matched.has_sessions(1), "another person waits")


async def test_the_events_tell_a_dashboard_of_the_fleet_as_it_changes(matched: Matches) -> None:
    await matched.report(1)
    url = matched.rest_url + "/api/v1/events"
    headers = {**BEARER, "Origin": "https://a.example"}
    async with matched.http.get(url, headers=headers) as answer, asyncio.timeout(PATIENCE_SECONDS):
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        await heard(answer, "streamers", "s00001/cam")
        await heard(answer, "totals", "default")
        await matched.report(2)
        await heard(answer, "streamers", "s00002/cam")


async def heard(answer: aiohttp.ClientResponse, name: str, text: str) -> None:
    """Read until an event of this name says this."""
    event = ""
    async for line in answer.content:
        if line.startswith(b"event: "):
            event = line.decode().removeprefix("event: ").strip()
        if event == name and line.startswith(b"data: ") and text in line.decode():
            return
    raise AssertionError("the events ended")


async def test_listeners_do_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "HTTP_STOP_SECONDS", 600.0)  # what an open request would be waited for
    async with aiohttp.ClientSession() as http, AsyncExitStack() as stack:
        matched = await stack.enter_async_context(matches(rest_api=True))
        answer = await http.get(matched.rest_url + "/api/v1/events")
        await heard(answer, "totals", "apps")
        async with asyncio.timeout(PATIENCE_SECONDS):
            await stack.aclose()
        answer.close()


async def test_players_and_calls_come_over_tls_where_there_is_a_certificate(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    from tests.unit.pixelfleet.net.certificates import make_certificate

    made = make_certificate(tmp_path_factory.mktemp("tls"))
    async with matches(tls_cert=made.certificate, tls_key=made.key, redirect_port=0) as matched:
        url = f"https://localhost:{matched.server.port}/livez"
        async with matched.http.get(url, ssl=made.client()) as answer:
            assert answer.status == 200
        plain = f"http://localhost:{matched.server.redirect_port}/livez"
        async with matched.http.get(plain, allow_redirects=False) as answer:
            assert answer.headers["Location"] == url
    with pytest.raises(UsageError, match="--tls-cert"):
        async with matches(tls_cert=made.key, tls_key=made.certificate):
            pass
