import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any, Final

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import Counter, Histogram, generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from structlog.testing import capture_logs

from pixelfleet.net.http import add_health, cors, errors_as_json, json_response, metrics_app
from pixelfleet.net.openapi import Error
from pixelfleet.net.ports import plain_port
from pixelfleet.service.errors import UsageError
from pixelfleet.service.metrics import Registries
from tests.parts import PATIENCE_SECONDS


class Service:
    """A service with the readiness that the test sets."""

    why: str | None = None
    hints: tuple[str, ...] = ()

    def unready(self) -> str | None:
        return self.why

    def warnings(self) -> tuple[str, ...]:
        return self.hints


async def _redirect(_: web.Request) -> web.Response:
    raise web.HTTPFound("/livez")


async def _broken(_: web.Request) -> web.Response:
    raise RuntimeError("an internal detail")


async def _unauthorized(_: web.Request) -> web.Response:
    raise web.HTTPUnauthorized(reason="who are you", headers={"WWW-Authenticate": "Bearer", "X-Inside": "secret"})


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
async def client(service: Service) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of an app that has one of everything."""
    app = web.Application(middlewares=[cors(["https://a.example"]), errors_as_json])
    add_health(app, service)
    app.router.add_get("/redirect", _redirect)
    app.router.add_get("/broken", _broken)
    app.router.add_get("/unauthorized", _unauthorized)
    async with (
        plain_port(app, host="127.0.0.1", port=0, option="--port") as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        yield session


async def get(client: aiohttp.ClientSession, path: str, **options: Any) -> tuple[int, Any]:
    async with client.get(path, **options) as answer:
        return answer.status, await answer.json()


# -- health -----------------------------------------------------------------------------------------


async def test_a_ready_service_is_alive_and_ready(client: aiohttp.ClientSession) -> None:
    for path in ("/livez", "/readyz", "/healthz"):
        assert await get(client, path) == (200, {"status": "ok"})


async def test_a_service_that_is_not_ready_says_why_and_is_alive(
    client: aiohttp.ClientSession, service: Service
) -> None:
    service.why = "no streamer"
    assert await get(client, "/livez") == (200, {"status": "ok"})
    for path in ("/readyz", "/healthz"):
        assert await get(client, path) == (503, {"status": "no streamer"})


async def test_a_service_shows_its_warnings_whether_it_is_ready_or_not(
    client: aiohttp.ClientSession, service: Service
) -> None:
    service.hints = ("the store evicts",)
    assert await get(client, "/livez") == (200, {"status": "ok"})
    assert await get(client, "/readyz") == (200, {"status": "ok", "warnings": ["the store evicts"]})
    service.why = "no streamer"
    assert await get(client, "/readyz") == (503, {"status": "no streamer", "warnings": ["the store evicts"]})


# -- errors -----------------------------------------------------------------------------------------


async def test_errors_are_json(client: aiohttp.ClientSession) -> None:
    assert await get(client, "/nothing") == (404, {"error": "Not Found"})
    async with client.post("/livez") as answer:
        assert (answer.status, await answer.json()) == (405, {"error": "Method Not Allowed"})
        assert set(answer.headers["Allow"].split(",")) == {"GET", "HEAD"}


async def test_only_headers_that_belong_to_an_error_are_kept(client: aiohttp.ClientSession) -> None:
    async with client.get("/unauthorized") as answer:
        assert (answer.status, await answer.json()) == (401, {"error": "who are you"})
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert "X-Inside" not in answer.headers


async def test_a_redirect_is_no_error(client: aiohttp.ClientSession) -> None:
    async with client.get("/redirect", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "/livez")


async def test_a_bug_is_logged_and_not_told(client: aiohttp.ClientSession) -> None:
    with capture_logs() as logs:
        assert await get(client, "/broken") == (500, {"error": "internal error"})
    assert [(each["event"], each["log_level"], each["path"]) for each in logs] == [
        ("request failed", "error", "/broken")
    ]
    assert await get(client, "/livez") == (200, {"status": "ok"})


async def test_a_client_that_disconnects_during_its_body_is_no_bug() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def read(request: web.Request) -> web.Response:
        begun.set()
        try:
            await request.read()
        finally:
            ended.set()
        return web.Response()

    app = web.Application(middlewares=[errors_as_json])
    app.router.add_post("/", read)
    with capture_logs() as logs:
        async with plain_port(app, host="127.0.0.1", port=0, option="--port") as port:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nshort")
            async with asyncio.timeout(PATIENCE_SECONDS):
                await begun.wait()
                writer.transport.abort()
                await ended.wait()
    assert [each["event"] for each in logs if each["log_level"] not in ("debug", "info")] == []


# -- CORS -------------------------------------------------------------------------------------------


async def test_a_page_of_an_allowed_origin_may_call(client: aiohttp.ClientSession) -> None:
    async with client.get("/livez", headers={"Origin": "https://a.example"}) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == "https://a.example"
        assert answer.headers["Vary"] == "Origin"


async def test_errors_can_be_read_by_an_allowed_page_too(client: aiohttp.ClientSession) -> None:
    async with client.get("/nothing", headers={"Origin": "https://a.example"}) as answer:
        assert answer.status == 404
        assert answer.headers["Access-Control-Allow-Origin"] == "https://a.example"


async def test_a_preflight_is_answered(client: aiohttp.ClientSession) -> None:
    asking = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    async with client.options("/livez", headers=asking) as answer:
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Origin"] == "https://a.example"
        assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("origin", [None, "https://b.example", "null"])
async def test_nobody_else_is_allowed_anything(client: aiohttp.ClientSession, origin: str | None) -> None:
    async with client.get("/livez", headers={"Origin": origin} if origin else {}) as answer:
        assert answer.status == 200
        assert "Access-Control-Allow-Origin" not in answer.headers


# -- the metrics port -------------------------------------------------------------------------------


async def test_the_metrics_port_shows_all_and_the_few_apart(service: Service) -> None:
    registries = Registries("test")
    registries.custom_gauge("test_players", "Players.").set(3)
    app = metrics_app(service, registries.all, registries.custom)
    async with (
        plain_port(app, host="127.0.0.1", port=0, option="--metrics-port") as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http,
    ):
        for path in ("/metrics", "/", "/any/other?x=y"):
            async with http.get(path) as answer:
                assert answer.headers["Content-Type"].startswith("text/plain; version=")
                text = await answer.text()
                assert "test_players 3.0" in text
                assert "pixelfleet_build_info" in text
        async with http.get("/custom") as answer:
            text = await answer.text()
            assert "test_players 3.0" in text
            assert "pixelfleet_build_info" not in text
        assert await get(http, "/readyz") == (200, {"status": "ok"})


PROMETHEUS_ACCEPT: Final = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "text/plain;version=0.0.4;escaping=allow-utf-8;q=0.4,*/*;q=0.1"
)


@pytest.mark.parametrize("path", ["/metrics", "/custom"])
async def test_the_metrics_port_negotiates_openmetrics(service: Service, path: str) -> None:
    registries = Registries("test")
    registries.custom_gauge("test_players", "Players.").set(3)
    Counter("test_joins", "Joins.", registry=registries.all).inc()
    Histogram("test_seconds", "Times.", registry=registries.all).observe(0.1)
    app = metrics_app(service, registries.all, registries.custom)
    async with (
        plain_port(app, host="127.0.0.1", port=0, option="--metrics-port") as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http,
    ):
        async with http.get(path, headers={"Accept": PROMETHEUS_ACCEPT}) as answer:
            assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
            text = await answer.text()
            families = {family.name for family in openmetrics_families(text)}  # type: ignore[no-untyped-call]
            assert families >= {"test_players"}
            assert text.endswith("# EOF\n")
        for accept in ("", "text/plain", "*/*", "application/openmetrics;version="):
            async with http.get(path, headers={"Accept": accept}) as answer:
                assert answer.headers["Content-Type"].startswith("text/plain; version=")


async def test_no_metric_has_a_series_for_its_creation(service: Service) -> None:
    registries = Registries("test")
    Counter("test_joins", "Joins.", registry=registries.all).inc()
    Histogram("test_seconds", "Times.", registry=registries.all).observe(0.1)
    assert b"_created" not in generate_latest(registries.all)


# -- ports ------------------------------------------------------------------------------------------


async def test_a_taken_port_is_a_usage_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"--metrics-port {port}: the port is taken"):
            async with plain_port(web.Application(), host="127.0.0.1", port=port, option="--metrics-port"):
                pass


async def test_a_port_is_free_again_after_its_use() -> None:
    async with plain_port(web.Application(), host="127.0.0.1", port=0, option="--port") as port:
        with pytest.raises(OSError, match="in use"):
            socket.create_server(("127.0.0.1", port))
    with socket.create_server(("127.0.0.1", port)):
        pass


async def test_a_request_that_does_not_end_delays_the_end_but_little() -> None:
    begun = asyncio.Event()

    async def stuck(_: web.Request) -> web.Response:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    app = web.Application()
    app.router.add_get("/stuck", stuck)
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:
        async with plain_port(app, host="127.0.0.1", port=0, option="--port") as port:
            asking = group.create_task(anxious(http, f"http://127.0.0.1:{port}/stuck"))
            await begun.wait()
            ending = loop.time()
        assert loop.time() - ending < 30.0  # aiohttp alone waits for a minute
        await asking


async def anxious(http: aiohttp.ClientSession, url: str) -> None:
    """Ask, and take it well when there is no answer."""
    with pytest.raises(aiohttp.ClientError):
        async with http.get(url):
            pass


# -- queries and refusals ---------------------------------------------------------------------------


def test_a_json_response_has_what_it_was_given() -> None:
    response = json_response([Error(error="a")], status=201, headers={"X-Name": "x"})
    assert (response.status, response.body, response.content_type) == (201, b'[{"error":"a"}]', "application/json")
    assert response.headers["X-Name"] == "x"
