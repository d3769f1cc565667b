"""The doctor on servers that attack it: output for a terminal, secrets, bounds."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import orjson
import pytest
from aiohttp import web
from websockets.asyncio.server import ServerConnection, serve

from pixelfleet.net.ports import plain_port
from pixelfleet_cli.doctor.findings.answers import Answer
from pixelfleet_cli.doctor.findings.fleet import Service, service_of
from tests.parts import PATIENCE_SECONDS
from tests.unit.pixelfleet_cli.doctor.doctors import PAGE, examine, printed

ESCAPE = "\x1b]0;owned\x07\x1b[31m\u202e\x9b"
CONTROL = re.compile(r"[^\n\x20-\x7e✓✗\-!]")

Answers = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw(answer: Answers) -> AsyncIterator[str]:
    """Run a server that answers each connection with a function; yield its URL."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            await answer(reader, writer)
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def test_nothing_of_an_answer_reaches_the_terminal_unchecked() -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = orjson.dumps({"error": ESCAPE, "status": ESCAPE})
        lines = [
            "HTTP/1.1 503 no",
            "X-Pixelfleet-Refusal: \x1b[31mx",
            "Content-Type: \x1b[1m",
            f"Content-Length: {len(body)}",
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    async with raw(answer) as url:
        text = await printed(url, "--join", "--idle", "1", "--turn-url", url, "--seconds", "5")
    assert CONTROL.search(text) is None, text
    assert "HTTP 503" in text


async def test_nothing_of_a_conversation_reaches_the_terminal_unchecked() -> None:
    async def handle(socket: ServerConnection) -> None:
        await socket.send(orjson.dumps({"type": f"config{ESCAPE}"}).decode())
        await socket.send(orjson.dumps({"type": "subscribeFailed", "message": ESCAPE * 200}).decode())
        await socket.close(4999, f"no{ESCAPE}")

    async with serve(handle, "127.0.0.1", 0, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        text = await printed(f"http://127.0.0.1:{port}/", "--join", "--idle", "1")
    assert CONTROL.search(text) is None, text
    assert "join-refused" in text


@pytest.mark.parametrize("status", [302, 401, 403, 503])
async def test_secrets_of_the_url_are_not_printed(status: int) -> None:
    seen: list[str] = []

    async def refuse(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization", ""))
        if request.path == "/" and "Upgrade" not in request.headers:
            return web.Response(text=PAGE, content_type="text/html")
        return web.json_response({"error": "no"}, status=status, headers={"Location": "/?name=s3cret"})

    app = web.Application()
    app.router.add_get("/{any:.*}", refuse)
    async with plain_port(app, host="127.0.0.1", port=0, option="--port") as port:
        url = f"http://ada:s3cret@127.0.0.1:{port}/?link=s3cret&app=car"
        api = f"http://bob:s3cret@127.0.0.1:{port}/?name=s3cret"
        text = await printed(url, "--join", "--idle", "1", "--turn-url", api)
        report = await examine(url)
    assert "s3cret" not in text
    assert text.startswith(f"http://127.0.0.1:{port}/\n")
    assert report.url == f"http://127.0.0.1:{port}/"
    assert "Basic YWRhOnMzY3JldA==" in seen


async def test_a_redirect_of_the_websocket_is_not_followed_as_browsers_do_not() -> None:
    async def front(request: web.Request) -> web.StreamResponse:
        if request.path == "/ws":
            raise web.HTTPTemporaryRedirect("/elsewhere")
        if request.path == "/elsewhere":
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            await socket.send_str('{"type": "config"}')
            return socket
        return web.Response(text=PAGE, content_type="text/html")

    app = web.Application()
    app.router.add_get("/{any:.*}", front)
    async with plain_port(app, host="127.0.0.1", port=0, option="--port") as port:
        report = await examine(f"http://127.0.0.1:{port}/")
    assert report.found("websocket") == ["not-a-websocket"]
    assert report.cause("not-a-websocket").startswith("HTTP 307")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_redirect_to_another_host_does_not_get_the_token(host: str, tmp_path: Path) -> None:
    seen: list[str | None] = []

    async def target(request: web.Request) -> web.Response:
        if request.path.startswith("/api/"):
            seen.append(request.headers.get("Authorization"))
        return web.Response(text=PAGE, content_type="text/html")

    (tmp_path / "token").write_text("t" * 20)
    app = web.Application()
    app.router.add_get("/{any:.*}", target)
    async with plain_port(app, host="127.0.0.1", port=0, option="--port") as port:

        async def redirect(request: web.Request) -> web.Response:
            raise web.HTTPFound(f"http://{host}:{port}/")

        front = web.Application()
        front.router.add_get("/{any:.*}", redirect)
        async with plain_port(front, host="127.0.0.1", port=0, option="--port") as first:
            await examine(f"http://127.0.0.1:{first}/", "--token-file", str(tmp_path / "token"))
        await examine(f"http://127.0.0.1:{port}/", "--token-file", str(tmp_path / "token"))
    assert seen == [None, f"Bearer {'t' * 20}"]


async def test_an_answer_without_end_is_read_up_to_a_bound() -> None:
    sent = 0

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + PAGE.encode())
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536

    async with raw(answer) as url, asyncio.timeout(PATIENCE_SECONDS):
        report = await examine(url, "--seconds", "20")
    assert report.found("websocket") == ["not-a-websocket"]
    assert sent < 64 * 1024 * 1024


@pytest.mark.parametrize("status", [200, 503])
async def test_json_that_nests_without_end_is_read_as_no_json(status: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text='{"a":' * 100_000, status=status, content_type="text/html")

    app = web.Application()
    app.router.add_get("/{any:.*}", answer)
    async with plain_port(app, host="127.0.0.1", port=0, option="--port") as port:
        url = f"http://127.0.0.1:{port}/"
        report = await examine(url, "--turn-url", url, "--join", "--idle", "1")
    assert report.found("page") == ["not-a-player-page" if status == 200 else "refused-by-proxy"]
    assert report.found("turn") == ["ice-unusable" if status == 200 else "turn-api-failed"]
    assert service_of("router", Answer(status, b'{"a":' * 100_000)) == Service("router", 0)


async def test_a_head_without_end_is_refused() -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-Long: " + b"x" * 65536)
            await writer.drain()

    async with raw(answer) as url, asyncio.timeout(PATIENCE_SECONDS):
        report = await examine(url, "--seconds", "5")
    assert report.found("page") == ["no-http"]


@pytest.mark.parametrize(
    ("kind", "found"),
    [("ping", ["websocket-closed"]), ("text", ["join-refused", "websocket-closed"])],
)
async def test_a_websocket_that_sends_too_much_is_left(kind: str, found: list[str]) -> None:
    async def handle(socket: ServerConnection) -> None:
        for _ in range(3000):
            if kind == "ping":
                _ = await socket.ping()
            else:
                await socket.send('{"type": "noise"}')
        await socket.wait_closed()

    async with serve(handle, "127.0.0.1", 0, compression=None) as server, asyncio.timeout(PATIENCE_SECONDS):
        port = next(iter(server.sockets)).getsockname()[1]
        report = await examine(f"http://127.0.0.1:{port}/", "--join", "--idle", "60", "--seconds", "20")
    assert [name for check in ("websocket", "offer", "idle") for name in report.found(check)] == found
    assert "without end" in report.cause("websocket-closed")
