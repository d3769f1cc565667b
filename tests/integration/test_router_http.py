"""The router over HTTP: the page, the matchmaker's API and streamers' REST APIs."""

import asyncio
import gzip
import io
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from pixelfleet.service.errors import UsageError
from tests.integration.router_stack import KEY, RouterStack, backend, half_reachable_stack, running_stack

pytestmark = pytest.mark.integration

CAM = "/proxy/pod-1%2Fcam"


@pytest.fixture
async def stack(page_folder: Path) -> AsyncIterator[RouterStack]:
    async with running_stack(page_folder, rest_token="t" * 20) as opened:
        yield opened


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(raise_for_status=False) as session:
        yield session


def url(stack: RouterStack, path: str) -> URL:
    return URL(stack.url + path, encoded=True)


async def test_the_page_is_served_compressed_with_a_strict_policy(
    page_folder: Path, stack: RouterStack, http: aiohttp.ClientSession
) -> None:
    (page_folder / "index.html.gz").write_bytes(gzip.compress(b"small"))
    async with http.get(stack.url) as answer:
        assert await answer.text() == "small"
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Cache-Control"] == "no-cache"
    async with http.get(f"{stack.url}/", headers={"If-None-Match": answer.headers["ETag"]}) as again:
        assert again.status == 304
    async with http.get(f"{stack.url}/assets/main-abc123.js") as answer:
        assert "immutable" in answer.headers["Cache-Control"]
    async with http.get(f"{stack.url}/assets/none.js") as answer:
        assert answer.status == 404
        assert "immutable" not in answer.headers.get("Cache-Control", "")


async def test_the_page_gets_the_settings(page_folder: Path, http: aiohttp.ClientSession) -> None:
    brand = page_folder / "brand"
    brand.mkdir()
    (brand / "branding.json").write_text('{"name": "Acme"}')
    (brand / "mark.svg").write_text("<svg/>")
    shop = "https://shop.test"
    async with running_stack(
        page_folder, parents=[shop], functions=["connect"], frame_ancestors=[shop], branding=brand
    ) as stack:
        async with http.get(f"{stack.url}/page.json") as answer:
            assert await answer.json() == {"parents": [shop], "functions": ["connect"], "signallingHosts": []}
        async with http.get(f"{stack.url}/branding.json") as answer:
            assert await answer.json() == {"name": "Acme"}
        async with http.get(f"{stack.url}/branding/mark.svg") as answer:
            assert answer.status == 200
        async with http.get(stack.url) as answer:
            assert f"frame-ancestors 'self' {shop}" in answer.headers["Content-Security-Policy"]


async def test_a_page_without_a_branding_file_is_refused_at_the_start(page_folder: Path) -> None:
    with pytest.raises(UsageError, match="branding"):
        async with running_stack(page_folder, branding=page_folder):
            pass


async def test_all_paths_are_below_the_path_prefix(page_folder: Path, http: aiohttp.ClientSession) -> None:
    async with running_stack(page_folder, path_prefix="/game/") as stack:
        async with http.get(f"{stack.url}/game?id=1", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (308, "game/?id=1")
        for path, status in (("/game/", 200), ("/", 404), ("/ws", 404), ("/game/assets/main-abc123.js", 200)):
            async with http.get(stack.url + path) as answer:
                assert answer.status == status, path
        async with http.get(url(stack, f"/game{CAM}/x")) as answer:
            assert answer.status == 200
        assert stack.streamer.requests[0][1] == "/remote/x"
        async with http.ws_connect(f"{stack.url}/game/ws?id=2") as socket:
            await socket.send_str("hello")
            assert (await socket.receive()).data == "hello"
        assert stack.matchmaker.targets == ["/?id=2"]
        async with http.get(f"{stack.url}/readyz") as answer:
            assert answer.status == 200


async def test_a_request_is_forwarded_to_a_registered_streamer(stack: RouterStack, http: aiohttp.ClientSession) -> None:
    headers = {"X-Own": "1", "Authorization": "Bearer secret", "Cookie": "a=secret", "X-Forwarded-For": "6.6.6.6"}
    async with http.put(url(stack, f"{CAM}/preset/a%20b?x=%2F"), data=b"body", headers=headers) as answer:
        assert answer.status == 200
        assert await answer.json() == {"method": "PUT", "body": 4}
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["X-Answer"] == "1"
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        request_id = answer.headers["X-Request-ID"]
    method, target, received, body = stack.streamer.requests[0]
    assert (method, target, body) == ("PUT", "/remote/preset/a%20b?x=%2F", b"body")
    assert received["X-Own"] == "1"
    assert "secret" not in str(received)
    assert received["X-Forwarded-For"] == "127.0.0.1"
    assert received["X-Request-ID"] == request_id
    assert received["Host"] == f"127.0.0.1:{stack.streamer.port}"


async def test_a_streamer_is_found_by_its_endpoint_id_alone(stack: RouterStack, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{stack.url}/proxy/cam/x") as answer:
        assert answer.status == 200


@pytest.mark.parametrize(("name", "status"), [("nobody", 404), ("pod-2%2Fbare", 404), ("10.0.0.7:80", 404)])
async def test_a_streamer_that_is_not_registered_or_has_no_api_is_not_found(
    stack: RouterStack, http: aiohttp.ClientSession, name: str, status: int
) -> None:
    async with http.get(url(stack, f"/proxy/{name}/x")) as answer:
        assert answer.status == status
    assert stack.reached == 0


async def test_a_streamer_that_left_is_not_found(stack: RouterStack, http: aiohttp.ClientSession) -> None:
    from pixelfleet.fleet.model import ServerReport

    await stack.store.report(ServerReport(server_id="pod-1", sequence=2))
    async with http.get(url(stack, f"{CAM}/x")) as answer:
        assert answer.status == 404
    assert stack.reached == 0


async def test_large_bodies_stream_both_ways(page_folder: Path, http: aiohttp.ClientSession) -> None:
    async with running_stack(page_folder, proxy_body_bytes=8 * 1024 * 1024) as stack:
        async with http.post(url(stack, f"{CAM}/x"), data=io.BytesIO(b"x" * 5_000_000)) as answer:
            assert await answer.json() == {"method": "POST", "body": 5_000_000}
        assert stack.streamer.requests[0][2]["Content-Length"] == "5000000"
        async with http.get(url(stack, f"{CAM}/stream")) as answer:
            assert await answer.read() == b"012"


async def test_a_redirect_is_forwarded_and_not_followed(stack: RouterStack, http: aiohttp.ClientSession) -> None:
    async with http.get(url(stack, f"{CAM}/away"), allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "http://evil.test/")


async def test_an_aborted_answer_is_aborted_for_the_client(stack: RouterStack, http: aiohttp.ClientSession) -> None:
    with pytest.raises(aiohttp.ClientError):
        async with http.get(url(stack, f"{CAM}/cut")) as answer:
            await answer.read()


async def test_an_unreachable_or_slow_streamer_gives_502_or_504(page_folder: Path, http: aiohttp.ClientSession) -> None:
    async with running_stack(page_folder, proxy_seconds=0.2) as stack:
        stack.streamer.wait = asyncio.Event()
        async with http.get(url(stack, f"{CAM}/x")) as answer:
            assert answer.status == 504
        stack.streamer.wait.set()


async def test_a_websocket_relays_text_and_binary_unchanged(stack: RouterStack, http: aiohttp.ClientSession) -> None:
    async with http.ws_connect(url(stack, f"{CAM}/live?x=1"), protocols=["bearer.secret", "chat"]) as socket:
        assert socket.protocol == "chat"
        await socket.send_bytes(b"\x00\xff")
        await socket.send_str("text")
        assert (await socket.receive()).data == b"\x00\xff"
        assert (await socket.receive()).data == "text"
        await stack.streamer.sockets[0].close(code=4007)
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 4007
    assert stack.streamer.targets == ["/remote/live?x=1"]
    assert "secret" not in str(stack.streamer.headers)


async def test_a_websocket_refused_by_the_streamer_is_an_http_status(
    stack: RouterStack, http: aiohttp.ClientSession
) -> None:
    stack.streamer.refuse = 403
    for path in (f"{CAM}/live", "/proxy/nobody/live"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await http.ws_connect(url(stack, path))
        assert error.value.status == (502 if path.startswith(CAM) else 404)


async def test_requests_to_the_matchmakers_api_carry_the_callers_token(
    stack: RouterStack, http: aiohttp.ClientSession
) -> None:
    path = "/api/v1/streamers/pod-1%2Fcam?x=1"
    async with http.get(url(stack, path), headers={"Authorization": "Bearer own"}) as answer:
        assert answer.status == 200
    _, target, received, _ = stack.matchmaker.requests[0]
    assert (target, received["Authorization"]) == (path, "Bearer own")
    async with http.get(url(stack, "/api/v1/apps")):
        pass
    assert "Authorization" not in stack.matchmaker.requests[1][2]


async def test_another_matchmaker_answers_when_one_is_unreachable(
    page_folder: Path, http: aiohttp.ClientSession
) -> None:
    async with half_reachable_stack(page_folder, "http") as (stack, _):
        for _ in range(4):
            async with http.get(f"{stack.url}/api/v1/apps") as answer:
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
        _, target, received, _ = matchmaker.requests[0]
        assert target in (f"/api/v1/streamers/{KEY}", f"/api/v1/streamers/{KEY.replace('/', '%2F')}")
        assert received["Authorization"] == f"Bearer {'t' * 20}"


async def test_a_refused_player_gets_the_reason(page_folder: Path, http: aiohttp.ClientSession) -> None:
    async with running_stack(page_folder, max_players=1) as stack:
        async with http.head(f"{stack.url}/ws") as answer:
            assert answer.status == 426
        async with http.ws_connect(f"{stack.url}/"), http.head(f"{stack.url}/ws") as answer:
            assert answer.status == 503


async def test_metrics_count_by_section_and_not_by_path(stack: RouterStack, http: aiohttp.ClientSession) -> None:
    for path in ("/", "/secret-path", f"{CAM}/x"):
        async with http.get(url(stack, path)):
            pass
    numbers = f"http://127.0.0.1:{stack.router.metrics_port}/metrics"
    async with http.ws_connect(f"{stack.url}/ws"), http.get(numbers) as answer:
        text = await answer.text()
    assert 'router_requests_total{door="page",status="200"} 1.0' in text
    assert 'router_requests_total{door="proxy",status="200"} 1.0' in text
    assert 'router_requests_total{door="ws",status="101"} 1.0' in text
    assert "router_player_socket_connections 1.0" in text
    assert "secret-path" not in text
