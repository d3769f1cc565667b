import asyncio
import posixpath
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import unquote

import aiohttp
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL

from pixelfleet.protocol.messages import dump
from signalserver.application.calls import Application
from signalserver.application.paths import MAX_PATH_LENGTH, AllowedPaths, PathError, plain_path, rest_endpoint, url_for

BASE = URL("http://127.0.0.1:30010/api/")
PATTERNS = ("/status", "remote/preset/*", "/exact/")

# -- paths ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "path"),
    [
        ("status", "/status"),
        ("/status", "/status"),
        ("", "/"),
        ("/", "/"),
        ("/a/b/", "/a/b/"),
        ("remote/preset/My%20Preset%20%281%29", "/remote/preset/My Preset (1)"),
        ("%61%62", "/ab"),
        ("/v1.2/x_y~z-,+", "/v1.2/x_y~z-,+"),
        ("a" * MAX_PATH_LENGTH, "/" + "a" * MAX_PATH_LENGTH),
    ],
)
def test_a_path_has_one_form(action: str, path: str) -> None:
    assert plain_path(action) == path


NO_PATHS = [
    "..",
    "/status/../admin",
    "status/./x",
    "status/...",
    "status/.hidden",
    "status/%2e%2e/admin",
    "status/.%2E/admin",
    "status/%20../admin",
    "status/..;/admin",
    "status;x=1",
    "status%2Fadmin",
    "status%5cadmin",
    "status\\admin",
    "status%252e%252e",
    "status%",
    "status%2",
    "status%zz",
    "//127.0.0.1/status",
    "///status",
    "status//admin",
    "http://127.0.0.1:1/status",
    "http:status",
    "user@host",
    "@host/status",
    "status?x=1",
    "status%3fx",
    "status#x",
    "status%23",
    "status\r\nHost: other",
    "status%0d%0aHost:%20other",
    "status\x00",
    "status%00",
    "status\n",
    "status\t",
    " status",
    "%20status",
    "stätus",
    "st%C3%A4tus",
    "status%ff",
    "status\u2215admin",
    "\uff0e\uff0e/admin",
    "status\u0665",
    "status\ud800",
    "/".join(["status", *["a"] * MAX_PATH_LENGTH]),
]


@pytest.mark.parametrize("action", NO_PATHS)
def test_an_ambiguous_path_is_invalid(action: str) -> None:
    with pytest.raises(PathError):
        plain_path(action)


PIECES = (
    *("status", "remote/preset/", "exact/", "admin", "/", "My%20Preset", "%61"),
    *("//", ".", "..", "...", "\\", "%2e", "%2E", "%2f", "%5c", "%25", "%252e", "%20", "%00", "%0d%0a", "%c0%ae", "%"),
    *("?", "#", "@", ":", ";", "*", "http://", "[::1]", " "),
)
HOSTILE = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)


def unescaped(text: str) -> str:
    """Decode escapes repeatedly until none is left, as a faulty server might."""
    while (plain := unquote(text)) != text:
        text = plain
    return text


@given(action=st.one_of(HOSTILE, st.text(max_size=40)))
@example(action="remote/preset/My%20Preset")
@example(action="remote/preset/x/")
def test_no_action_reaches_a_path_that_is_not_allowed(action: str) -> None:
    try:
        path = plain_path(action)
    except PathError:
        return
    url = url_for(BASE, path)
    assert (url.scheme, url.host, url.port) == (BASE.scheme, BASE.host, BASE.port)
    assert url.raw_user is None
    assert url.raw_query_string == url.raw_fragment == ""
    assert str(url) == f"http://127.0.0.1:30010{url.raw_path}"
    assert url.raw_path.isascii()
    assert url.raw_path.isprintable()
    assert " " not in url.raw_path
    # Any interpretation of the path by the application gives this path, below the base.
    assert unescaped(url.raw_path) == "/api" + path
    assert posixpath.normpath(path) == "/" + path.strip("/")
    if path in AllowedPaths(PATTERNS):
        assert path in ("/status", "/exact/") or path.startswith("/remote/preset/")


@given(action=st.one_of(HOSTILE, st.text(max_size=40)))
def test_a_plain_path_stays_unchanged(action: str) -> None:
    try:
        path = plain_path(action)
    except PathError:
        return
    assert plain_path(url_for(URL("http://h"), path).raw_path) == path


def test_only_listed_paths_are_allowed() -> None:
    allowed = AllowedPaths(PATTERNS)
    for path in ("/status", "/exact/", "/remote/preset/", "/remote/preset/x", "/remote/preset/x/y"):
        assert path in allowed
    for path in ("/", "/status/", "/status/x", "/statusx", "/exact", "/remote/preset", "/remote", "/STATUS"):
        assert path not in allowed


def test_no_patterns_allow_nothing_and_a_star_allows_all() -> None:
    assert "/" not in AllowedPaths([])
    assert "/status" not in AllowedPaths([])
    assert "/status" not in AllowedPaths(["/"])
    for everything in ("*", "/*"):
        assert "/" in AllowedPaths([everything])
        assert "/a/b" in AllowedPaths([everything])


@pytest.mark.parametrize("pattern", ["", "/a/*/b", "**", "../x", "/a/../*", "http://h/x", "/a?b"])
def test_a_pattern_that_matches_nothing_is_an_error(pattern: str) -> None:
    with pytest.raises(ValueError, match="path"):
        AllowedPaths([pattern])


@pytest.mark.parametrize("text", ["", "127.0.0.1:30010", "ftp://h/", "http://", "http://h/?a=b", "http://h/#a", "/x"])
def test_an_invalid_endpoint_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="address"):
        rest_endpoint(text)


# -- calls ------------------------------------------------------------------------------------------


class FakeApplication:
    """A REST API with all relevant faults."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, str | None, bytes]] = []
        self.arrived = asyncio.Semaphore(0)
        self.go_on = asyncio.Event()
        self.app = web.Application(middlewares=[self._remember])
        for path in ("/echo", "/base/echo", "/preset/{name}"):
            self.app.router.add_route("*", path, self._echo)
        for path, handler in (
            ("/text", self._text),
            ("/hang", self._hang),
            ("/flood", self._flood),
            ("/large", self._large),
            ("/redirect", self._redirect),
            ("/broken", self._broken),
            ("/dies", self._dies),
            ("/dies-chunked", self._dies_chunked),
            ("/drips", self._drips),
            ("/status/{status}", self._status),
            ("/raw", self._raw),
        ):
            self.app.router.add_get(path, handler)
        self.raw = (b"", "")

    @web.middleware
    async def _remember(self, request: web.Request, handler: Any) -> web.StreamResponse:
        body = await request.read()
        self.seen.append((request.method, request.raw_path, request.headers.get("Content-Type"), body))
        self.arrived.release()
        response: web.StreamResponse = await handler(request)
        return response

    async def _echo(self, request: web.Request) -> web.Response:
        return web.json_response({"method": request.method, "body": (await request.text()) or None})

    async def _text(self, _: web.Request) -> web.Response:
        return web.Response(text="42 ü")

    async def _hang(self, _: web.Request) -> web.Response:
        await self.go_on.wait()
        return web.json_response("late")

    async def _flood(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while not self.go_on.is_set():
            await response.write(b"x" * 65536)
        return response

    async def _large(self, _: web.Request) -> web.Response:
        return web.json_response("x" * 998)

    async def _redirect(self, _: web.Request) -> web.Response:
        raise web.HTTPFound("/echo")

    async def _broken(self, _: web.Request) -> web.Response:
        return web.Response(text='{"half":', content_type="application/json")

    async def _dies(self, request: web.Request) -> web.StreamResponse:
        return await self._dies_after(request, web.StreamResponse(headers={"Content-Length": "100"}), b'{"half":')

    async def _dies_chunked(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        return await self._dies_after(request, response, b"true")

    async def _dies_after(self, request: web.Request, response: web.StreamResponse, body: bytes) -> web.StreamResponse:
        await response.prepare(request)
        await response.write(body)
        assert request.transport is not None
        request.transport.abort()
        return response

    async def _drips(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"x")
        await self.go_on.wait()
        return response

    async def _status(self, request: web.Request) -> web.Response:
        return web.Response(status=int(request.match_info["status"]), text="secret traceback")

    async def _raw(self, _: web.Request) -> web.Response:
        body, content_type = self.raw
        return web.Response(body=body, headers={"Content-Type": content_type})


class Stage:
    """A fake application and the object under test."""

    def __init__(self, fake: FakeApplication, session: aiohttp.ClientSession, url: str) -> None:
        self.fake = fake
        self.session = session
        self.url = url

    def calling(self, *allowed: str, base: str = "", **bounds: Any) -> Application:
        return Application(self.session, self.url + base, allowed or ["*"], **{"seconds": 5.0, **bounds})


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    fake = FakeApplication()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(TestServer(fake.app))
        # Release handlers that hang before the server is closed.
        stack.callback(fake.go_on.set)
        session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True), cookie_jar=aiohttp.DummyCookieJar())
        )
        yield Stage(fake, session, str(server.make_url("/")))


async def test_without_a_payload_it_is_a_get(stage: Stage) -> None:
    assert await stage.calling("/echo").call("echo", None) == {
        "type": "response",
        "action": "echo",
        "response": {"method": "GET", "body": None},
    }
    assert stage.fake.seen == [("GET", "/echo", None, b"")]


@pytest.mark.parametrize("payload", [{}, {"a": [1, {"b": "ü"}]}])
async def test_with_a_payload_it_is_a_post_of_json(stage: Stage, payload: dict[str, Any]) -> None:
    answer = await stage.calling("/echo").call("/echo", payload)
    assert answer["action"] == "/echo"
    assert answer["response"]["method"] == "POST"
    assert stage.fake.seen == [("POST", "/echo", "application/json", orjson.dumps(payload))]


async def test_a_path_is_appended_to_the_endpoints_path(stage: Stage) -> None:
    application = stage.calling("/echo", base="base/")
    assert "response" in await application.call("echo", None)
    assert stage.fake.seen[0][1] == "/base/echo"


async def test_an_escaped_path_arrives_escaped(stage: Stage) -> None:
    assert "response" in await stage.calling("/preset/*").call("preset/My%20Preset", None)
    assert stage.fake.seen[0][1] == "/preset/My%20Preset"


async def test_text_is_relayed_as_a_string(stage: Stage) -> None:
    assert (await stage.calling().call("text", None))["response"] == "42 ü"


@pytest.mark.parametrize(
    ("body", "content_type", "response"),
    [
        (b"", "application/json", None),
        (b"null", "application/json", None),
        (b"[1]", "application/vnd.app+json; charset=utf-8", [1]),
        (b"[1]", "application/octet-stream", [1]),
        (b"fine", "application/octet-stream", "fine"),
        (b"[1]", "text/plain", "[1]"),
    ],
)
async def test_an_answer_is_json_or_text(stage: Stage, body: bytes, content_type: str, response: object) -> None:
    stage.fake.raw = body, content_type
    assert (await stage.calling().call("raw", None))["response"] == response


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"\xff\xfe", "text/plain"),
        (b"\x80", "application/octet-stream"),
        (b'"\xff"', "application/json"),
        (b"NaN", "application/json"),
        (b'"\\ud800"', "application/json"),
        (b"[" * 5000 + b"]" * 5000, "application/json"),
        # JSON that can be parsed but not serialized.
        (b"[" * 300 + b"]" * 300, "application/json"),
    ],
)
async def test_an_answer_that_cannot_be_relayed_is_an_error(stage: Stage, body: bytes, content_type: str) -> None:
    stage.fake.raw = body, content_type
    application = stage.calling()
    assert (await application.call("raw", None))["error"] == "the application's answer cannot be read"
    assert application.outcomes == {"bad_answer": 1}


async def test_a_deeply_nested_answer_gives_a_response_that_can_be_serialized(stage: Stage) -> None:
    outcomes = set()
    for depth in range(250, 258):
        stage.fake.raw = b"[" * depth + b"]" * depth, "application/json"
        answer = await stage.calling().call("raw", None)
        assert dump(answer)
        outcomes.add("error" in answer)
    assert outcomes == {True, False}


@pytest.mark.parametrize(
    ("action", "outcome", "error"),
    [
        ("broken", "bad_answer", "the application's answer cannot be read"),
        ("flood", "too_big", "the application's answer is too large"),
        ("dies", "unreachable", "the application cannot be reached"),
        ("dies-chunked", "unreachable", "the application cannot be reached"),
        ("redirect", "status", "the application answered with HTTP 302"),
        ("status/500", "status", "the application answered with HTTP 500"),
        ("status/404", "status", "the application answered with HTTP 404"),
    ],
)
async def test_a_failed_call_is_answered_with_a_short_error(
    stage: Stage, action: str, outcome: str, error: str
) -> None:
    application = stage.calling()
    assert await application.call(action, None) == {"type": "response", "action": action, "error": error}
    assert application.outcomes == {outcome: 1}
    assert len(stage.fake.seen) == 1, "it asked again, or went where it was redirected to"


async def test_an_answer_may_be_as_large_as_the_bound(stage: Stage) -> None:
    assert "response" in await stage.calling(answer_bytes=1000).call("large", None)
    assert "error" in await stage.calling(answer_bytes=999).call("large", None)


@pytest.mark.parametrize("action", ["hang", "drips"])
async def test_a_call_takes_bounded_time(stage: Stage, action: str) -> None:
    application = stage.calling(seconds=0.2)
    answer = await application.call(action, None)
    assert answer["error"] == "the application did not answer in time"
    assert application.outcomes == {"timeout": 1}


async def test_an_unreachable_application_is_an_error(stage: Stage) -> None:
    with_nobody = Application(stage.session, "http://127.0.0.1:1", ["*"])
    answer = await with_nobody.call("echo", None)
    assert answer == {"type": "response", "action": "echo", "error": "the application cannot be reached"}


@pytest.mark.parametrize("action", ["admin", *NO_PATHS])
async def test_calls_that_are_not_allowed_do_not_reach_the_application(stage: Stage, action: str) -> None:
    application = stage.calling("/status", "/echo*")
    answer = await application.call(action, {})
    assert answer == {"type": "response", "action": action[:MAX_PATH_LENGTH], "error": "not allowed"}
    assert application.outcomes == {"refused": 1}
    assert not stage.fake.seen


async def test_with_no_paths_nothing_is_allowed(stage: Stage) -> None:
    application = Application(stage.session, stage.url, [])
    for action in ("echo", "", "/"):
        assert (await application.call(action, None))["error"] == "not allowed"
    assert not stage.fake.seen


async def test_a_spectator_may_call_nothing(stage: Stage) -> None:
    application = stage.calling()
    assert (await application.call("echo", None, spectator=True))["error"] == "not allowed"
    assert not stage.fake.seen


async def test_the_limit_of_simultaneous_calls_applies_to_each_player(stage: Stage) -> None:
    application = stage.calling(calls_per_player=2, calls=3)
    async with asyncio.TaskGroup() as group:
        first = [group.create_task(application.call("hang", None, player="101")) for _ in range(2)]
        for _ in first:
            await stage.fake.arrived.acquire()
        assert (await application.call("echo", None, player="101"))["error"] == "too many calls at once"
        other = group.create_task(application.call("hang", None, player="102"))
        await stage.fake.arrived.acquire()
        assert (await application.call("echo", None, player="103"))["error"] == "too many calls at once"
        stage.fake.go_on.set()
    assert [task.result()["response"] for task in (*first, other)] == ["late"] * 3
    assert "response" in await application.call("echo", None, player="101")
    assert application.outcomes == {"ok": 4, "busy": 2}
    assert not application._under_way, "it keeps players that are gone"


@pytest.mark.parametrize("action", ["hang", "broken", "status/500", "flood"])
async def test_a_failed_call_does_not_count_as_running(stage: Stage, action: str) -> None:
    application = stage.calling(seconds=0.2, calls_per_player=1, calls=1)
    for _ in range(2):
        assert "too many" not in (await application.call(action, None, player="101"))["error"]


async def test_a_cancelled_call_does_not_count_as_running(stage: Stage) -> None:
    application = stage.calling(calls=1)
    task = asyncio.create_task(application.call("hang", None, player="101"))
    await stage.fake.arrived.acquire()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "response" in await application.call("echo", None, player="101")
