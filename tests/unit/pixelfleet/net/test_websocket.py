"""A websocket with a raw TCP peer, which sends arbitrary bytes."""

import asyncio
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from pixelfleet.net import websocket as module
from pixelfleet.net.bounds import Bounds
from pixelfleet.net.dial import dial
from pixelfleet.net.websocket import MAX_REASON_BYTES, WebSocket, fit_reason
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode, catalogue
from tests.unit.pixelfleet.net.raw import Op, close_frame, frame, listener, websocket
from tests.unit.pixelfleet.net.servers import Recorder, accepting, open_port

SMALL = Bounds(message_bytes=1000)

# -- messages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", [Op.TEXT, Op.BINARY])
@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 256 * 1024])
async def test_a_message_arrives_whole(op: Op, size: int) -> None:
    async with open_port() as opened, websocket(opened.port) as peer:
        _, received = await opened.next()
        payload = bytes(size)
        await peer.send(frame(op, payload))
        assert await received.count(1) == [payload]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 8192, 8193, 65535, 65536, 300_000])
async def test_sent_messages_are_text_frames(size: int) -> None:
    async with open_port() as opened, websocket(opened.port) as peer:
        socket, _ = await opened.next()
        payload = b"a" * size
        socket.send(payload)
        assert await peer.frame() == (Op.TEXT, payload)


async def test_control_messages_are_binary_frames() -> None:
    async with open_port() as opened, websocket(opened.port) as peer:
        socket, _ = await opened.next()
        socket.send_control(b"order")
        assert await peer.frame() == (Op.BINARY, b"order")


async def test_only_a_whole_binary_frame_is_a_control_message() -> None:
    async with open_port() as opened, websocket(opened.port) as peer:
        socket, received = await opened.next()
        controls: list[bytes] = []
        socket.on_control = controls.append
        parts = frame(Op.BINARY, b"in ", fin=False) + frame(Op.CONTINUATION, b"parts")
        await peer.send(frame(Op.TEXT, b"text") + frame(Op.BINARY, b"order") + parts)
        assert await received.count(2) == [b"text", b"in parts"]
        assert controls == [b"order"]


async def test_messages_keep_their_order() -> None:
    async with open_port() as opened, websocket(opened.port) as peer:
        socket, received = await opened.next()
        received.on_message = socket.send
        sent = [b"%d" % number * (number * 37 % 500) for number in range(300)]
        await peer.send(b"".join(frame(Op.TEXT, data) for data in sent))
        assert [await peer.text() for _ in sent] == sent
        assert received.messages == sent


@pytest.mark.parametrize(
    "parts",
    [[b"a", b"b"], [b"", b"b"], [b"a", b""], [b"", b"", b""], [b"a"] * 50],
    ids=["two", "empty first", "empty last", "all empty", "many"],
)
@pytest.mark.parametrize("op", [Op.TEXT, Op.BINARY])
async def test_fragments_are_one_message(op: Op, parts: list[bytes]) -> None:
    async with open_port() as opened, websocket(opened.port) as peer:
        _, received = await opened.next()
        for index, part in enumerate(parts):
            await peer.send(frame(op if not index else Op.CONTINUATION, part, fin=index == len(parts) - 1))
            await peer.send(frame(Op.PING, b"between"))
            assert await peer.frame() == (Op.PONG, b"between")
        await peer.send(frame(Op.TEXT, b"next"))
        assert await received.count(2) == [b"".join(parts), b"next"]


async def test_a_frame_may_arrive_byte_by_byte() -> None:
    wire = frame(Op.TEXT, b"one") + frame(Op.TEXT, b"t", fin=False) + frame(Op.PING) + frame(Op.CONTINUATION, b"wo")
    async with open_port() as opened, websocket(opened.port) as peer:
        _, received = await opened.next()
        for index in range(len(wire)):
            await peer.send(wire[index : index + 1])
            await asyncio.sleep(0)
        assert await received.count(2) == [b"one", b"two"]


# -- bounds -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [1001, 65536, 1 << 40, (1 << 63) - 1])
async def test_a_frame_over_the_bound_is_refused_by_its_length_alone(length: int) -> None:
    async with open_port(SMALL) as opened, websocket(opened.port) as peer:
        _, received = await opened.next()
        await peer.send(frame(Op.TEXT, b"", length=length))
        assert (await peer.closing())[0] == close_codes.MESSAGE_TOO_BIG.code
        assert (await received.end())[0] == close_codes.MESSAGE_TOO_BIG.code
        assert received.messages == []


async def test_a_frame_at_the_bound_is_taken() -> None:
    async with open_port(SMALL) as opened, websocket(opened.port) as peer:
        _, received = await opened.next()
        await peer.send(frame(Op.TEXT, bytes(1000)))
        assert await received.count(1) == [bytes(1000)]


async def test_fragments_together_may_not_exceed_the_bound() -> None:
    async with open_port(SMALL) as opened, websocket(opened.port) as peer:
        _, received = await opened.next()
        await peer.send(frame(Op.TEXT, bytes(600), fin=False) + frame(Op.CONTINUATION, bytes(401), fin=False))
        assert await peer.closing() == (close_codes.MESSAGE_TOO_BIG.code, close_codes.MESSAGE_TOO_BIG.reason)
        await peer.send(close_frame(1009))
        assert (await received.end())[0] == close_codes.MESSAGE_TOO_BIG.code
        assert received.messages == []


@pytest.mark.parametrize(("limit", "sizes"), [(100, (60, 41)), (5000, (600, 401))])
async def test_the_limit_of_fragments_can_be_lowered_but_not_raised(limit: int, sizes: tuple[int, int]) -> None:
    async with open_port(SMALL) as opened, websocket(opened.port) as peer:
        socket, received = await opened.next()
        socket.limit_fragments(limit)
        await peer.send(frame(Op.TEXT, bytes(900)) + frame(Op.TEXT, bytes(sizes[0]), fin=False))
        assert await received.count(1) == [bytes(900)]
        await peer.send(frame(Op.CONTINUATION, bytes(sizes[1]), fin=False))
        assert (await peer.closing())[0] == close_codes.MESSAGE_TOO_BIG.code


@pytest.mark.parametrize("size", [0, 2])
async def test_the_number_of_fragments_is_limited(size: int) -> None:
    async with open_port(Bounds()) as opened, websocket(opened.port) as peer:
        await opened.next()
        await peer.send(frame(Op.TEXT, fin=False) + frame(Op.CONTINUATION, bytes(size), fin=False) * 1024)
        assert (await peer.closing())[0] == close_codes.MESSAGE_TOO_BIG.code


async def test_too_many_messages_close_their_sender() -> None:
    async with open_port(Bounds(messages_per_second=0.001, message_burst=3)) as opened, websocket(opened.port) as peer:
        _, received = await opened.next()
        await peer.send(frame(Op.TEXT, b"x") * 10)
        assert await peer.closing() == (close_codes.RATE_LIMITED.code, close_codes.RATE_LIMITED.reason)
        await peer.send(close_frame(4104))
        assert await received.end() == (close_codes.RATE_LIMITED.code, close_codes.RATE_LIMITED.reason)
        assert len(received.messages) == 3


@pytest.mark.parametrize(
    "flood",
    [
        frame(Op.PING) * 2000,
        frame(Op.PONG) * 2000,
        frame(Op.TEXT, fin=False) + frame(Op.CONTINUATION, fin=False) * 2000,
    ],
    ids=["pings", "pongs", "fragments"],
)
async def test_too_many_frames_close_their_sender(flood: bytes) -> None:
    async with (
        open_port(Bounds(messages_per_second=0.001, message_burst=100)) as opened,
        websocket(opened.port) as peer,
    ):
        await opened.next()
        await peer.send(flood)
        while True:
            op, payload = await peer.frame()
            if op == Op.CLOSE:
                assert payload[:2] == struct.pack("!H", close_codes.RATE_LIMITED.code)
                return


async def test_a_flooding_peer_does_not_affect_others() -> None:
    bounds = Bounds(messages_per_second=0.001, message_burst=5)
    async with open_port(bounds) as opened, websocket(opened.port) as bad, websocket(opened.port) as good:
        await opened.next()
        _, received = await opened.next()
        await bad.send(frame(Op.TEXT, b"x") * 10)
        assert (await bad.closing())[0] == close_codes.RATE_LIMITED.code
        await good.send(frame(Op.TEXT, b"fine"))
        assert await received.count(1) == [b"fine"]


@pytest.mark.parametrize("bound", [16 * 1024, 256 * 1024])
async def test_a_peer_that_does_not_read_is_dropped_at_the_bound(bound: int) -> None:
    bounds = Bounds(send_buffer_bytes=bound)
    async with open_port(bounds) as opened, websocket(opened.port, receive_buffer=4096) as peer:
        socket, received = await opened.next()
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it reads as well as it writes
        sent, biggest = 0, 0
        while not received.ends:
            socket.send(bytes(4096))
            sent += 4096
            if (transport := socket._transport) is not None:
                biggest = max(biggest, transport.underlying_transport.get_write_buffer_size())
            assert sent < 64 * 1024 * 1024, "it is never dropped"
            await asyncio.sleep(0)
        assert await received.end() == (close_codes.SLOW_CONSUMER.code, close_codes.SLOW_CONSUMER.reason)
        assert bound - 4096 <= biggest <= bound + 2 * 4096
        assert not socket.is_open


async def test_a_peer_that_reads_may_be_sent_more_than_the_bound() -> None:
    async with open_port(Bounds(send_buffer_bytes=64 * 1024)) as opened, websocket(opened.port) as peer:
        socket, received = await opened.next()
        for _ in range(100):
            socket.send(bytes(8000))
            assert len(await peer.text()) == 8000
        assert received.ends == []


# -- broken framing ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        pytest.param(frame(Op.CONTINUATION, b"x"), 1002, id="continuation of nothing"),
        pytest.param(frame(Op.TEXT, b"a", fin=False) + frame(Op.TEXT, b"b"), 1002, id="text inside a text"),
        pytest.param(frame(Op.TEXT, fin=False) + frame(Op.BINARY, fin=False), 1002, id="begun twice"),
        pytest.param(frame(3, b"x"), 1002, id="unknown type"),
        pytest.param(frame(Op.TEXT, b"x", mask=False), 1002, id="not masked"),
        pytest.param(frame(Op.PING, b"x", fin=False), 1002, id="fragmented ping"),
        pytest.param(frame(Op.PING, bytes(126)), 1002, id="long ping"),
        pytest.param(frame(Op.TEXT, length=1 << 63), 1002, id="negative length"),
        pytest.param(frame(Op.CLOSE, b"\x03"), 1002, id="half a code"),
        pytest.param(close_frame(1005), 1002, id="a code that may not be sent"),
        pytest.param(close_frame(999), 1002, id="a code that is none"),
        pytest.param(frame(Op.CLOSE, b"\x0f\xa0\xff"), 1007, id="a reason that is no text"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", 1002, id="another request"),
        pytest.param(b"\xff" * 64, 1002, id="noise"),
        pytest.param(b"\xc1\x80\0\0\0\0", 1002, id="first reserved bit"),
        pytest.param(b"\xa2\x80\0\0\0\0", 1002, id="second reserved bit"),
        pytest.param(b"\x99\x80\0\0\0\0", 1002, id="third reserved bit"),
    ],
)
async def test_broken_framing_ends_the_connection_with_a_code(wire: bytes, code: int) -> None:
    async with open_port() as opened, websocket(opened.port) as peer:
        _, received = await opened.next()
        await peer.send(wire)
        assert (await peer.closing())[0] == code
        await peer.close()
        assert (await received.end())[0] == code
        assert received.messages == []


@pytest.mark.parametrize("breach", [frame(Op.TEXT, bytes(1001)), frame(3), close_frame(1005)], ids=["big", "3", "1005"])
async def test_messages_after_a_protocol_error_are_ignored(breach: bytes) -> None:
    async with open_port(SMALL) as opened, websocket(opened.port) as peer:
        _, received = await opened.next()
        await peer.send(breach + frame(Op.TEXT, b"behind it"))
        code, reason = await peer.closing()
        assert reason == close_codes.PROTOCOL_ERROR.reason or code == close_codes.MESSAGE_TOO_BIG.code
        await peer.send(frame(Op.TEXT, b"later"))
        assert await received.end() == (code, reason)
        assert received.messages == []


async def test_a_protocol_error_stops_reading() -> None:
    async with open_port(SMALL) as opened, websocket(opened.port) as peer:
        socket, received = await opened.next()
        assert socket._transport is not None
        transport = socket._transport.underlying_transport
        assert transport.is_reading()
        await peer.send(frame(Op.TEXT, b"", length=1 << 40) + bytes(10_000))
        assert (await peer.closing())[0] == close_codes.MESSAGE_TOO_BIG.code
        assert not transport.is_reading()
        await received.end()


# -- the end, by the other side ---------------------------------------------------------------------


async def test_a_peer_that_closes_and_does_not_read_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLOSE_GRACE_SECONDS", 0.05)
    async with open_port() as opened, websocket(opened.port, receive_buffer=4096) as peer:
        socket, received = await opened.next()
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it reads as well as it writes
        assert socket._transport is not None
        while socket._transport.underlying_transport.get_write_buffer_size() == 0:
            socket.send(bytes(64 * 1024))
        await peer.send(close_frame(1000, "bye"))
        assert await received.end() == (1000, "bye")


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1008, 1011, 1013, 3000, 4000, 4104, 4567, 4999])
async def test_the_handler_gets_the_other_sides_code_and_reason(code: int) -> None:
    async with open_port() as opened, websocket(opened.port) as peer:
        socket, received = await opened.next()
        await peer.send(close_frame(code, "tschüß"))
        assert await received.end() == (code, "tschüß")
        assert await peer.closing() == (code, "")
        assert await peer.rest() == b""
        assert not socket.is_open
        assert socket.address == ""


async def test_a_close_without_a_code_is_no_status() -> None:
    async with open_port() as opened, websocket(opened.port) as peer:
        _, received = await opened.next()
        await peer.send(close_frame(None))
        assert await received.end() == (close_codes.NO_STATUS, "")
        assert await peer.frame() == (Op.CLOSE, b"")
        assert await peer.rest() == b""


@pytest.mark.parametrize("code", [1015, 5000, 65535])
async def test_a_code_that_may_not_be_sent_is_not_echoed(code: int) -> None:
    async with open_port() as opened, websocket(opened.port) as peer:
        _, received = await opened.next()
        await peer.send(close_frame(code))
        assert (await received.end())[0] in (code, close_codes.PROTOCOL_ERROR.code)
        assert (await peer.closing())[0] == close_codes.PROTOCOL_ERROR.code


async def test_a_dialled_socket_echoes_too() -> None:
    received = Recorder()
    async with listener() as listening:
        dialling = asyncio.ensure_future(dial(f"ws://127.0.0.1:{listening.port}/", lambda _: received, Bounds()))
        peer, _ = await listening.accept()
        await dialling
        await peer.send(close_frame(1001, "going", mask=False))
        assert await peer.closing() == (1001, "")
        assert await received.end() == (1001, "going")


async def test_a_socket_has_the_reason_of_its_close() -> None:
    async with open_port() as opened, websocket(opened.port) as peer:
        socket, received = await opened.next()
        assert socket.ended[0] == close_codes.ABNORMAL
        await peer.send(close_frame(4205, "no video"))
        await received.end()
        assert socket.ended == (4205, "no video")


async def test_messages_after_a_close_are_ignored() -> None:
    async with open_port() as opened, websocket(opened.port) as peer:
        _, received = await opened.next()
        await peer.send(frame(Op.TEXT, b"before") + close_frame(1000) + frame(Op.TEXT, b"after"))
        await received.end()
        assert received.messages == [b"before"]


@pytest.mark.parametrize("reset", [False, True], ids=["FIN", "RST"])
async def test_a_connection_that_ends_without_a_close_is_abnormal(*, reset: bool) -> None:
    async with open_port() as opened, websocket(opened.port) as peer:
        socket, received = await opened.next()
        await peer.send(frame(Op.TEXT, b"half")[:-2])
        if reset:
            peer.reset()
        else:
            await peer.close()
        assert (await received.end())[0] == close_codes.ABNORMAL
        assert not socket.is_open
        assert received.messages == []


# -- the end, by us ---------------------------------------------------------------------------------


@pytest.mark.parametrize("why", catalogue(), ids=lambda why: why.label)
async def test_every_code_of_the_catalogue_can_be_sent(why: CloseCode) -> None:
    async with open_port() as opened, websocket(opened.port) as peer:
        socket, received = await opened.next()
        socket.close(why)
        assert not socket.is_open
        assert await peer.closing() == (why.code, why.reason)
        assert received.ends == []
        await peer.send(close_frame(why.code))
        assert await received.end() == (why.code, why.reason)


async def test_the_first_close_counts() -> None:
    async with open_port() as opened, websocket(opened.port) as peer:
        socket, received = await opened.next()
        socket.close(close_codes.KICKED, "because")
        socket.close(close_codes.FULL)
        socket.close_raw(4999, "never")
        socket.send(b"too late")
        socket.ping()
        assert await peer.closing() == (close_codes.KICKED.code, "because")
        await peer.send(close_frame(4000, "no, I close"))
        assert await received.end() == (close_codes.KICKED.code, "because")
        assert await peer.rest() == b""


async def test_messages_after_an_own_close_are_ignored() -> None:
    async with open_port() as opened, websocket(opened.port) as peer:
        socket, received = await opened.next()
        socket.close(close_codes.RESTARTING)
        await peer.send(frame(Op.TEXT, b"late") + frame(Op.TEXT, b"x", fin=False) + close_frame(4005))
        await received.end()
        assert received.messages == []


async def test_a_peer_that_does_not_answer_our_close_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLOSE_GRACE_SECONDS", 0.05)
    async with open_port() as opened, websocket(opened.port) as peer:
        socket, received = await opened.next()
        socket.close(close_codes.FULL)
        assert await received.end() == (close_codes.FULL.code, close_codes.FULL.reason)
        assert (await peer.closing())[0] == close_codes.FULL.code
        assert await peer.rest() == b""


async def test_closing_in_the_middle_of_a_burst_ends_it() -> None:
    async with open_port() as opened, websocket(opened.port) as peer:
        socket, received = await opened.next()
        received.on_message = lambda _: socket.close(close_codes.KICKED)
        await peer.send(frame(Op.TEXT, b"x") * 5)
        assert (await peer.closing())[0] == close_codes.KICKED.code
        await peer.send(close_frame(4201))
        await received.end()
        assert received.messages == [b"x"]


async def test_an_abort_sends_no_close_frame() -> None:
    async with open_port() as opened, websocket(opened.port) as peer:
        socket, received = await opened.next()
        socket.abort()
        assert (await received.end())[0] == close_codes.ABNORMAL
        assert await peer.rest() == b""
        socket.abort()
        socket.send(b"nobody")
        socket.ping()
        socket.close(close_codes.NORMAL)


async def test_an_exception_of_a_handler_closes_only_its_connection() -> None:
    def bug(_: bytes) -> None:
        raise RuntimeError("an internal detail")

    with capture_logs() as logs:
        async with open_port() as opened, websocket(opened.port) as unlucky, websocket(opened.port) as lucky:
            _, received = await opened.next()
            _, fine = await opened.next()
            received.on_message = bug
            await unlucky.send(frame(Op.TEXT, b"x") * 3)
            assert await unlucky.closing() == (1011, "")
            await unlucky.close()
            assert (await received.end())[0] == 1011
            assert received.messages == [b"x"]
            await lucky.send(frame(Op.TEXT, b"y"))
            assert await fine.count(1) == [b"y"]
    assert [(each["event"], str(each["exc_info"])) for each in logs] == [("websocket failed", "an internal detail")]


async def test_an_exception_on_open_is_logged_and_closes_the_connection() -> None:
    def bug(_: WebSocket) -> None:
        raise RuntimeError("an internal detail")

    with capture_logs() as logs:
        async with open_port(admit=accepting(Bounds(), bug)) as opened, websocket(opened.port) as peer:
            assert await peer.closing() == (1011, "")
            assert await peer.rest() == b""
    assert [each["event"] for each in logs] == ["websocket failed"]


async def test_a_socket_without_a_handler_ignores_messages() -> None:
    bounds = Bounds()
    async with open_port(admit=accepting(bounds, lambda _: None)) as opened, websocket(opened.port) as peer:
        await peer.send(frame(Op.TEXT, b"x") + close_frame(1000))
        assert (await peer.frame())[0] == Op.CLOSE


# -- signs of life ----------------------------------------------------------------------------------


async def test_a_pong_has_the_payload_of_its_ping() -> None:
    async with open_port() as opened, websocket(opened.port) as peer:
        _, received = await opened.next()
        await peer.send(frame(Op.PING, b"abc"))
        assert await peer.frame() == (Op.PONG, b"abc")
        assert received.messages == []


async def test_a_pong_is_awaited_until_it_comes() -> None:
    async with open_port() as opened, websocket(opened.port) as peer:
        socket, received = await opened.next()
        awaited = [socket.awaits_pong]
        socket.ping()
        awaited.append(socket.awaits_pong)
        assert (await peer.frame())[0] == Op.PING
        await peer.send(frame(Op.PONG) + frame(Op.TEXT, b"after"))
        await received.count(1)
        assert [*awaited, socket.awaits_pong] == [False, True, False]


async def test_an_open_socket_has_the_peers_address() -> None:
    async with open_port() as opened, websocket(opened.port):
        socket, _ = await opened.next()
        assert socket.address == "127.0.0.1"
        assert socket.is_open


# -- reasons ----------------------------------------------------------------------------------------


@given(st.text(max_size=200))
def test_a_reason_is_cut_between_characters(reason: str) -> None:
    fitted = fit_reason(reason)
    assert len(fitted) <= MAX_REASON_BYTES
    whole = reason.encode("utf-8", "replace")
    assert whole.startswith(fitted)
    assert len(whole) - len(fitted) == 0 or len(fitted) > MAX_REASON_BYTES - 4


async def test_a_long_reason_is_truncated() -> None:
    async with open_port() as opened, websocket(opened.port) as peer:
        socket, _ = await opened.next()
        socket.close(close_codes.NOT_ALLOWED, "ü" * 300)
        assert await peer.closing() == (close_codes.NOT_ALLOWED.code, "ü" * (MAX_REASON_BYTES // 2))
