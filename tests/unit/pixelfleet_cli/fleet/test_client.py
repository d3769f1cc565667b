"""The client, with valid, invalid and missing answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from matchmaker.http.schemas import Ending
from pixelfleet.net.http import errors_as_json, json_response
from pixelfleet.net.openapi import Error
from pixelfleet.net.ports import plain_port
from pixelfleet.service.errors import UsageError
from pixelfleet_cli.fleet import client as module
from pixelfleet_cli.fleet.client import FleetClient, fleet_client
from tests.unit.matchmaker.bodies import page, streamer

TOKEN = "t"


class Server:
    """Returns the answers of the test and records the requests."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, str | None]] = []
        self.answers: list[web.Response] = []
        self.pause = 0.0

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append((request.method, request.raw_path, request.headers.get("Authorization")))
        await asyncio.sleep(self.pause)
        return self.answers.pop(0)


@pytest.fixture
async def server() -> Server:
    return Server()


@asynccontextmanager
async def client_of(server: Server, token: str = TOKEN) -> AsyncIterator[FleetClient]:
    app = web.Application(middlewares=[errors_as_json])
    app.router.add_route("*", "/{any:.*}", server.handle)
    async with (
        plain_port(app, host="127.0.0.1", port=0, option="--port") as port,
        fleet_client(f"http://127.0.0.1:{port}/", token) as client,
    ):
        yield client


async def test_a_list_is_read_page_by_page_until_the_limit(server: Server) -> None:
    server.answers = [json_response(page(1000, "a/b")), json_response(page(500, "c"))]
    async with client_of(server) as client:
        answer = await client.items("streamers", app="car", limit=1500)
    assert (len(answer.items), answer.total, answer.now) == (1500, 2500, 1.0)
    assert server.requests == [
        ("GET", "/api/v1/streamers?limit=1000&app=car", "Bearer t"),
        ("GET", "/api/v1/streamers?limit=500&app=car&after=a/b", "Bearer t"),
    ]


async def test_a_list_ends_with_its_last_page(server: Server) -> None:
    server.answers = [json_response(page(3, None, total=3))]
    async with client_of(server, token="") as client:
        assert len((await client.items("streamers", app="", limit=1000)).items) == 3
        server.answers = [json_response(page(0, "again"))]
        assert (await client.items("streamers", app="", limit=1000)).items == []
    assert server.requests[0][2] is None


async def test_names_are_escaped_in_urls(server: Server) -> None:
    server.answers = [*(json_response(streamer()) for _ in range(2)), json_response(Ending(id="x", state="ending"))]
    async with client_of(server) as client:
        await client.drain("s/räum 1?#%")
        await client.undrain("cam")
        await client.kick("../x")
    assert [request[:2] for request in server.requests] == [
        ("POST", "/api/v1/streamers/s%2Fr%C3%A4um%201%3F%23%25/drain"),
        ("POST", "/api/v1/streamers/cam/undrain"),
        ("DELETE", "/api/v1/sessions/..%2Fx"),
    ]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (json_response(Error(error="a bearer token is needed"), status=401), "a bearer token is needed (401)"),
        (json_response(Error(error="two\nlines\x1b[31m"), status=404), "two lines [31m (404)"),
        (web.Response(status=502, text="<html>"), "Bad Gateway (502)"),
        (web.Response(status=302, headers={"Location": "http://10.0.0.1/"}), "Found (302)"),
        (web.Response(text="hello"), "the answer is not a matchmaker's"),
        (web.Response(text="[]"), "the answer is not a matchmaker's"),
        (web.json_response({"items": 7}), "the answer is not a matchmaker's"),
        (web.Response(text='{"a":' * 50_000), "the answer is not a matchmaker's"),
        (web.json_response({"error": 7}, status=404), "Not Found (404)"),
        (web.Response(text='{"a":' * 50_000, status=404), "Not Found (404)"),
    ],
)
async def test_an_error_is_one_line(server: Server, answer: web.Response, message: str) -> None:
    server.answers = [answer]
    async with client_of(server) as client:
        with pytest.raises(UsageError) as error:
            await client.items("streamers", app="", limit=10)
    assert message in str(error.value)
    assert str(error.value).isprintable()


async def test_an_answer_over_the_limit_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ANSWER_BYTES", 100)
    server.answers = [json_response(page(1, None))]
    async with client_of(server) as client:
        with pytest.raises(UsageError, match="the answer is not a matchmaker's"):
            await client.apps()


async def test_a_slow_server_is_an_error(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REQUEST_SECONDS", 0.05)
    server.pause = 5.0
    async with client_of(server) as client:
        with pytest.raises(UsageError, match=r"no answer within 0\.05 s"):
            await client.apps()


@pytest.mark.parametrize("url", ["", "127.0.0.1:3000", "ws://host", "http://", "http://[x", "file:///etc/passwd"])
async def test_an_invalid_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="--url"):
        async with fleet_client(url, ""):
            pass


async def test_an_unreachable_server_is_an_error() -> None:
    async with fleet_client("http://127.0.0.1:9", "") as client:
        with pytest.raises(UsageError, match="is unreachable"):
            await client.apps()
