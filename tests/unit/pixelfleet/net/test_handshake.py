"""The opening handshake: admissions that take time, refuse or fail."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from pixelfleet.net import handshake as module
from pixelfleet.net.bounds import Bounds
from pixelfleet.net.handshake import MAX_EARLY_BYTES, Accepted
from pixelfleet.net.refusal import Refusal
from pixelfleet.net.request_head import RequestHead
from pixelfleet.net.websocket import WebSocket
from tests.parts import PATIENCE_SECONDS
from tests.unit.pixelfleet.net.raw import Op, Raw, connection, frame, request, upgrade
from tests.unit.pixelfleet.net.servers import BOUNDS, OpenPort, open_port

IMPATIENT = Bounds(handshake_seconds=0.2)


class SlowAdmission:
    """An admission that waits until its gate is open, then decides by the path."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.asked: asyncio.Queue[RequestHead] = asyncio.Queue()
        self.cancelled = asyncio.Event()
        self.opened: OpenPort

    async def admit(self, head: RequestHead) -> Accepted | Refusal:
        self.asked.put_nowait(head)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        if head.path == "/refused":
            raise web.HTTPUnauthorized(reason="not today", headers={"WWW-Authenticate": "Bearer", "X-Inside": "1"})
        return await self.opened.admit(head)


@pytest.fixture
async def admission() -> AsyncIterator[SlowAdmission]:
    made = SlowAdmission()
    async with open_port(admit=made.admit, websocket_paths={"/ws", "/refused"}) as made.opened:
        yield made


async def check_websocket(opened: OpenPort, raw: Raw, early: int = 0) -> None:
    """Check the answer 101, then exchange a message in each direction."""
    assert (await raw.head()).startswith(b"HTTP/1.1 101 ")
    sock, received = await opened.next()
    await raw.send(frame(Op.TEXT, b"up"))
    assert (await received.count(early + 1))[-1] == b"up"
    sock.send(b"down")
    assert await raw.text() == b"down"


async def plain_request(raw: Raw) -> None:
    """Use a connection for a plain request, as a proxy's pool does before it sends a request for a websocket."""
    await raw.send(request("/livez"))
    assert (await raw.response())[0] == 200


async def wait_until(condition: Callable[[], bool], opened: OpenPort) -> None:
    """Let the event loop run, by round trips over another connection, until a condition holds; fail after many.

    It takes no time into account, and a test fails quickly when the condition never holds.
    """
    async with connection(opened.port) as other:
        for _ in range(200):
            if condition():
                return
            await plain_request(other)
    pytest.fail("the condition does not become true")


def undecided(opened: OpenPort) -> module._Handshake:
    """Return the connection that awaits its decision."""
    (handshake,) = opened.server._handshakes._undecided._until
    return handshake


@pytest.mark.parametrize("is_used", [False, True], ids=["new", "kept alive"])
async def test_what_comes_before_the_decision_is_heard_after_it(admission: SlowAdmission, *, is_used: bool) -> None:
    async with connection(admission.opened.port) as raw:
        if is_used:
            await plain_request(raw)
        await raw.send(upgrade("/ws?id=a") + frame(Op.TEXT, b"early"))
        head = await admission.asked.get()
        assert (head.method, head.raw_path, head.remote, head.scheme) == ("GET", "/ws?id=a", "127.0.0.1", "http")
        await raw.send(frame(Op.TEXT, b"soon"))
        admission.gate.set()
        assert (await raw.head()).startswith(b"HTTP/1.1 101 ")
        socket, received = await admission.opened.next()
        assert await received.count(2) == [b"early", b"soon"]
        socket.send(b"down")
        assert await raw.text() == b"down"


@pytest.mark.parametrize("is_used", [False, True], ids=["new", "kept alive"])
async def test_early_data_is_bounded_and_arrives_complete(admission: SlowAdmission, *, is_used: bool) -> None:
    messages = [bytes([number]) * 60_000 for number in range(100)]
    async with connection(admission.opened.port) as raw:
        if is_used:
            await plain_request(raw)
        await raw.send(upgrade("/ws"))
        await admission.asked.get()
        sending = asyncio.create_task(raw.send(b"".join(frame(Op.TEXT, each) for each in messages)))
        handshake = undecided(admission.opened)
        await wait_until(lambda: not handshake.transport.is_reading(), admission.opened)
        assert MAX_EARLY_BYTES <= len(handshake.early) < 2 * MAX_EARLY_BYTES + 65536
        admission.gate.set()
        assert (await raw.head()).startswith(b"HTTP/1.1 101 ")
        assert handshake.transport.is_reading()
        _, received = await admission.opened.next()
        assert await received.count(len(messages)) == messages
        await sending


async def test_a_protocol_error_in_early_data_closes_the_websocket_after_the_decision(
    admission: SlowAdmission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixelfleet.net.websocket.CLOSE_GRACE_SECONDS", 0.05)
    async with connection(admission.opened.port) as raw:
        await raw.send(upgrade("/ws") + frame(Op.TEXT, b"unmasked", mask=False) + frame(Op.TEXT, bytes(60_000)))
        await admission.asked.get()
        handshake = undecided(admission.opened)
        await wait_until(lambda: len(handshake.early) >= MAX_EARLY_BYTES, admission.opened)
        admission.gate.set()
        assert (await raw.head()).startswith(b"HTTP/1.1 101 ")
        assert (await raw.closing())[0] == 1002
        assert not handshake.transport.is_reading()
        assert await raw.rest() == b""


@pytest.mark.parametrize("is_used", [False, True], ids=["new", "kept alive"])
async def test_a_protocol_error_right_behind_the_request_stops_reading(*, is_used: bool) -> None:
    sockets: list[WebSocket] = []

    def admit(_: RequestHead) -> Accepted:
        sockets.append(WebSocket(BOUNDS, lambda _: None))
        return Accepted(sockets[0])

    async with open_port(admit=admit, websocket_paths={"/ws"}) as opened, connection(opened.port) as raw:
        if is_used:
            await plain_request(raw)
        await raw.send(upgrade("/ws") + frame(Op.TEXT, b"unmasked", mask=False))
        assert (await raw.head()).startswith(b"HTTP/1.1 101 ")
        assert (await raw.closing())[0] == 1002
        transport = sockets[0]._transport
        assert transport is not None
        assert not transport.underlying_transport.is_reading()
        sockets[0].abort()
        await raw.rest()


async def test_a_request_may_arrive_in_the_same_segment_as_earlier_ones(admission: SlowAdmission) -> None:
    admission.gate.set()
    async with connection(admission.opened.port) as raw:
        await raw.send(request("/livez") * 2 + upgrade("/ws") + frame(Op.TEXT, b"early"))
        for _ in range(2):
            assert (await raw.response())[0] == 200
        await check_websocket(admission.opened, raw, early=1)


@pytest.mark.parametrize("is_used", [False, True], ids=["new", "kept alive"])
async def test_an_http_exception_of_the_admission_is_the_answer(admission: SlowAdmission, *, is_used: bool) -> None:
    admission.gate.set()
    async with connection(admission.opened.port) as raw:
        if is_used:
            await plain_request(raw)
        await raw.send(upgrade("/refused") + frame(Op.TEXT, b"early"))
        head = await raw.head()
        assert head.startswith(b"HTTP/1.1 401 Unauthorized\r\n")
        assert b"\r\nWWW-Authenticate: Bearer\r\n" in head
        assert b"X-Inside" not in head
        assert await raw.rest() == b'{"error":"not today"}'


async def test_the_app_serves_other_paths(admission: SlowAdmission) -> None:
    async with connection(admission.opened.port) as raw:
        await raw.send(upgrade("/livez"))
        assert (await raw.response())[0] == 200
        await raw.send(upgrade("/livez"))
        assert (await raw.response())[0] == 200
    assert admission.asked.empty()


@pytest.mark.parametrize("path", ["/ws?a=/livez", "/%77s", "/ws?"])
async def test_paths_are_compared_decoded_and_without_query(admission: SlowAdmission, path: str) -> None:
    admission.gate.set()
    async with connection(admission.opened.port) as raw:
        await raw.send(upgrade(path))
        await check_websocket(admission.opened, raw)


@pytest.mark.parametrize("reset", [False, True], ids=["FIN", "RST"])
async def test_the_decision_is_cancelled_when_the_client_disconnects(admission: SlowAdmission, *, reset: bool) -> None:
    async with connection(admission.opened.port) as raw:
        await raw.send(upgrade("/ws"))
        await admission.asked.get()
        if reset:
            raw.reset()
    await wait_until(admission.cancelled.is_set, admission.opened)
    admission.gate.set()
    async with connection(admission.opened.port) as raw:
        await raw.send(upgrade("/ws"))
        await check_websocket(admission.opened, raw)
    assert len(admission.opened.requests) == 1


async def test_a_decision_after_the_deadline_is_a_503() -> None:
    made = SlowAdmission()
    with capture_logs() as logs:
        async with open_port(IMPATIENT, admit=made.admit) as made.opened, connection(made.opened.port) as raw:
            await raw.send(upgrade("/ws?secret=x"))
            await made.asked.get()
            await asyncio.sleep(2 * IMPATIENT.handshake_seconds)  # this timer started after that of the deadline
            await wait_until(made.cancelled.is_set, made.opened)
            assert await raw.response() == (503, b"no decision in time")
            assert await raw.rest() == b""
    assert [(each["event"], each["path"]) for each in logs] == [("admission timed out", "/ws")]


async def test_the_number_of_undecided_requests_is_limited(
    admission: SlowAdmission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_UNDECIDED", 1)
    async with connection(admission.opened.port) as first, connection(admission.opened.port) as second:
        await first.send(upgrade("/ws"))
        await admission.asked.get()
        await second.send(upgrade("/ws"))
        assert await second.response() == (503, b"too many undecided requests")
        admission.gate.set()
        await check_websocket(admission.opened, first)


async def test_undecided_requests_are_dropped_when_the_server_stops(admission: SlowAdmission) -> None:
    async with connection(admission.opened.port) as raw:
        await raw.send(upgrade("/ws"))
        await admission.asked.get()
        await admission.opened.server.__aexit__(None, None, None)
        assert await raw.rest() == b""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await admission.cancelled.wait()


async def test_a_bad_request_on_a_used_connection_is_refused_without_a_decision(admission: SlowAdmission) -> None:
    async with connection(admission.opened.port) as raw:
        await plain_request(raw)
        await raw.send(upgrade("/ws").replace(b"Sec-WebSocket-Key", b"X-Key"))
        assert (await raw.response())[0] == 400
        assert await raw.rest() == b""
    assert admission.asked.empty()


async def test_the_answer_has_the_chosen_subprotocol() -> None:
    async def admit(_: RequestHead) -> Accepted:
        return Accepted(WebSocket(BOUNDS, lambda _: None), "chat")

    async with open_port(admit=admit) as opened, connection(opened.port) as raw:
        await raw.send(upgrade())
        assert b"\r\nSec-WebSocket-Protocol: chat\r\n" in await raw.head()


async def test_an_upgrade_of_a_used_connection_logs_nothing(admission: SlowAdmission) -> None:
    admission.gate.set()
    with capture_logs() as logs:
        async with connection(admission.opened.port) as raw:
            await plain_request(raw)
            await raw.send(upgrade("/ws"))
            await check_websocket(admission.opened, raw)
    assert logs == []
