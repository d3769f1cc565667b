"""The probes against servers of the tests: a TLS port, and a server that plays a signalling server."""

import datetime
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest
from aiohttp import WSMsgType, web

from pixelfleet.net.bounds import Bounds
from pixelfleet.net.handshake import Decision
from pixelfleet.net.request_head import RequestHead
from pixelfleet.net.server import Server
from pixelfleet.net.tls import server_context
from pixelfleet_cli.cli import EXIT_USAGE, main
from pixelfleet_cli.doctor.probes.network import look_up
from tests.parts import free_port
from tests.unit.pixelfleet.net.certificates import Certificate, make_certificate
from tests.unit.pixelfleet_cli.doctor.doctors import PAGE, examine
from tests.unit.pixelfleet_cli.doctor.test_offer import HEAD, VIDEO

DAY = datetime.timedelta(days=1)
APP = {
    "app": "car",
    "streamers": 1,
    "available": 1,
    "aside": 0,
    "slots": 1,
    "used": 0,
    "waiting": 0,
    "oldestWaitSeconds": 0.0,
}


def refuse(_: RequestHead) -> Decision:
    raise AssertionError("no path has websockets of ours")


async def page(_: web.Request) -> web.Response:
    return web.Response(text=PAGE, content_type="text/html")


async def script(_: web.Request) -> web.Response:
    return web.Response(text="export {}", content_type="text/javascript")


async def apps(_: web.Request) -> web.Response:
    return web.json_response({"now": 1.0, "young": False, "apps": [APP]})


async def signalling(request: web.Request) -> web.WebSocketResponse:
    """Play a signalling server with one streamer; the STUN server of its configuration does not answer."""
    socket = web.WebSocketResponse(heartbeat=0.1)
    await socket.prepare(request)
    servers = [{"urls": [f"turn:127.0.0.1:{free_port()}?transport=tcp"], "username": "a", "credential": "b"}]
    await socket.send_bytes(b"no message")
    await socket.send_json({"type": "config", "peerConnectionOptions": {"iceServers": servers}})
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            continue
        match orjson.loads(message.data)["type"]:
            case "listStreamers":
                await socket.send_json({"type": "streamerList", "ids": ["cam"]})
            case "subscribe":
                await socket.send_json({"type": "offer", "sdp": HEAD + VIDEO})
    return socket


@asynccontextmanager
async def server(made: Certificate | None = None) -> AsyncIterator[int]:
    """Run a server with all that a page needs; yield its port."""
    app = web.Application()
    for path, handler in (("/", page), ("/assets/main-abc123.js", script), ("/api/v1/apps", apps), ("/ws", signalling)):
        app.router.add_get(path, handler)
    tls = await server_context(made.certificate, made.key) if made else None
    listener = Server(
        app,
        refuse,
        host="127.0.0.1",
        port=0,
        option="--port",
        bounds=Bounds(),
        tls=tls,
        websocket_paths=frozenset(),  # aiohttp serves the websocket
    )
    async with listener:
        yield listener.port


async def test_every_check_of_a_server_without_faults_but_its_turn_server() -> None:
    async with server() as port:
        report = await examine(f"http://127.0.0.1:{port}/", "--idle", "0.3", "--seconds", "5")
    assert report.names() == ["turn-failed"]
    assert report.summary("websocket") == "opened, the server sends config"
    assert report.summary("offer").startswith("VP9, H264")
    assert report.summary("idle").startswith("lived 0 s, ")


async def test_the_certificate_of_a_server(tmp_path: Path) -> None:
    made = make_certificate(tmp_path, ends=60 * DAY)
    async with server(made) as port:
        report = await examine(f"https://localhost:{port}/", "--tls-ca", str(made.certificate), "--seconds", "5")
        assert report.found("certificate") == []
        assert report.summary("certificate") == "valid for 59 days, issued by localhost"
        report = await examine(f"https://localhost:{port}/", "--seconds", "5")
        assert report.names() == ["certificate-untrusted"]
        assert report.cause("certificate-untrusted") == "self-signed certificate (issued by localhost)"
    assert (await examine(f"https://localhost:{port}/", "--seconds", "5")).names() == ["connection-refused"]


async def test_names_that_are_no_names() -> None:
    assert (await look_up("x" * 64, 80, 5)).error == "unknown"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["ftp://x/"], "URL: must be"),
        (["http://[s3cret/"], "URL: is not a valid URL"),
        (["http://x/", "s3cret"], "more arguments"),
        (["--idle", "-1"], "--idle"),
        (["--idle", "nan"], "--idle"),
        (["--seconds", "0"], "--seconds"),
        (["--seconds", "s3cret"], "--seconds"),
        (["--turn-url", "s3cret"], "--turn-url: must be"),
        (["--no-such-option"], "--no-such-option"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_invalid_argument_is_named_in_one_line(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", *arguments]) == EXIT_USAGE
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert named in printed.err
    assert "s3cret" not in printed.err
