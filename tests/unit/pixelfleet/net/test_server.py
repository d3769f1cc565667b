"""The server for HTTP and websockets, tested over raw TCP."""

import asyncio
import socket
import ssl
from contextlib import AsyncExitStack
from http import HTTPStatus
from pathlib import Path

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from pixelfleet.net.bounds import Bounds
from pixelfleet.net.refusal import Refusal, refusal
from pixelfleet.net.request_head import MAX_HEAD_BYTES, RequestHead
from pixelfleet.net.server import Server
from pixelfleet.net.tls import server_context
from pixelfleet.service.errors import UsageError
from tests.unit.pixelfleet.net.certificates import make_certificate
from tests.unit.pixelfleet.net.raw import Op, Raw, connection, frame, request, upgrade, websocket
from tests.unit.pixelfleet.net.servers import BOUNDS, OpenPort, open_port

IMPATIENT = Bounds(handshake_seconds=0.2)


async def check_websocket(opened: OpenPort, raw: Raw) -> None:
    """Check the answer 101, then exchange a message in each direction."""
    assert (await raw.head()).startswith(b"HTTP/1.1 101 ")
    sock, received = await opened.next()
    await raw.send(frame(Op.TEXT, b"up"))
    assert (await received.count(1))[-1] == b"up"
    sock.send(b"down")
    assert await raw.text() == b"down"


# -- HTTP and websockets ----------------------------------------------------------------------------


async def test_http_and_websockets_share_a_port() -> None:
    async with open_port() as opened, connection(opened.port) as http, connection(opened.port) as ws:
        await http.send(request("/livez"))
        assert await http.response() == (200, b'{"status":"ok"}')
        await ws.send(upgrade("/ws?id=a"))
        await check_websocket(opened, ws)
        assert opened.requests[0].raw_path == "/ws?id=a"


async def test_a_kept_alive_connection_serves_many_requests() -> None:
    async with open_port() as opened, connection(opened.port) as http:
        for body in (b"one", b"", b"x" * 100_000):
            await http.send(request("/echo", method="POST", headers={"Content-Length": str(len(body))}) + body)
            assert await http.response() == (200, body)
        await http.send(request("/livez") * 3)
        for _ in range(3):
            assert (await http.response())[0] == 200


async def test_a_kept_alive_connection_can_become_a_websocket() -> None:
    """A proxy with a pool of connections sends an upgrade on one that has served a page."""
    async with open_port() as opened, connection(opened.port) as raw:
        await raw.send(request("/livez"))
        assert (await raw.response())[0] == 200
        await raw.send(upgrade("/ws"))
        await check_websocket(opened, raw)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Connection", "keep-alive, Upgrade"),
        ("Connection", "Upgrade ,keep-alive"),
        ("Connection", "UPGRADE"),
        ("Connection", "keep-alive\r\nConnection: upgrade"),
        ("Upgrade", "WebSocket, x"),
    ],
)
async def test_the_fields_of_an_upgrade_may_be_lists(field: str, value: str) -> None:
    head = upgrade().replace(f"{field}: {'Upgrade' if field == 'Connection' else 'websocket'}".encode(), b"X: y")
    async with open_port() as opened, connection(opened.port) as raw:
        await raw.send(head[:-2] + f"{field}: {value}\r\n\r\n".encode())
        assert (await raw.head()).startswith(b"HTTP/1.1 101 ")
        await opened.next()


async def test_a_message_may_come_in_the_same_segment_as_the_request() -> None:
    async with open_port() as opened, connection(opened.port) as raw:
        await raw.send(upgrade() + frame(Op.TEXT, b"early") + frame(Op.TEXT, bytes(5000)))
        assert (await raw.head()).startswith(b"HTTP/1.1 101 ")
        _, received = await opened.next()
        assert await received.count(2) == [b"early", bytes(5000)]


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_a_head_may_be_split_at_every_byte(kind: str) -> None:
    head = request("/livez") if kind == "http" else upgrade("/ws")
    async with open_port() as opened:
        for cut in range(1, len(head)):
            async with connection(opened.port) as raw:
                await raw.send(head[:cut])
                for _ in range(3):
                    await asyncio.sleep(0)
                await raw.send(head[cut:])
                if kind == "http":
                    assert (await raw.response())[0] == 200
                else:
                    await check_websocket(opened, raw)


async def test_a_head_may_come_byte_by_byte() -> None:
    async with open_port() as opened, connection(opened.port) as raw:
        for byte in upgrade("/slow"):
            await raw.send(bytes([byte]))
            await asyncio.sleep(0)
        await check_websocket(opened, raw)


@pytest.mark.parametrize("filler", [2_000, 4_000, 8_000, 15_000])
async def test_a_large_head_is_accepted_up_to_the_limit(filler: int) -> None:
    cookies = {f"X-{index}": "a" * 1000 for index in range(filler // 1000)}
    async with open_port() as opened, connection(opened.port) as raw:
        await raw.send(upgrade(headers=cookies))
        await check_websocket(opened, raw)
    async with open_port() as opened, connection(opened.port) as raw:
        await raw.send(request("/livez", headers=cookies))
        assert (await raw.response())[0] == 200


# -- refusals ---------------------------------------------------------------------------------------


async def test_an_upgrade_can_be_refused_with_a_status() -> None:
    async def refuse(_: RequestHead) -> Refusal:
        return refusal(HTTPStatus.SERVICE_UNAVAILABLE, "no room")

    async with open_port(admit=refuse) as opened, connection(opened.port) as raw:
        await raw.send(upgrade())
        assert await raw.response() == (503, b"no room")
        assert await raw.rest() == b""


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(upgrade().replace(b"Sec-WebSocket-Key", b"X-Key"), id="no key"),
        pytest.param(upgrade().replace(b"GET", b"POST"), id="not a GET"),
        pytest.param(upgrade().replace(b"HTTP/1.1", b"HTTP/1.0"), id="old HTTP"),
        pytest.param(upgrade(headers={"Content-Length": "5"}), id="with a body"),
        pytest.param(upgrade(headers={"broken header": ": x"}), id="broken header"),
    ],
)
async def test_a_broken_upgrade_is_a_bad_request(head: bytes) -> None:
    async with open_port() as opened, connection(opened.port) as raw:
        await raw.send(head)
        assert (await raw.response())[0] == 400
        assert await raw.rest() == b""


@pytest.mark.parametrize("version", [b"12", b"", b"\xff\xfe", b"13, 8"])
async def test_the_answer_to_another_version_lists_the_supported_one(version: bytes) -> None:
    async with open_port() as opened, connection(opened.port) as raw:
        await raw.send(upgrade().replace(b"Version: 13", b"Version: " + version))
        head = await raw.head()
        assert head.startswith(b"HTTP/1.1 426 ")
        assert b"\r\nSec-WebSocket-Version: 13\r\n" in head
        assert opened.requests == []


@pytest.mark.parametrize(
    "noise",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500 + b"\r\n\r\n",
        b"hello\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost\r\n\r\n",
        b"\xff" * 9000,
        b"a" * 20_000,
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
        request("/livez", headers={f"X-{index}": "a" for index in range(2000)}),
        upgrade(headers={f"X-{index}": "a" * 1000 for index in range(20)}),
    ],
    ids=[
        "TLS",
        "no HTTP",
        "HTTP/0.9",
        "HTTP/9.9",
        "no colon",
        "noise without a line",
        "a long line",
        "a long path",
        "many headers",
        "an upgrade over the bound",
    ],
)
async def test_garbage_ends_that_connection_alone_and_at_once(noise: bytes) -> None:
    async with open_port() as opened, connection(opened.port) as raw, websocket(opened.port) as good:
        await raw.send(noise)
        answer = await raw.rest()
        assert not answer or answer.split(b"\r\n")[0].split(b" ")[1][:1] == b"4"
        _, received = await opened.next()
        await good.send(frame(Op.TEXT, b"still here"))
        assert await received.count(1) == [b"still here"]


async def test_the_answer_to_a_bug_in_a_handler_has_no_details() -> None:
    with capture_logs() as logs:
        async with open_port() as opened, connection(opened.port) as raw:
            await raw.send(request("/broken"))
            assert await raw.response() == (500, b'{"error":"internal error"}')
    assert [(each["event"], each["path"]) for each in logs] == [("request failed", "/broken")]


async def test_the_answer_to_a_bug_in_an_admission_has_no_details() -> None:
    async def bug(_: object) -> Refusal:
        raise RuntimeError("an internal detail")

    with capture_logs() as logs:
        async with open_port(admit=bug) as opened, connection(opened.port) as raw:
            await raw.send(upgrade())
            status, body = await raw.response()
            assert status == 500
            assert b"detail" not in body
    assert [each["event"] for each in logs] == ["request failed"]


# -- time and the end -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"G", id="a byte"),
        pytest.param(upgrade()[:-2], id="all but the last line"),
        pytest.param(request("/livez")[:-1], id="all but a byte"),
    ],
)
async def test_a_connection_without_a_request_is_dropped_in_time(begun: bytes) -> None:
    async with open_port(IMPATIENT) as opened, connection(opened.port) as raw:
        await raw.send(begun)
        assert await raw.rest() == b""


LONG = request("/livez", headers={f"X-{index}": "a" * 1000 for index in range(MAX_HEAD_BYTES // 1000 + 1)})[:-2]


@pytest.mark.parametrize("begun", [LONG, b"\r\n\r\n"], ids=["a head over the bound", "empty lines"])
async def test_a_connection_without_a_complete_head_is_dropped_in_time(begun: bytes) -> None:
    async with open_port(IMPATIENT) as opened, connection(opened.port) as raw:
        await raw.send(begun)
        await raw.rest()


async def test_an_incomplete_second_request_is_dropped_in_time() -> None:
    async with open_port(IMPATIENT) as opened, connection(opened.port) as raw:
        await raw.send(request("/livez") + b"GET / HT")
        await raw.response()
        await raw.rest()


async def test_a_connection_with_a_request_in_time_stays_open() -> None:
    bounds = Bounds(handshake_seconds=1.0)
    async with open_port(bounds) as opened, websocket(opened.port) as ws, connection(opened.port) as http:
        await http.send(request("/livez"))
        await http.response()
        await asyncio.sleep(1.2 * bounds.handshake_seconds)  # what is tested is that time does nothing
        _, received = await opened.next()
        await ws.send(frame(Op.TEXT, b"still here"))
        await received.count(1)
        await http.send(request("/livez"))
        assert (await http.response())[0] == 200


@pytest.mark.parametrize("begun", [b"", upgrade()[:40], request("/echo", method="POST")[:-2]])
@pytest.mark.parametrize("reset", [False, True], ids=["FIN", "RST"])
async def test_a_disconnect_within_the_request_is_harmless(begun: bytes, *, reset: bool) -> None:
    async with open_port() as opened:
        async with connection(opened.port) as raw:
            await raw.send(begun)
            if reset:
                raw.reset()
        async with websocket(opened.port):
            await opened.next()
        assert len(opened.requests) == 1


async def test_a_reset_after_the_request_does_not_affect_other_connections() -> None:
    async with open_port() as opened:
        for _ in range(20):
            async with connection(opened.port) as raw:
                raw.writer.write(upgrade() + frame(Op.TEXT, b"x"))
                raw.reset()
        async with connection(opened.port) as raw:
            await raw.send(upgrade("/good"))
            assert (await raw.head()).startswith(b"HTTP/1.1 101 ")
            assert opened.requests[-1].path == "/good"


async def test_a_stopped_server_accepts_no_connections_and_keeps_websockets_open() -> None:
    async with open_port() as opened, websocket(opened.port) as ws:
        sock, received = await opened.next()
        opened.server.stop_listening()
        opened.server.stop_listening()
        with pytest.raises(ConnectionRefusedError):
            async with connection(opened.port):
                pass
        await opened.server.__aexit__(None, None, None)
        await ws.send(frame(Op.TEXT, b"still here"))
        assert await received.count(1) == [b"still here"]
        sock.send(b"and here")
        assert await ws.text() == b"and here"


async def test_connections_without_a_request_are_dropped_when_the_server_stops() -> None:
    async with AsyncExitStack() as after:
        async with open_port() as opened:
            raw = await after.enter_async_context(connection(opened.port))
            async with websocket(opened.port):  # the port takes one after the other
                await opened.next()
        await raw.send(upgrade())
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await raw.head()


async def test_a_running_request_finishes_when_the_server_stops() -> None:
    begun, finish = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        begun.set()
        await finish.wait()
        return web.Response(text="done")

    app = web.Application()
    app.router.add_get("/slow", slow)
    server = Server(app, OpenPort(BOUNDS).admit, host="127.0.0.1", port=0, option="--port", bounds=BOUNDS)
    async with asyncio.TaskGroup() as group:
        await server.__aenter__()
        async with connection(server.port) as raw:
            await raw.send(request("/slow"))
            await begun.wait()
            ending = group.create_task(server.__aexit__(None, None, None))
            await asyncio.sleep(0)
            finish.set()
            assert await raw.response() == (200, b"done")
            await ending


async def test_a_taken_port_is_a_usage_error_that_names_the_option() -> None:
    async with open_port() as opened:
        other = Server(
            web.Application(), opened.admit, host="127.0.0.1", port=opened.port, option="--that-port", bounds=BOUNDS
        )
        with pytest.raises(UsageError, match=f"--that-port {opened.port}: the port is taken"):
            await other.__aenter__()


async def test_a_closed_port_is_free_immediately() -> None:
    async with open_port() as opened, websocket(opened.port):
        port = opened.port
    with socket.create_server(("127.0.0.1", port)):
        pass


# -- TLS and the other loop -------------------------------------------------------------------------


async def test_everything_works_over_tls(tmp_path: Path) -> None:
    made = make_certificate(tmp_path)
    tls = await server_context(made.certificate, made.key)
    async with open_port(tls=tls) as opened:
        async with connection(opened.port, tls=made.client()) as raw:
            await raw.send(request("/livez") * 2)
            assert [(await raw.response())[0] for _ in range(2)] == [200, 200]
        async with connection(opened.port, tls=made.client()) as raw:
            await raw.send(upgrade()[:30])
            await raw.send(upgrade()[30:] + frame(Op.TEXT, bytes(70_000)))
            assert (await raw.head()).startswith(b"HTTP/1.1 101 ")
            sock, received = await opened.next()
            assert await received.count(1) == [bytes(70_000)]
            sock.send(bytes(100_000))
            assert await raw.text() == bytes(100_000)


async def test_a_client_without_tls_is_dropped(tmp_path: Path) -> None:
    made = make_certificate(tmp_path)
    tls = await server_context(made.certificate, made.key)
    async with open_port(IMPATIENT, tls=tls) as opened:
        async with connection(opened.port) as raw:
            await raw.send(upgrade())
            assert b"101" not in await raw.rest()
        async with connection(opened.port) as silent:
            assert await silent.rest() == b""
        with pytest.raises(ssl.SSLError):
            async with connection(opened.port, tls=ssl.create_default_context()):
                pass


def test_the_server_runs_on_the_asyncio_event_loop() -> None:
    async def talk() -> None:
        async with open_port() as opened, connection(opened.port) as ws, connection(opened.port) as http:
            await ws.send(upgrade() + frame(Op.TEXT, b"early"))
            assert (await ws.head()).startswith(b"HTTP/1.1 101 ")
            sock, received = await opened.next()
            assert await received.count(1) == [b"early"]
            sock.send(bytes(100_000))
            assert await ws.text() == bytes(100_000)
            await http.send(request("/livez"))
            assert (await http.response())[0] == 200

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(talk())
