"""Dialling a server that a raw listener plays, well and badly."""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from pixelfleet.net.bounds import Bounds
from pixelfleet.net.dial import DialError, dial
from pixelfleet.net.tls import server_context
from pixelfleet.net.websocket import WebSocket
from pixelfleet.protocol import close_codes
from tests.parts import PATIENCE_SECONDS, free_port
from tests.unit.pixelfleet.net.certificates import make_certificate
from tests.unit.pixelfleet.net.raw import Listener, Op, Raw, accepted, close_frame, frame, listener
from tests.unit.pixelfleet.net.servers import BOUNDS, Recorder, open_port

IMPATIENT = Bounds(handshake_seconds=0.2)


def server_frame(op: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    return frame(op, payload, fin=fin, mask=False)


async def connected(listening: Listener, bounds: Bounds = BOUNDS, path: str = "/") -> tuple[WebSocket, Recorder, Raw]:
    """Dial a listener that accepts; return our socket, what is received on it, and the other end."""
    received = Recorder()
    async with asyncio.TaskGroup() as group:
        dialling = group.create_task(dial(f"ws://127.0.0.1:{listening.port}{path}", lambda _: received, bounds))
        raw, _ = await listening.accept()
    return dialling.result(), received, raw


async def test_a_dialled_and_an_accepted_websocket_exchange_messages() -> None:
    received = Recorder()
    async with open_port() as opened:
        socket = await dial(f"ws://127.0.0.1:{opened.port}/a?b=c", lambda _: received, BOUNDS, headers={"X-Name": "x"})
        there, heard_there = await opened.next()
        assert opened.requests[0].raw_path == "/a?b=c"
        assert opened.requests[0].headers["X-Name"] == "x"
        socket.send(b"up" * 50_000)
        assert await heard_there.count(1) == [b"up" * 50_000]
        there.send(b"down")
        assert await received.count(1) == [b"down"]
        there.close(close_codes.STREAMER_LEFT)
        assert await received.end() == await heard_there.end() == (4000, "the streamer left")
        assert not socket.is_open


async def test_messages_right_after_the_answer_are_delivered() -> None:
    received = Recorder()
    async with listener() as listening, asyncio.TaskGroup() as group:
        dialling = group.create_task(dial(f"ws://127.0.0.1:{listening.port}/", lambda _: received, BOUNDS))
        raw = await listening.next()
        early = server_frame(Op.TEXT, b"config") + server_frame(Op.TEXT, bytes(9000)) + close_frame(4100, mask=False)
        await raw.send(accepted(await raw.head()) + early)
        socket = await dialling
        assert await received.end() == (4100, "")
        assert received.messages == [b"config", bytes(9000)]
        assert not socket.is_open


async def test_messages_sent_on_open_arrive() -> None:
    def opened(socket: WebSocket) -> Recorder:
        socket.send(b"hello")
        return Recorder()

    async with listener() as listening, asyncio.TaskGroup() as group:
        dialling = group.create_task(dial(f"ws://127.0.0.1:{listening.port}/", opened, BOUNDS))
        raw, _ = await listening.accept()
        assert await raw.text() == b"hello"
        (await dialling).abort()


# -- servers that cannot be had ---------------------------------------------------------------------


async def refused(url: str, bounds: Bounds = BOUNDS) -> str:
    """Dial in vain; return why."""
    opened: list[WebSocket] = []
    with pytest.raises(DialError) as error:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await dial(url, opened.append, bounds)
    assert opened == []
    assert str(error.value)
    return str(error.value)


async def test_a_refused_connection_is_a_dial_error() -> None:
    await refused(f"ws://127.0.0.1:{free_port()}/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ws://",
        "ws:///path",
        "http://127.0.0.1/",
        "127.0.0.1:4000",
        "ws://127.0.0.1:99999/",
        "ws://127.0.0.1:x/",
        "ws://[::1/",
        "ws://127.0.0.1:1/#fragment",
        "ws://no.such.host.invalid/",
        "ws://a..b/",
    ],
)
async def test_an_invalid_url_is_a_dial_error(url: str) -> None:
    await refused(url)


async def test_the_error_for_an_invalid_url_does_not_contain_it() -> None:
    for url in ("ws://127.0.0.1:1/?session=t0psecret#x", "ws://t0psecret:t0psecret@h:t0psecret/", "t0psecret"):
        assert "t0psecret" not in await refused(url)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"HTTP/1.1 101 Switch", id="half a line"),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n", id="half a head"),
    ],
)
@pytest.mark.parametrize("reset", [False, True], ids=["FIN", "RST"])
async def test_a_disconnect_before_the_answer_is_a_dial_error(answer: bytes, *, reset: bool) -> None:
    async with listener() as listening, asyncio.TaskGroup() as group:
        refusing = group.create_task(refused(f"ws://127.0.0.1:{listening.port}/"))
        raw = await listening.next()
        await raw.head()
        await raw.send(answer)
        if reset:
            raw.reset()
        else:
            await raw.close()
        await refusing


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        pytest.param(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", "403", id="forbidden"),
        pytest.param(
            b"HTTP/1.1 403 Forbidden\r\nContent-Length: 17\r\n\r\nthe clocks differ", ": the clocks differ", id="reason"
        ),
        pytest.param(b"HTTP/1.1 503 Service Unavailable\r\n\r\n", "503", id="full"),
        pytest.param(b"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:9/\r\n\r\n", "302", id="redirect"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", "200", id="a page"),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "upgrade", id="no headers"),
        pytest.param(accepted(b"Sec-WebSocket-Key: other\r\n"), "sec-websocket-accept", id="another's key"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "", id="another protocol"),
        pytest.param(b"\x00" * 20_000, "", id="zeros"),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\n" + b"X-A: b\r\n" * 3000, "", id="an endless head"),
    ],
)
async def test_an_answer_other_than_101_is_a_dial_error(answer: bytes, why: str) -> None:
    async with listener() as listening, asyncio.TaskGroup() as group:
        refusing = group.create_task(refused(f"ws://127.0.0.1:{listening.port}/"))
        raw = await listening.next()
        await raw.head()
        await raw.send(answer)
        assert why in await refusing
        await raw.rest()


async def test_a_missing_answer_is_a_dial_error_after_the_timeout() -> None:
    async with listener() as listening, asyncio.TaskGroup() as group:
        refusing = group.create_task(refused(f"ws://127.0.0.1:{listening.port}/", IMPATIENT))
        raw = await listening.next()
        await raw.head()
        assert await refusing == "no answer in time"
        assert await raw.rest() == b""


async def test_an_answer_after_the_timeout_opens_no_websocket() -> None:
    async with listener() as listening, asyncio.TaskGroup() as group:
        refusing = group.create_task(refused(f"ws://127.0.0.1:{listening.port}/", IMPATIENT))
        raw = await listening.next()
        head = await raw.head()
        await refusing
        await raw.send(accepted(head))
        assert await raw.rest() == b""


async def test_a_cancelled_dial_closes_its_connection() -> None:
    opened: list[WebSocket] = []
    async with listener() as listening:
        dialling = asyncio.create_task(dial(f"ws://127.0.0.1:{listening.port}/", opened.append, IMPATIENT))
        raw = await listening.next()
        head = await raw.head()
        dialling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dialling
        await raw.send(accepted(head))
        assert await raw.rest() == b""
    assert opened == []


# -- servers that misbehave later -------------------------------------------------------------------


async def test_the_limits_apply_to_servers() -> None:
    async with listener() as listening:
        _, received, raw = await connected(listening, Bounds(message_bytes=1000))
        await raw.send(server_frame(Op.TEXT, bytes(1001)))
        assert (await raw.closing())[0] == close_codes.MESSAGE_TOO_BIG.code
        assert (await received.end())[0] == close_codes.MESSAGE_TOO_BIG.code


async def test_a_masked_frame_from_a_server_is_a_protocol_error() -> None:
    async with listener() as listening:
        _, received, raw = await connected(listening)
        await raw.send(frame(Op.TEXT, b"x"))
        assert (await raw.closing())[0] == close_codes.PROTOCOL_ERROR.code
        assert (await received.end())[0] == close_codes.PROTOCOL_ERROR.code


async def test_an_exception_of_a_handler_is_logged_and_closes_the_connection() -> None:
    def bug(_: bytes) -> None:
        raise RuntimeError("an internal detail")

    with capture_logs() as logs:
        async with listener() as listening:
            _, received, raw = await connected(listening)
            received.on_message = bug
            await raw.send(server_frame(Op.TEXT, b"x") * 2)
            assert await raw.closing() == (1011, "")
            assert (await received.end())[0] == 1011
            assert received.messages == [b"x"]
    assert [each["event"] for each in logs] == ["websocket failed"]


async def test_a_lost_connection_has_the_abnormal_code() -> None:
    async with listener() as listening:
        socket, received, raw = await connected(listening)
        raw.reset()
        assert (await received.end())[0] == close_codes.ABNORMAL
        assert not socket.is_open


async def test_frames_of_a_client_are_masked() -> None:
    async with listener() as listening:
        socket, _, raw = await connected(listening)
        for size in (0, 5, 200, 70_000):
            socket.send(bytes(range(256)) * (size // 256) + b"x" * (size % 256))
            op, payload = await raw.frame()
            assert (op, len(payload)) == (Op.TEXT, size)
        socket.close(close_codes.NORMAL)
        assert await raw.closing() == (1000, "bye")


async def test_dialling_with_tls(tmp_path: Path) -> None:
    made = make_certificate(tmp_path)
    received = Recorder()
    async with open_port(tls=await server_context(made.certificate, made.key)) as opened:
        socket = await dial(f"wss://localhost:{opened.port}/", lambda _: received, BOUNDS, tls=made.client())
        there, heard_there = await opened.next()
        socket.send(bytes(100_000))
        assert await heard_there.count(1) == [bytes(100_000)]
        there.close(close_codes.KICKED)
        assert (await received.end())[0] == close_codes.KICKED.code
        await refused(f"wss://localhost:{opened.port}/")
