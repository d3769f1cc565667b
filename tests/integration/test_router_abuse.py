"""Strangers, other sites' pages and backends that go as far as they can: each costs itself alone."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from router import handlers as doors
from tests.integration.door import AccessPolicy, open_door, request, say
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
async def door(page_folder: Path) -> AsyncIterator[AccessPolicy]:
    async with open_door(page_folder, handshake_seconds=0.5, dashboard_auth="open", rest_token=TOKEN) as opened:
        yield opened


# -- one request, read in two ways -----------------------------------------------------------------------


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
async def test_a_head_that_is_not_plain_is_refused(door: AccessPolicy, head: bytes) -> None:
    status, answer = await say(door, head)
    assert status in (0, 400, 404, 505), answer
    assert door.reached == 0


@pytest.mark.parametrize(
    "data",
    [
        upgrade("/ws", "Content-Length: 5", body=b"hello"),
        upgrade("/ws", "Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n"),
        upgrade("/ws", "Content-Length: 0", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        upgrade("/ws", method="POST"),
        upgrade("http://door.test/ws"),
        upgrade("//door.test/ws"),
        upgrade("/ws", "Host: other.test"),
        upgrade("/ws").replace(b"Host: door.test\r\n", b""),
        upgrade("/ws", "X-Folded: a\r\n b"),
        upgrade("/ws", "X-Name : a"),
        upgrade("/ws").replace(b" HTTP/1.1\r\n", b" HTTP/1.1\n"),
        upgrade("/ws?a=b\t"),
        upgrade("/ws?a=\N{SNOWMAN}"),
        upgrade("/ws?a=b#c"),
    ],
)
async def test_a_websocket_with_a_body_or_elsewhere_is_no_player(door: AccessPolicy, data: bytes) -> None:
    status, answer = await say(door, data)
    assert 400 <= status < 500, answer
    assert door.reached == 0


@pytest.mark.parametrize("target", ["/%61pi/v1/apps", "/dashboard/%61pi/v1/apps", "/dashboard/api%2Fv1/apps"])
async def test_a_path_that_is_ours_only_once_decoded_is_refused(door: AccessPolicy, target: str) -> None:
    status, answer = await say(door, request(target))
    assert status in (400, 404), answer
    assert door.reached == 0


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
async def test_no_request_of_a_player_excludes_a_matchmaker(door: AccessPolicy, data: bytes) -> None:
    """A matchmaker is excluded when it cannot be dialled, which must not be the player's doing."""
    async with connection(door.router.port) as raw:
        await raw.send(data + frame(Op.TEXT, b"hello"))
        head = await raw.head()
        if head.startswith(b"HTTP/1.1 101 "):
            assert await raw.text() == b"hello"
        else:
            assert head.startswith(b"HTTP/1.1 400 ")
    assert [target.failures for target in door.router.matchmakers.pool.targets()] == [0]


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
async def test_files_are_served_from_their_folders_alone_and_nobody_is_sent_elsewhere(
    door: AccessPolicy, target: str
) -> None:
    status, answer = await say(door, request(target))
    assert status in (400, 403, 404), answer
    assert b"Location" not in answer


async def test_a_packed_body_is_passed_on_as_it_came(door: AccessPolicy) -> None:
    packed = gzip.compress(b"a" * 5_000_000)
    headers = ["Content-Encoding: gzip", f"Content-Length: {len(packed)}"]
    data = request(f"{CAM}/raw", *headers, method="POST", body=packed)
    status, answer = await say(door, data)
    assert status == 200, answer
    _, _, told, body = door.streamer.requests[0]
    assert (told["Content-Encoding"], told["Content-Length"], body) == ("gzip", str(len(packed)), packed)


async def test_what_speaks_of_the_caller_is_written_by_the_router_alone(door: AccessPolicy) -> None:
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
    status, _ = await say(door, request(f"{CAM}/x", *lies).replace(b"Connection: close\r\n", b"", 1))
    assert status == 200
    told = {name.lower(): value for name, value in door.streamer.requests[0][2].items()}
    assert len(told["x-request-id"]) == 32
    assert (told["x-forwarded-for"], told["x-forwarded-proto"]) == ("127.0.0.1", "http")
    assert not told.keys() & {"cookie", "authorization", "proxy-authorization", "forwarded", "x-real-ip"}
    assert "root" not in str(told)


# -- pages of other sites --------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", ["https://evil.test", "null", "http://door.test.evil.test", "http://door.test:81"])
async def test_another_sites_page_opens_no_websocket_at_an_open_proxy(door: AccessPolicy, origin: str) -> None:
    status, _ = await say(door, upgrade(f"{CAM}/live", f"Origin: {origin}"))
    assert status == 403
    assert door.reached == 0


async def test_our_own_page_does(door: AccessPolicy) -> None:
    status, _ = await say(door, upgrade(f"{CAM}/live", "Origin: http://door.test"))
    assert status == 101


async def test_another_sites_page_reads_no_open_proxy(page_folder: Path, door: AccessPolicy) -> None:
    _, answer = await say(door, request(f"{CAM}/x", "Origin: https://evil.test"))
    assert b"Access-Control-Allow" not in answer
    async with open_door(page_folder, origins=["https://shop.test"]) as other:
        for path in (f"{CAM}/x", "/api/v1/apps"):
            _, answer = await say(other, request(path, "Origin: https://shop.test"))
            assert b"Access-Control-Allow-Origin: https://shop.test" in answer


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
async def test_a_simple_form_does_not_act(door: AccessPolicy, kind: str) -> None:
    form = [f"Content-Type: {kind}", "Content-Length: 21", "Cookie: session=x"]
    data = request("/dashboard/api/v1/streamers/pod-1%2Fcam/drain", *form, method="POST", body=b"X-Pixelfleet-Action=1")
    status, _ = await say(door, data)
    assert status == 403
    assert door.reached == 0


# -- too much of it --------------------------------------------------------------------------------------


async def test_an_upgrade_header_does_not_get_round_the_limit_of_requests(page_folder: Path) -> None:
    async with open_door(page_folder, requests_per_second=1.0) as door:
        statuses = [(await say(door, request("/api/v1/apps", *UPGRADE)))[0] for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    assert door.matchmaker.begun == 5


async def test_who_is_no_proxy_of_ours_cannot_choose_the_address_that_is_counted(page_folder: Path) -> None:
    async with open_door(page_folder, requests_per_second=1.0) as door:
        for number in range(7):
            headers = [f"X-Forwarded-For: 192.0.2.{number}", f"X-Real-IP: 192.0.2.{number}", f"X-Request-ID: {number}"]
            status, answer = await say(door, request("/api/v1/apps", *headers))
        assert status == 429
        assert f"X-Request-ID: {number}\r\n".encode() not in answer


async def test_addresses_of_one_network_of_ipv6_count_together(page_folder: Path) -> None:
    async with open_door(page_folder, requests_per_second=1.0, trusted_proxies=1) as door:
        statuses = []
        for number in range(7):
            told = f"X-Forwarded-For: 6.6.6.{number}, [2001:db8:0:1::{number}]:4711"
            statuses.append((await say(door, request("/api/v1/apps", told)))[0])
        assert statuses == [200] * 5 + [429] * 2
        status, _ = await say(door, request("/api/v1/apps", "X-Forwarded-For: 2001:db8:0:2::1"))
        assert status == 200


async def test_the_matchmakers_own_token_cannot_be_guessed_at_full_speed(page_folder: Path) -> None:
    async with open_door(page_folder, logins_per_minute=4) as door:
        door.matchmaker.answers = 401
        guess = [(await say(door, request("/api/v1/apps", "Authorization: Bearer guess")))[0] for _ in range(4)]
        assert guess == [401, 401, 429, 429]
        assert door.matchmaker.begun == 2
        assert (await say(door, request("/api/v1/apps")))[0] == 401  # who shows nothing is not slowed down


async def test_websockets_to_streamers_count_as_exchanges(page_folder: Path) -> None:
    async with open_door(page_folder, proxies_at_once=1) as door, aiohttp.ClientSession() as http:
        async with http.ws_connect(URL(f"{door.url}{CAM}/live", encoded=True)):
            assert (await say(door, upgrade(f"{CAM}/live")))[0] == 503
            assert (await say(door, request(f"{CAM}/x")))[0] == 503
        await eventually(lambda: _gone(door), "the websocket has ended")
        assert (await say(door, request(f"{CAM}/x")))[0] == 200


def _gone(door: AccessPolicy) -> bool:
    return all(socket.closed for socket in door.streamer.sockets)


async def test_one_address_cannot_take_up_all_event_streams(page_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "STREAMS_PER_ADDRESS", 2)
    async with open_door(page_folder, dashboard_auth="open") as narrow:
        narrow.matchmaker.wait = asyncio.Event()
        events = request("/dashboard/api/v1/events")
        async with asyncio.TaskGroup() as group:
            held = [group.create_task(say(narrow, events)) for _ in range(2)]
            await eventually(lambda: narrow.matchmaker.begun == 2, "two streams are open")
            assert (await say(narrow, events))[0] == 429
            narrow.matchmaker.wait.set()
        assert [task.result()[0] for task in held] == [200, 200]
        assert (await say(narrow, events))[0] == 200


async def test_a_websocket_handshake_that_does_not_end_is_not_waited_for(door: AccessPolicy) -> None:
    status, answer = await say(door, upgrade("/ws")[:-4])
    assert (status, answer) == (0, b"")
    assert door.reached == 0


async def test_who_does_not_read_an_endless_answer_is_let_go(
    door: AccessPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.proxy.forward.WRITE_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", door.router.port, limit=1024)
    try:
        writer.write(request("/dashboard/api/v1/flood/events"))
        await reader.readline()  # and no more
        await eventually(lambda: door.matchmaker.ended == 1, "the matchmaker is let go, too")
    finally:
        writer.close()


# -- backends that lie, and logs -------------------------------------------------------------------------


async def test_a_streamer_that_changes_the_protocol_unasked_is_a_bad_gateway(door: AccessPolicy) -> None:
    door.streamer.answers = 101
    status, answer = await say(door, request(f"{CAM}/x"))
    assert status == 502, answer
