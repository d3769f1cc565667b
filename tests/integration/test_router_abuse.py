"""Hostile clients, pages of other sites and backends: each harms only its own connection."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from router import handlers
from tests.integration.router_stack import RouterStack, assert_not_found, request, running_stack, send_raw
from tests.parts import eventually
from tests.unit.pixelfleet.net.raw import Op, connection, frame

pytestmark = pytest.mark.integration

CAM = "/proxy/pod-1%2Fcam"
TOKEN = "operators-token-of-the-matchmaker"
UPGRADE = ["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ=="]


def upgrade(target: str, *headers: str, method: str = "GET", body: bytes = b"") -> bytes:
    whole = request(target, *UPGRADE, *headers, method=method, body=body)
    return whole.replace(b"Connection: close", b"Connection: Upgrade")


@pytest.fixture
async def stack(page_folder: Path) -> AsyncIterator[RouterStack]:
    async with running_stack(page_folder, handshake_seconds=3.0, dashboard_auth="open", rest_token=TOKEN) as opened:
        yield opened


# -- ambiguous requests ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        b"GET /api/v1/apps HTTP/1.1\r\n\r\n",
        b"GET /api/v1/apps HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\n\r\n",
        b"GET /api/v1/apps HTTP/1.1\r\nHost: a.test\r\n folded: b\r\n\r\n",
        b"GET /api/v1/apps HTTP/1.1\r\nHost : a.test\r\n\r\n",
        b"GET /api/v1/apps\nHost: a.test\n\n",
        b"GET /api/v1/apps HTTP/1.1\nHost: a.test\n\n",
        b"GET /api/v1/apps HTTP/1.1\r\nHost: a.test\nX: y\r\n\r\n",
        b"GET /api/v1/apps HTTP/9.9\r\nHost: a.test\r\n\r\n",
        b"GET http://127.0.0.1/api/v1/apps HTTP/1.1\r\nHost: a.test\r\n\r\n",
        b"GET a.test/api/v1/apps HTTP/1.1\r\nHost: a.test\r\n\r\n",
        b"GET /api/v1/apps#/../x HTTP/1.1\r\nHost: a.test\r\n\r\n",
    ],
)
async def test_a_malformed_head_is_refused(stack: RouterStack, head: bytes) -> None:
    status, answer = await send_raw(stack, head)
    assert status in (0, 400, 404, 505), answer
    assert stack.reached == 0


@pytest.mark.parametrize(
    "data",
    [
        upgrade("/ws", "Content-Length: 5", body=b"hello"),
        upgrade("/ws", "Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n"),
        upgrade("/ws", "Content-Length: 0", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        upgrade("/ws", method="POST"),
        upgrade("http://router.test/ws"),
        upgrade("//router.test/ws"),
        upgrade("/ws", "Host: other.test"),
        upgrade("/ws").replace(b"Host: router.test\r\n", b""),
        upgrade("/ws", "X-Folded: a\r\n b"),
        upgrade("/ws", "X-Name : a"),
        upgrade("/ws").replace(b" HTTP/1.1\r\n", b" HTTP/1.1\n"),
        upgrade("/ws?a=b\t"),
        upgrade("/ws?a=\N{SNOWMAN}"),
        upgrade("/ws?a=b#c"),
    ],
)
async def test_an_upgrade_with_a_body_or_at_another_path_is_refused(stack: RouterStack, data: bytes) -> None:
    status, answer = await send_raw(stack, data)
    assert 400 <= status < 500, answer
    assert stack.reached == 0


@pytest.mark.parametrize("target", ["/%61pi/v1/apps", "/dashboard/%61pi/v1/apps", "/dashboard/api%2Fv1/apps"])
async def test_a_path_that_is_routed_only_after_decoding_is_refused(stack: RouterStack, target: str) -> None:
    await assert_not_found(stack, target)


@pytest.mark.parametrize(
    "data",
    [
        upgrade("/ws?a=b#c"),
        upgrade("/ws?a=\N{SNOWMAN}"),
        upgrade("/ws", "Authorization: Bearer \N{SNOWMAN}"),
        upgrade("/ws").replace(b"Connection: Up", b"Authorization: Bearer \xff\r\nConnection: Up"),
        upgrade("/ws", "Sec-WebSocket-Protocol: pixelfleet, bearer.\N{SNOWMAN}"),
    ],
)
async def test_no_request_of_a_player_excludes_a_matchmaker(stack: RouterStack, data: bytes) -> None:
    """A matchmaker is excluded when a dial fails, which a player's request must not cause."""
    async with connection(stack.router.port) as raw:
        await raw.send(data + frame(Op.TEXT, b"hello"))
        head = await raw.head()
        if head.startswith(b"HTTP/1.1 101 "):
            assert await raw.text() == b"hello"
        else:
            assert head.startswith(b"HTTP/1.1 400 ")
    assert [target.failures for target in stack.router.matchmakers.pool.targets()] == [0]


@pytest.mark.parametrize(
    "target",
    [
        "/assets/..%2findex.html",
        "/assets/%2e%2e/index.html",
        "/assets/../index.html",
        "/assets/%2fetc%2fpasswd",
        "/dashboard/..%2fapp.py",
        "/dashboard/%2e%2e%2fapp.py",
        "/dashboard//etc/passwd",
        "//evil.test/",
        "//evil.test/..",
        "/\\evil.test",
    ],
)
async def test_files_are_served_from_their_folders_only_and_redirects_stay_on_the_host(
    stack: RouterStack, target: str
) -> None:
    status, answer = await send_raw(stack, request(target))
    assert status in (400, 403, 404), answer
    assert b"Location" not in answer


async def test_a_compressed_body_is_forwarded_unchanged(stack: RouterStack) -> None:
    packed = gzip.compress(b"a" * 5_000_000)
    headers = ["Content-Encoding: gzip", f"Content-Length: {len(packed)}"]
    data = request(f"{CAM}/raw", *headers, method="POST", body=packed)
    status, answer = await send_raw(stack, data)
    assert status == 200, answer
    _, _, received, body = stack.streamer.requests[0]
    assert (received["Content-Encoding"], received["Content-Length"], body) == ("gzip", str(len(packed)), packed)


async def test_headers_about_the_client_are_set_by_the_router_only(stack: RouterStack) -> None:
    lies = [
        "x-request-id: evil",
        "X-REAL-IP: 6.6.6.6",
        "Forwarded: for=6.6.6.6",
        "x-forwarded-for: 6.6.6.6",
        "X-Forwarded-Proto: https",
        "x-pixelfleet-subject: root",
        "cookie: session=secret",
        "authorization: Basic c2VjcmV0OnNlY3JldA==",
        "Proxy-Authorization: Basic secret",
        "Connection: close, X-Request-ID, X-Forwarded-For",
    ]
    status, _ = await send_raw(stack, request(f"{CAM}/x", *lies).replace(b"Connection: close\r\n", b"", 1))
    assert status == 200
    received = {name.lower(): value for name, value in stack.streamer.requests[0][2].items()}
    assert len(received["x-request-id"]) == 32
    assert (received["x-forwarded-for"], received["x-forwarded-proto"]) == ("127.0.0.1", "http")
    assert not received.keys() & {"cookie", "authorization", "proxy-authorization", "forwarded", "x-real-ip"}
    assert "root" not in str(received)


# -- pages of other sites --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin", ["https://evil.test", "null", "http://router.test.evil.test", "http://router.test:81"]
)
async def test_another_sites_page_opens_no_websocket_at_an_open_proxy(stack: RouterStack, origin: str) -> None:
    status, _ = await send_raw(stack, upgrade(f"{CAM}/live", f"Origin: {origin}"))
    assert status == 403
    assert stack.reached == 0


async def test_the_routers_own_page_opens_a_websocket_at_an_open_proxy(stack: RouterStack) -> None:
    status, _ = await send_raw(stack, upgrade(f"{CAM}/live", "Origin: http://router.test"))
    assert status == 101


async def test_another_sites_page_cannot_read_an_open_proxy(page_folder: Path, stack: RouterStack) -> None:
    _, answer = await send_raw(stack, request(f"{CAM}/x", "Origin: https://evil.test"))
    assert b"Access-Control-Allow" not in answer
    async with running_stack(page_folder, origins=["https://shop.test"]) as other:
        for path in (f"{CAM}/x", "/api/v1/apps"):
            _, answer = await send_raw(other, request(path, "Origin: https://shop.test"))
            assert b"Access-Control-Allow-Origin: https://shop.test" in answer


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
async def test_a_cross_site_form_is_refused(stack: RouterStack, kind: str) -> None:
    form = [f"Content-Type: {kind}", "Content-Length: 21", "Cookie: session=x"]
    data = request("/dashboard/api/v1/streamers/pod-1%2Fcam/drain", *form, method="POST", body=b"X-Pixelfleet-Action=1")
    status, _ = await send_raw(stack, data)
    assert status == 403
    assert stack.reached == 0


# -- limits ----------------------------------------------------------------------------------------------


async def test_an_upgrade_header_does_not_bypass_the_rate_limit(page_folder: Path) -> None:
    async with running_stack(page_folder, requests_per_second=1.0) as stack:
        statuses = [(await send_raw(stack, request("/api/v1/apps", *UPGRADE)))[0] for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    assert stack.matchmaker.begun == 5


async def test_x_forwarded_for_of_an_untrusted_client_is_ignored(page_folder: Path) -> None:
    async with running_stack(page_folder, requests_per_second=1.0) as stack:
        for number in range(7):
            headers = [f"X-Forwarded-For: 192.0.2.{number}", f"X-Real-IP: 192.0.2.{number}", f"X-Request-ID: {number}"]
            status, answer = await send_raw(stack, request("/api/v1/apps", *headers))
        assert status == 429
        assert f"X-Request-ID: {number}\r\n".encode() not in answer


async def test_addresses_of_one_network_of_ipv6_count_together(page_folder: Path) -> None:
    async with running_stack(page_folder, requests_per_second=1.0, trusted_proxies=1) as stack:
        statuses = []
        for number in range(7):
            received = f"X-Forwarded-For: 6.6.6.{number}, [2001:db8:0:1::{number}]:4711"
            statuses.append((await send_raw(stack, request("/api/v1/apps", received)))[0])
        assert statuses == [200] * 5 + [429] * 2
        status, _ = await send_raw(stack, request("/api/v1/apps", "X-Forwarded-For: 2001:db8:0:2::1"))
        assert status == 200


async def test_guesses_of_the_matchmakers_token_are_rate_limited(page_folder: Path) -> None:
    async with running_stack(page_folder, logins_per_minute=4) as stack:
        stack.matchmaker.answers = 401
        guess = [(await send_raw(stack, request("/api/v1/apps", "Authorization: Bearer guess")))[0] for _ in range(4)]
        assert guess == [401, 401, 429, 429]
        assert stack.matchmaker.begun == 2
        assert (await send_raw(stack, request("/api/v1/apps")))[0] == 401  # a request without a token is not limited


async def test_websockets_to_streamers_count_as_proxied_requests(page_folder: Path) -> None:
    async with running_stack(page_folder, proxies_at_once=1) as stack, aiohttp.ClientSession() as http:
        async with http.ws_connect(URL(f"{stack.url}{CAM}/live", encoded=True)):
            assert (await send_raw(stack, upgrade(f"{CAM}/live")))[0] == 503
            assert (await send_raw(stack, request(f"{CAM}/x")))[0] == 503
        await eventually(lambda: _gone(stack), "the websocket has ended")
        assert (await send_raw(stack, request(f"{CAM}/x")))[0] == 200


def _gone(stack: RouterStack) -> bool:
    return all(socket.closed for socket in stack.streamer.sockets)


async def test_one_address_cannot_occupy_all_event_streams(page_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "STREAMS_PER_ADDRESS", 2)
    async with running_stack(page_folder, dashboard_auth="open") as narrow:
        narrow.matchmaker.wait = asyncio.Event()
        events = request("/dashboard/api/v1/events")
        async with asyncio.TaskGroup() as group:
            held = [group.create_task(send_raw(narrow, events)) for _ in range(2)]
            await eventually(lambda: narrow.matchmaker.begun == 2, "two streams are open")
            assert (await send_raw(narrow, events))[0] == 429
            narrow.matchmaker.wait.set()
        assert [task.result()[0] for task in held] == [200, 200]
        assert (await send_raw(narrow, events))[0] == 200


async def test_an_unfinished_websocket_handshake_times_out(stack: RouterStack) -> None:
    status, answer = await send_raw(stack, upgrade("/ws")[:-4])
    assert (status, answer) == (0, b"")
    assert stack.reached == 0


async def test_a_client_that_does_not_read_an_endless_answer_is_disconnected(
    stack: RouterStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.proxy.forward.WRITE_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", stack.router.port, limit=1024)
    try:
        writer.write(request("/dashboard/api/v1/flood/events"))
        await reader.readline()  # and no more
        await eventually(lambda: stack.matchmaker.ended == 1, "the matchmaker's connection is closed, too")
    finally:
        writer.close()


# -- misbehaving backends --------------------------------------------------------------------------------


async def test_an_unrequested_101_of_a_streamer_is_a_bad_gateway(stack: RouterStack) -> None:
    stack.streamer.answers = 101
    status, answer = await send_raw(stack, request(f"{CAM}/x"))
    assert status == 502, answer
