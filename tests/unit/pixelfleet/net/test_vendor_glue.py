"""Canaries: each fails with a sentence when a library has changed a part that our glue uses and no document promises.

What the glue makes of these parts is tested with real sockets: test_handshake, test_server, test_websocket, test_dial.
"""

import sys
from importlib.metadata import version
from typing import Any, Final

import pytest
from aiohttp import web_response
from picows import WSListener, WSMsgType, WSTransport
from picows import picows as native
from structlog.testing import capture_logs

from pixelfleet.net.bounds import Bounds
from pixelfleet.net.vendor_glue import picows_protocol as glue
from pixelfleet.net.websocket import WebSocket
from tests.unit.pixelfleet.net.raw import Op, close_frame, connection, frame, request, upgrade, websocket
from tests.unit.pixelfleet.net.servers import BOUNDS, open_port

KEY: Final = "AAAAAAAAAAAAAAAAAAAAAA=="


def changed(library: str, what: str) -> str:
    """Return what a canary fails with."""
    advice = "read what it has changed, adapt pixelfleet/net/vendor_glue and, after that, the pin in pyproject.toml"
    return f"{library} {version(library)}: {what}; {advice}"


class Transport:
    """A transport that remembers what is written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.options: list[str] = []

    def get_extra_info(self, name: str, default: object = None) -> Any:
        self.options.append(name)
        return self if name == "socket" else default

    def fileno(self) -> int:
        return -1

    def write(self, data: bytes) -> None:
        self.written.append(bytes(data))

    def set_protocol(self, _: object) -> None:
        pass

    def set_write_buffer_limits(self, **_: object) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0


class Greeter(WSListener):
    """Sends something as soon as it can."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.send(WSMsgType.TEXT, b"hello")


def test_picows_protocol_takes_as_many_arguments_as_we_pass_by_place() -> None:
    with pytest.raises(TypeError) as error:
        native.WSProtocol()  # type: ignore[attr-defined]
    assert "exactly 15 positional arguments" in str(error.value), changed("picows", "WSProtocol has other arguments")


def test_picows_parses_a_head_strictly() -> None:
    why = changed("picows", "_parse_http_request is another function")
    parsed = glue.parse_upgrade_request(b"GET /a HTTP/1.1\r\nX-Name: x")
    assert (parsed.path, parsed.headers["x-name"]) == (b"/a", "x"), why
    for bad in (b"X-Name : x", b"X-Name: x\r\n y", b"Content-Length: 1", b"Transfer-Encoding: chunked", b"X-Name: \0"):
        try:
            glue.parse_upgrade_request(b"GET /a HTTP/1.1\r\n" + bad)
        except RuntimeError:
            continue
        pytest.fail(f"{why}: it takes {bad!r}")


async def test_picows_writes_its_answer_and_what_follows_through_the_transport_that_it_was_given() -> None:
    transport: Any = Transport()
    glue.open_websocket(transport, KEY, b"", Greeter(), "", BOUNDS)
    assert len(transport.written) == 1, changed("picows", "its first writes no longer go out together")
    assert transport.written[0].startswith(b"HTTP/1.1 101 "), changed("picows", "it does not answer our own request")
    assert transport.written[0].endswith(b"hello"), changed("picows", "it sends past a transport that has data waiting")
    assert "peername" not in transport.options, changed("picows", "it asks the transport for more when it begins")


async def test_picows_reports_a_breach_to_its_logger_while_it_handles_the_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[str, int]] = []

    def broken(self: WebSocket, code: int) -> None:
        seen.append((type(sys.exc_info()[1]).__name__, code))
        self.abort()

    monkeypatch.setattr(WebSocket, "broken", broken)
    async with open_port() as opened, websocket(opened.port) as peer:
        await opened.next()
        await peer.send(frame(Op.TEXT, b"x", mask=False))
        await peer.rest()
    assert seen == [("WSProtocolError", 1002)], changed("picows", "a breach is reported in another way")


async def test_picows_reports_an_error_of_a_listener_to_its_logger(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def broken(self: WebSocket, code: int) -> None:
        seen.append(code)
        self.abort()

    def bug(_: bytes) -> None:
        raise LookupError

    monkeypatch.setattr(WebSocket, "broken", broken)
    with capture_logs():
        async with open_port() as opened, websocket(opened.port) as peer:
            _, received = await opened.next()
            received.on_message = bug
            await peer.send(frame(Op.TEXT, b"x"))
            await peer.rest()
    assert seen == [1011], changed("picows", "an error of a listener is reported in another way")


async def test_picows_client_has_its_transport_and_tells_when_the_handshake_is_over() -> None:
    protocol = glue.client_protocol("localhost", "/", lambda: WebSocket(Bounds(), lambda _: None), BOUNDS, {})
    why = changed("picows", "its client's handshake has another interface")
    assert hasattr(protocol, "transport"), why
    assert hasattr(protocol, "wait_until_handshake_complete"), why


async def test_aiohttp_lets_a_connection_go_that_has_served_http() -> None:
    async with open_port() as opened, connection(opened.port) as raw:
        await raw.send(request("/livez"))
        await raw.response()
        await raw.send(upgrade("/ws") + frame(Op.TEXT, b"early") + close_frame(1000))
        answer = await raw.rest()
        assert answer.startswith(b"HTTP/1.1 101 "), changed("aiohttp", "a connection cannot be taken from it any more")
        _, received = await opened.next()
        assert received.messages == [b"early"], changed("aiohttp", "data after a request is stored in another place")


def test_aiohttp_reads_its_server_header_from_one_name() -> None:
    assert isinstance(getattr(web_response, "SERVER_SOFTWARE", None), str), changed(
        "aiohttp", "web_response has no SERVER_SOFTWARE, with which aiohttp_headers.py replaces the Server header"
    )
