"""Opening a websocket while the service takes its time to decide, or cannot."""

import asyncio
from collections.abc import AsyncIterator

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
from tests.unit.pixelfleet.net.doors import BOUNDS, OpenPort, door
from tests.unit.pixelfleet.net.raw import Op, Raw, connection, frame, request, upgrade

IMPATIENT = Bounds(handshake_seconds=0.2)


class Thinking:
    """An admission that waits until its gate is open, and then decides by the path."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.asked: asyncio.Queue[RequestHead] = asyncio.Queue()
        self.cancelled = asyncio.Event()
        self.door: OpenPort

    async def admit(self, head: RequestHead) -> Accepted | Refusal:
        self.asked.put_nowait(head)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        if head.path == "/refused":
            raise web.HTTPUnauthorized(reason="not today", headers={"WWW-Authenticate": "Bearer", "X-Inside": "1"})
        return await self.door.admit(head)


@pytest.fixture
async def thinking() -> AsyncIterator[Thinking]:
    made = Thinking()
    async with door(admit=made.admit, websocket_paths={"/ws", "/refused"}) as made.door:
        yield made


async def is_served(opened: OpenPort, raw: Raw, early: int = 0) -> None:
    """Make sure that a connection which was just upgraded is a websocket like any other."""
    assert (await raw.head()).startswith(b"HTTP/1.1 101 ")
    sock, heard = await opened.next()
    await raw.send(frame(Op.TEXT, b"up"))
    assert (await heard.count(early + 1))[-1] == b"up"
    sock.send(b"down")
    assert await raw.text() == b"down"


async def after_http(raw: Raw) -> None:
    """Use a connection for a plain request first, as a proxy's pool does."""
    await raw.send(request("/livez"))
    assert (await raw.response())[0] == 200


@pytest.mark.parametrize("is_used", [False, True], ids=["new", "kept alive"])
async def test_what_comes_before_the_decision_is_heard_after_it(thinking: Thinking, *, is_used: bool) -> None:
    async with connection(thinking.door.port) as raw:
        if is_used:
            await after_http(raw)
        await raw.send(upgrade("/ws?id=a") + frame(Op.TEXT, b"early"))
        head = await thinking.asked.get()
        assert (head.method, head.raw_path, head.remote, head.scheme) == ("GET", "/ws?id=a", "127.0.0.1", "http")
        await raw.send(frame(Op.TEXT, b"soon"))
        thinking.gate.set()
        assert (await raw.head()).startswith(b"HTTP/1.1 101 ")
        socket, heard = await thinking.door.next()
        assert await heard.count(2) == [b"early", b"soon"]
        socket.send(b"down")
        assert await raw.text() == b"down"


@pytest.mark.parametrize("is_used", [False, True], ids=["new", "kept alive"])
async def test_what_comes_early_is_read_within_bounds_and_arrives_whole(thinking: Thinking, *, is_used: bool) -> None:
    messages = [bytes([number]) * 60_000 for number in range(100)]
    async with connection(thinking.door.port) as raw:
        if is_used:
            await after_http(raw)
        await raw.send(upgrade("/ws"))
        await thinking.asked.get()
        sending = asyncio.create_task(raw.send(b"".join(frame(Op.TEXT, each) for each in messages)))
        async with connection(thinking.door.port) as other:  # a round trip, in which all that is read has been read
            await after_http(other)
        undecided = next(iter(thinking.door.server._handshakes._undecided._until))
        assert len(undecided.early) < 2 * MAX_EARLY_BYTES + 65536
        assert not undecided.transport.is_reading() or len(undecided.early) < MAX_EARLY_BYTES
        thinking.gate.set()
        assert (await raw.head()).startswith(b"HTTP/1.1 101 ")
        _, heard = await thinking.door.next()
        assert await heard.count(len(messages)) == messages
        await sending


async def test_a_breach_in_what_came_early_ends_the_connection_when_it_is_decided(
    thinking: Thinking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixelfleet.net.websocket.CLOSE_GRACE_SECONDS", 0.05)
    async with connection(thinking.door.port) as raw:
        await raw.send(upgrade("/ws") + frame(Op.TEXT, b"unmasked", mask=False) + frame(Op.TEXT, bytes(60_000)))
        await thinking.asked.get()
        async with connection(thinking.door.port) as other:  # a round trip, in which all that came has been read
            await after_http(other)
        undecided = next(iter(thinking.door.server._handshakes._undecided._until))
        thinking.gate.set()
        assert (await raw.head()).startswith(b"HTTP/1.1 101 ")
        assert (await raw.closing())[0] == 1002
        assert not undecided.transport.is_reading()
        assert await raw.rest() == b""


async def test_a_request_may_come_in_the_same_segment_as_those_before_it(thinking: Thinking) -> None:
    thinking.gate.set()
    async with connection(thinking.door.port) as raw:
        await raw.send(request("/livez") * 2 + upgrade("/ws") + frame(Op.TEXT, b"early"))
        for _ in range(2):
            assert (await raw.response())[0] == 200
        await is_served(thinking.door, raw, early=1)


@pytest.mark.parametrize("is_used", [False, True], ids=["new", "kept alive"])
async def test_an_http_error_of_the_admission_is_the_answer(thinking: Thinking, *, is_used: bool) -> None:
    thinking.gate.set()
    async with connection(thinking.door.port) as raw:
        if is_used:
            await after_http(raw)
        await raw.send(upgrade("/refused") + frame(Op.TEXT, b"early"))
        head = await raw.head()
        assert head.startswith(b"HTTP/1.1 401 Unauthorized\r\n")
        assert b"\r\nWWW-Authenticate: Bearer\r\n" in head
        assert b"X-Inside" not in head
        assert await raw.rest() == b'{"error":"not today"}'


async def test_other_paths_are_the_apps(thinking: Thinking) -> None:
    async with connection(thinking.door.port) as raw:
        await raw.send(upgrade("/livez"))
        assert (await raw.response())[0] == 200
        await raw.send(upgrade("/livez"))
        assert (await raw.response())[0] == 200
    assert thinking.asked.empty()


@pytest.mark.parametrize("path", ["/ws?a=/livez", "/%77s", "/ws?"])
async def test_a_path_is_compared_decoded_and_without_its_query(thinking: Thinking, path: str) -> None:
    thinking.gate.set()
    async with connection(thinking.door.port) as raw:
        await raw.send(upgrade(path))
        await is_served(thinking.door, raw)


@pytest.mark.parametrize("reset", [False, True], ids=["FIN", "RST"])
async def test_the_decision_is_cancelled_when_the_client_leaves(thinking: Thinking, *, reset: bool) -> None:
    async with connection(thinking.door.port) as raw:
        await raw.send(upgrade("/ws"))
        await thinking.asked.get()
        if reset:
            raw.reset()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await thinking.cancelled.wait()
    thinking.gate.set()
    async with connection(thinking.door.port) as raw:
        await raw.send(upgrade("/ws"))
        await is_served(thinking.door, raw)
    assert len(thinking.door.requests) == 1


async def test_a_decision_that_takes_too_long_is_a_503() -> None:
    made = Thinking()
    with capture_logs() as logs:
        async with door(IMPATIENT, admit=made.admit) as made.door, connection(made.door.port) as raw:
            await raw.send(upgrade("/ws?secret=x"))
            assert await raw.response() == (503, b"no decision in time")
            assert await raw.rest() == b""
            assert made.cancelled.is_set()
    assert [(each["event"], each["path"]) for each in logs] == [("no decision on a websocket in time", "/ws")]


async def test_only_so_many_wait_for_their_decisions(thinking: Thinking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_UNDECIDED", 1)
    async with connection(thinking.door.port) as first, connection(thinking.door.port) as second:
        await first.send(upgrade("/ws"))
        await thinking.asked.get()
        await second.send(upgrade("/ws"))
        assert await second.response() == (503, b"too many requests wait")
        thinking.gate.set()
        await is_served(thinking.door, first)


async def test_what_waits_when_the_port_closes_is_dropped(thinking: Thinking) -> None:
    async with connection(thinking.door.port) as raw:
        await raw.send(upgrade("/ws"))
        await thinking.asked.get()
        await thinking.door.server.__aexit__(None, None, None)
        assert await raw.rest() == b""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await thinking.cancelled.wait()


async def test_a_kept_alive_connection_that_asks_badly_is_refused_before_the_decision(thinking: Thinking) -> None:
    async with connection(thinking.door.port) as raw:
        await after_http(raw)
        await raw.send(upgrade("/ws").replace(b"Sec-WebSocket-Key", b"X-Key"))
        assert (await raw.response())[0] == 400
        assert await raw.rest() == b""
    assert thinking.asked.empty()


async def test_a_subprotocol_is_answered_when_it_is_chosen() -> None:
    async def admit(_: RequestHead) -> Accepted:
        return Accepted(WebSocket(BOUNDS, lambda _: None), "chat")

    async with door(admit=admit) as opened, connection(opened.port) as raw:
        await raw.send(upgrade())
        assert b"\r\nSec-WebSocket-Protocol: chat\r\n" in await raw.head()


async def test_nothing_is_logged_of_connections_that_change_hands(thinking: Thinking) -> None:
    thinking.gate.set()
    with capture_logs() as logs:
        async with connection(thinking.door.port) as raw:
            await after_http(raw)
            await raw.send(upgrade("/ws"))
            await is_served(thinking.door, raw)
    assert logs == []
