"""The router's HTTP doors: the page, the matchmaker's API and streamers' REST APIs."""

import asyncio
import gzip
import io
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from pixelfleet.service.errors import UsageError
from tests.integration.door import KEY, AccessPolicy, backend, open_door

pytestmark = pytest.mark.integration

CAM = "/proxy/pod-1%2Fcam"


@pytest.fixture
async def door(page_folder: Path) -> AsyncIterator[AccessPolicy]:
    async with open_door(page_folder, rest_token="t" * 20) as opened:
        yield opened


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(raise_for_status=False) as session:
        yield session


def url(door: AccessPolicy, path: str) -> URL:
    return URL(door.url + path, encoded=True)


async def test_the_page_is_served_compressed_with_a_strict_policy(
    page_folder: Path, door: AccessPolicy, http: aiohttp.ClientSession
) -> None:
    (page_folder / "index.html.gz").write_bytes(gzip.compress(b"small"))
    async with http.get(door.url) as answer:
        assert await answer.text() == "small"
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Cache-Control"] == "no-cache"
    async with http.get(f"{door.url}/", headers={"If-None-Match": answer.headers["ETag"]}) as again:
        assert again.status == 304
    async with http.get(f"{door.url}/assets/main-abc123.js") as answer:
        assert "immutable" in answer.headers["Cache-Control"]
    async with http.get(f"{door.url}/assets/none.js") as answer:
        assert answer.status == 404
        assert "immutable" not in answer.headers.get("Cache-Control", "")


async def test_the_page_is_told_what_the_settings_say(page_folder: Path, http: aiohttp.ClientSession) -> None:
    brand = page_folder / "brand"
    brand.mkdir()
    (brand / "branding.json").write_text('{"name": "Acme"}')
    (brand / "mark.svg").write_text("<svg/>")
    shop = "https://shop.test"
    async with open_door(
        page_folder, parents=[shop], functions=["connect"], frame_ancestors=[shop], branding=brand
    ) as door:
        async with http.get(f"{door.url}/page.json") as answer:
            assert await answer.json() == {"parents": [shop], "functions": ["connect"], "signallingHosts": []}
        async with http.get(f"{door.url}/branding.json") as answer:
            assert await answer.json() == {"name": "Acme"}
        async with http.get(f"{door.url}/branding/mark.svg") as answer:
            assert answer.status == 200
        async with http.get(door.url) as answer:
            assert f"frame-ancestors 'self' {shop}" in answer.headers["Content-Security-Policy"]


async def test_a_page_without_a_branding_file_is_refused_at_the_start(page_folder: Path) -> None:
    with pytest.raises(UsageError, match="branding"):
        async with open_door(page_folder, branding=page_folder):
            pass


async def test_everything_is_below_the_path_prefix(page_folder: Path, http: aiohttp.ClientSession) -> None:
    async with open_door(page_folder, path_prefix="/game/") as door:
        async with http.get(f"{door.url}/game?id=1", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (308, "/game/?id=1")
        for path, status in (("/game/", 200), ("/", 404), ("/ws", 404), ("/game/assets/main-abc123.js", 200)):
            async with http.get(door.url + path) as answer:
                assert answer.status == status, path
        async with http.get(url(door, f"/game{CAM}/x")) as answer:
            assert answer.status == 200
        assert door.streamer.requests[0][1] == "/remote/x"
        async with http.ws_connect(f"{door.url}/game/ws?id=2") as socket:
            await socket.send_str("hello")
            assert (await socket.receive()).data == "hello"
        assert door.matchmaker.targets == ["/?id=2"]
        async with http.get(f"{door.url}/readyz") as answer:
            assert answer.status == 200


async def test_a_request_reaches_a_registered_streamer_and_its_answer_comes_back(
    door: AccessPolicy, http: aiohttp.ClientSession
) -> None:
    headers = {"X-Own": "1", "Authorization": "Bearer secret", "Cookie": "a=secret", "X-Forwarded-For": "6.6.6.6"}
    async with http.put(url(door, f"{CAM}/preset/a%20b?x=%2F"), data=b"body", headers=headers) as answer:
        assert answer.status == 200
        assert await answer.json() == {"method": "PUT", "body": 4}
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["X-Answer"] == "1"
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        request_id = answer.headers["X-Request-ID"]
    method, target, told, body = door.streamer.requests[0]
    assert (method, target, body) == ("PUT", "/remote/preset/a%20b?x=%2F", b"body")
    assert told["X-Own"] == "1"
    assert "secret" not in str(told)
    assert told["X-Forwarded-For"] == "127.0.0.1"
    assert told["X-Request-ID"] == request_id
    assert told["Host"] == f"127.0.0.1:{door.streamer.port}"


async def test_a_streamer_is_found_by_its_endpoint_id_alone(door: AccessPolicy, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{door.url}/proxy/cam/x") as answer:
        assert answer.status == 200


@pytest.mark.parametrize(("name", "status"), [("nobody", 404), ("pod-2%2Fbare", 404), ("10.0.0.7:80", 404)])
async def test_a_streamer_that_is_not_registered_or_has_no_api_is_not_found(
    door: AccessPolicy, http: aiohttp.ClientSession, name: str, status: int
) -> None:
    async with http.get(url(door, f"/proxy/{name}/x")) as answer:
        assert answer.status == status
    assert door.reached == 0


async def test_a_streamer_that_left_is_not_reached_any_more(door: AccessPolicy, http: aiohttp.ClientSession) -> None:
    from pixelfleet.fleet.model import ServerReport

    await door.store.report(ServerReport(server_id="pod-1", sequence=2))
    async with http.get(url(door, f"{CAM}/x")) as answer:
        assert answer.status == 404
    assert door.reached == 0


async def test_large_bodies_stream_both_ways(page_folder: Path, http: aiohttp.ClientSession) -> None:
    async with open_door(page_folder, proxy_body_bytes=8 * 1024 * 1024) as door:
        async with http.post(url(door, f"{CAM}/x"), data=io.BytesIO(b"x" * 5_000_000)) as answer:
            assert await answer.json() == {"method": "POST", "body": 5_000_000}
        assert door.streamer.requests[0][2]["Content-Length"] == "5000000"
        async with http.get(url(door, f"{CAM}/stream")) as answer:
            assert await answer.read() == b"012"


async def test_a_redirect_is_passed_on_and_not_followed(door: AccessPolicy, http: aiohttp.ClientSession) -> None:
    async with http.get(url(door, f"{CAM}/away"), allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "http://evil.test/")


async def test_an_answer_that_breaks_off_breaks_off_for_the_caller(
    door: AccessPolicy, http: aiohttp.ClientSession
) -> None:
    with pytest.raises(aiohttp.ClientError):
        async with http.get(url(door, f"{CAM}/cut")) as answer:
            await answer.read()


async def test_a_streamer_that_is_away_or_slow_is_told(page_folder: Path, http: aiohttp.ClientSession) -> None:
    async with open_door(page_folder, proxy_seconds=0.2) as door:
        door.streamer.wait = asyncio.Event()
        async with http.get(url(door, f"{CAM}/x")) as answer:
            assert answer.status == 504
        door.streamer.wait.set()


async def test_a_websocket_passes_text_and_bytes_as_they_are(door: AccessPolicy, http: aiohttp.ClientSession) -> None:
    async with http.ws_connect(url(door, f"{CAM}/live?x=1"), protocols=["bearer.secret", "chat"]) as socket:
        assert socket.protocol == "chat"
        await socket.send_bytes(b"\x00\xff")
        await socket.send_str("text")
        assert (await socket.receive()).data == b"\x00\xff"
        assert (await socket.receive()).data == "text"
        await door.streamer.sockets[0].close(code=4007)
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 4007
    assert door.streamer.targets == ["/remote/live?x=1"]
    assert "secret" not in str(door.streamer.headers)


async def test_a_websocket_that_is_refused_behind_is_an_http_status(
    door: AccessPolicy, http: aiohttp.ClientSession
) -> None:
    door.streamer.refuse = 403
    for path in (f"{CAM}/live", "/proxy/nobody/live"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await http.ws_connect(url(door, path))
        assert error.value.status == (502 if path.startswith(CAM) else 404)


async def test_the_matchmakers_api_is_reached_with_the_callers_own_token(
    door: AccessPolicy, http: aiohttp.ClientSession
) -> None:
    path = "/api/v1/streamers/pod-1%2Fcam?x=1"
    async with http.get(url(door, path), headers={"Authorization": "Bearer own"}) as answer:
        assert answer.status == 200
    _, target, told, _ = door.matchmaker.requests[0]
    assert (target, told["Authorization"]) == (path, "Bearer own")
    async with http.get(url(door, "/api/v1/apps")):
        pass
    assert "Authorization" not in door.matchmaker.requests[1][2]


async def test_another_matchmaker_answers_when_one_is_away(page_folder: Path, http: aiohttp.ClientSession) -> None:
    async with backend() as gone:
        port = gone.port
    async with backend() as there:
        urls = [f"http://127.0.0.1:{port}", f"http://127.0.0.1:{there.port}"]
        async with open_door(page_folder, matchmaker=urls) as door:
            for _ in range(4):
                async with http.get(f"{door.url}/api/v1/apps") as answer:
                    assert answer.status == 200


async def test_the_streamer_is_looked_up_at_a_matchmaker_where_there_is_no_store(
    page_folder: Path, http: aiohttp.ClientSession
) -> None:
    import router.app
    import router.settings

    async with backend() as matchmaker:
        settings = router.settings.Settings(
            host="127.0.0.1",
            port=0,
            metrics_port=0,
            page=page_folder,
            proxy_auth="open",
            rest_token="t" * 20,
            matchmaker=[f"http://127.0.0.1:{matchmaker.port}"],
        )
        async with (
            router.app.running(settings) as running,
            http.get(f"http://127.0.0.1:{running.port}/proxy/{KEY.replace('/', '%2F')}/x") as answer,
        ):
            assert answer.status == 404  # the stand-in's answer names no restUrl
        _, target, told, _ = matchmaker.requests[0]
        assert target in (f"/api/v1/streamers/{KEY}", f"/api/v1/streamers/{KEY.replace('/', '%2F')}")
        assert told["Authorization"] == f"Bearer {'t' * 20}"


async def test_who_plays_is_told_why_a_websocket_is_refused(page_folder: Path, http: aiohttp.ClientSession) -> None:
    async with open_door(page_folder, max_players=1) as door:
        async with http.head(f"{door.url}/ws") as answer:
            assert answer.status == 426
        async with http.ws_connect(f"{door.url}/"), http.head(f"{door.url}/ws") as answer:
            assert answer.status == 503


async def test_metrics_count_by_door_and_not_by_path(door: AccessPolicy, http: aiohttp.ClientSession) -> None:
    for path in ("/", "/secret-path", f"{CAM}/x"):
        async with http.get(url(door, path)):
            pass
    numbers = f"http://127.0.0.1:{door.router.metrics_port}/metrics"
    async with http.ws_connect(f"{door.url}/ws"), http.get(numbers) as answer:
        text = await answer.text()
    assert 'router_requests_total{door="page",status="200"} 1.0' in text
    assert 'router_requests_total{door="proxy",status="200"} 1.0' in text
    assert 'router_requests_total{door="ws",status="101"} 1.0' in text
    assert "router_player_socket_connections 1.0" in text
    assert "secret-path" not in text
