import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from signalserver.rtc_config import (
    MAX_ANSWER_BYTES,
    MIN_REFRESH_SECONDS,
    RtcConfigSource,
    refresh_delay,
)
from signalserver.rtc_config_message import RtcConfigError, config_url, parse_answer, ready_config
from tests.parts import PATIENCE_SECONDS, eventually
from tests.unit.signalserver.answers import flood, stall

NOW = 1_800_000_000.0
FIXED = {"iceServers": [{"urls": "stun:192.0.2.1:3478"}]}
SEED = {
    "iceTransportPolicy": "all",
    "iceServers": [
        {
            "urls": ["stun:192.0.2.7:3478", "turn:192.0.2.7:3478?transport=udp"],
            "username": "user",
            "credential": "hunter2",
        }
    ],
}


def turn(username: str, *, credential: str = "hunter2") -> dict[str, Any]:
    return {"urls": "turn:192.0.2.7", "username": username, "credential": credential}


def options_of(message: bytes) -> Any:
    config = orjson.loads(message)
    assert set(config) == {"type", "peerConnectionOptions", "protocolVersion"}
    assert config["type"] == "config"
    return config["peerConnectionOptions"]


# -- what is a configuration ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        SEED,
        {"iceServers": []},
        {**SEED, "bundlePolicy": "max-bundle", "x": {"y": [1, None, "ü"]}},
        {"iceServers": [{**turn("a"), "credentialType": "password"}]},
        {"iceServers": [{"urls": ["stun:[2001:db8::1]:5349", "stun:turn.example.com"]}]},
        {"iceServers": [{**turn("a"), "urls": ["turns:turn.example.com:5349?transport=tcp"]}]},
    ],
)
def test_peers_get_the_configuration_unchanged(options: dict[str, Any]) -> None:
    message = parse_answer(orjson.dumps(options)).message
    assert options_of(message) == options
    assert orjson.loads(message)["protocolVersion"] == "1.3.0"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"error": "no nodes"}',
        b'{"iceServers": null}',
        b'{"iceServers": {}}',
        b'{"iceServers": [null]}',
        b'{"iceServers": [{}]}',
        b'{"iceServers": [{"urls": null}]}',
        b'{"iceServers": [{"urls": []}]}',
        b'{"iceServers": [{"urls": ""}]}',
        b'{"iceServers": [{"urls": [1]}]}',
        b'{"iceServers": [], "iceTransportPolicy": "hunter2"}',
        b'{"iceServers": [], "iceTransportPolicy": 1}',
        b'{"iceServers": [], "x": NaN}',
        b'{"iceServers": [], "x": "\xff"}',
        b'{"iceServers": [], "x": ' + b"[" * 300 + b"]" * 300 + b"}",
        b'{"iceServers": [], "x": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"iceServers": [',
        *[
            orjson.dumps({"iceServers": [{**turn("a"), "urls": url}]})
            for url in (
                "http://192.0.2.7",
                "javascript:alert(1)",
                "192.0.2.7",
                "turn:",
                "turn:192.0.2.7\n",
                "turn:a b",
                "turn:192.0.2.7:port",
                "turn://192.0.2.7",
                "turn:192.0.2.7?transport=sctp",
                "stun:192.0.2.7?transport=udp",
                "turn:user@192.0.2.7",
                "turn:xn\u00e9.example.com",
            )
        ],
        *[
            orjson.dumps({"iceServers": [{"urls": ["stun:192.0.2.7", "turns:192.0.2.7"], **credentials}]})
            for credentials in (
                {},
                {"username": "hunter2"},
                {"username": "", "credential": "hunter2"},
                {"username": "hunter2", "credential": ""},
                {"username": "hunter2", "credential": None},
                {"username": "hunter2", "credential": ["hunter2"]},
            )
        ],
    ],
)
def test_an_invalid_configuration_is_refused_without_quoting_it(body: bytes) -> None:
    with pytest.raises(RtcConfigError) as caught:
        parse_answer(body)
    assert str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_what_a_browser_refuses_is_left_out_of_an_answer_with_another_turn_server() -> None:
    bad = {"urls": ["turn:192.0.2.9:99999"], "username": "user", "credential": "hunter2"}
    config = parse_answer(orjson.dumps({"iceServers": [bad, *SEED["iceServers"]], "bundlePolicy": "hunter2"}))
    assert options_of(config.message) == {"iceServers": SEED["iceServers"]}
    assert [fault.partition(":")[0] for fault in config.faults] == ["iceServers[0].urls[0]", "bundlePolicy"]
    assert "hunter2" not in str(config.faults)


@pytest.mark.parametrize("options", [{**SEED, "bundlePolicy": "foo"}, {"iceServers": [turn("a"), turn("u" * 600)]}])
def test_fixed_options_that_a_browser_refuses_are_an_error(options: dict[str, Any]) -> None:
    with pytest.raises(RtcConfigError, match=r"bundlePolicy|iceServers\[1\]\.username"):
        ready_config(options)


def test_fixed_options_need_no_ice_servers() -> None:
    assert options_of(ready_config({}).message) == {}
    with pytest.raises(RtcConfigError, match=r"iceServers\[0\]"):
        ready_config({"iceServers": [{"url": "stun:192.0.2.1"}]})


@pytest.mark.parametrize(
    ("usernames", "expires"),
    [
        ((), None),
        (("user",), None),
        (("1800000600:session",), 1800000600.0),
        (("1800000600",), 1800000600.0),
        (("1800000600:a", "user", "1800000300:b"), 1800000300.0),
        (("1234:bob",), None),
        (("180000060012:x",), None),
        (("1800000600x",), None),
        (("\u0661800000600:x",), None),
    ],
)
def test_the_first_credentials_to_expire_determine_the_expiry(
    usernames: tuple[str, ...], expires: float | None
) -> None:
    options = {"iceServers": [turn(username) for username in usernames]}
    assert ready_config(options).expires == expires


@pytest.mark.parametrize("text", ["", "turn-api:3480", "ftp://turn-api/", "http://", "/x"])
def test_an_invalid_url_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="address"):
        config_url(text)


# -- when it is asked -------------------------------------------------------------------------------

CHANCE = st.floats(0, 1)


@given(life=st.floats(-1e9, 1e9), chance=CHANCE)
def test_credentials_are_replaced_in_the_second_half_of_their_life(life: float, chance: float) -> None:
    delay = refresh_delay(life, chance)
    assert delay >= MIN_REFRESH_SECONDS
    if life >= 2 * MIN_REFRESH_SECONDS:
        assert 0.5 * life <= delay <= 0.75 * life


# -- the TURN API -----------------------------------------------------------------------------------

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def json(body: object, *, status: int = 200) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(body, status=status)

    return answer


async def redirect(_: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("/elsewhere")


async def not_json(_: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>hunter2</html>")


async def cut(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": str(len(orjson.dumps(SEED)) + 1)})
    await response.prepare(request)
    await response.write(orjson.dumps(SEED))
    assert request.transport is not None
    request.transport.abort()
    return response


async def zipped(_: web.Request) -> web.StreamResponse:
    response = web.json_response({**SEED, "x": " " * 10_000_000})
    response.enable_compression(web.ContentCoding.gzip)
    return response


def of_size(size: int) -> Answer:
    body = orjson.dumps(SEED)
    return json_bytes(body + b" " * (size - len(body)))


def json_bytes(body: bytes) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    return answer


class TurnApi:
    """A TURN API with configurable responses."""

    def __init__(self) -> None:
        self.answer: Answer = json(SEED)
        self.asked: list[str] = []
        self.arrived = asyncio.Semaphore(0)
        self.let_go = asyncio.Event()
        self.app = web.Application()
        self.app.router.add_get("/{any:.*}", self._handle)
        self.session: aiohttp.ClientSession
        self.url = ""

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        self.arrived.release()
        return await self.answer(request)

    async def hang(self, _: web.Request) -> web.StreamResponse:
        await self.let_go.wait()
        return web.json_response(SEED)

    async def flood(self, request: web.Request) -> web.StreamResponse:
        return await flood(request, self.let_go)

    async def drip(self, request: web.Request) -> web.StreamResponse:
        return await stall(request, web.StreamResponse(), b"{", self.let_go)

    def source(self, **options: Any) -> RtcConfigSource:
        defaults = {"fixed": FIXED, "url": self.url, "clock": lambda: NOW, "chance": lambda: 0.0}
        return RtcConfigSource(self.session, **{**defaults, **options})


@pytest.fixture
async def turn_api() -> AsyncIterator[TurnApi]:
    api = TurnApi()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(TestServer(api.app))
        # Release handlers that hang before the server is closed.
        stack.callback(api.let_go.set)
        api.url = str(server.make_url("/"))
        api.session = await stack.enter_async_context(aiohttp.ClientSession())
        yield api


@asynccontextmanager
async def runs(source: RtcConfigSource) -> AsyncIterator[None]:
    task = asyncio.create_task(source.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_without_a_turn_api_the_fixed_options_are_sent(turn_api: TurnApi) -> None:
    source = RtcConfigSource(turn_api.session, fixed=FIXED, per_session=True)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await source.run()
        await source.first_answer(0.0)
    assert options_of(source.message()) == FIXED
    assert await source.for_session("a") is source.message()
    assert source.last_success is None


async def test_the_answer_replaces_the_fixed_options(turn_api: TurnApi) -> None:
    source = turn_api.source()
    assert options_of(source.message()) == FIXED
    async with runs(source):
        await source.first_answer(10)
        assert options_of(source.message()) == SEED
    assert source.message() is source.message()
    assert (source.last_success, source.failures, source.expires) == (NOW, 0, None)
    assert turn_api.asked == ["/"]


FAILURES = {
    "HTTP 500": json(SEED, status=500),
    "HTTP 404": json(SEED, status=404),
    "HTTP 302": redirect,
    "the response is not JSON": not_json,
    "the response is not an object with iceServers": json({"error": "hunter2"}),
    "unreachable (ClientPayloadError)": cut,
    f"the response is larger than {MAX_ANSWER_BYTES} bytes": of_size(MAX_ANSWER_BYTES + 1),
}


@pytest.mark.parametrize("why", FAILURES)
async def test_a_failure_keeps_the_last_good_answer_and_is_logged(turn_api: TurnApi, why: str) -> None:
    source = turn_api.source()
    assert await source.refresh()
    turn_api.answer = FAILURES[why]
    with capture_logs() as logs:
        assert not await source.refresh()
    assert options_of(source.message()) == SEED
    assert (source.failures, source.failures_in_a_row) == (1, 1)
    [line] = logs
    assert (line["log_level"], line["why"], line["peers_are_sent"]) == ("warning", why, "the last good one")
    assert "hunter2" not in repr(logs)
    assert len(turn_api.asked) == 2, "it followed a redirect"


async def test_what_is_left_out_of_an_answer_is_logged_when_it_changes(turn_api: TurnApi) -> None:
    source = turn_api.source()
    stuns = {"urls": "stuns:192.0.2.9"}
    with capture_logs() as logs:
        for servers in ([stuns], [stuns], [stuns, stuns], []):
            turn_api.answer = json({**SEED, "iceServers": [*SEED["iceServers"], *servers]})
            assert await source.refresh()
            assert options_of(source.message()) == SEED
    mended = [line["left_out"] for line in logs if line["event"] == "rtc config mended"]
    assert [text.count("stuns:") for text in mended] == [1, 2]
    assert "192.0.2.9" not in str(mended)


async def test_an_answer_may_be_as_large_as_the_bound(turn_api: TurnApi) -> None:
    turn_api.answer = of_size(MAX_ANSWER_BYTES)
    assert await turn_api.source().refresh()


async def test_an_endless_answer_is_cut(turn_api: TurnApi) -> None:
    turn_api.answer = turn_api.flood
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert not await turn_api.source(request_seconds=600.0).refresh()


async def test_a_compressed_answer_is_not_decompressed(turn_api: TurnApi) -> None:
    turn_api.answer = zipped
    with capture_logs() as logs:
        assert not await turn_api.source().refresh()
    assert logs[0]["why"] == "the response is not JSON"


@pytest.mark.parametrize("way", ["hang", "drip"])
async def test_an_answer_takes_bounded_time(turn_api: TurnApi, way: str) -> None:
    turn_api.answer = getattr(turn_api, way)
    with capture_logs() as logs:
        assert not await turn_api.source(request_seconds=0.2).refresh()
    assert logs[0]["why"] == "no response in 0.2 s"
    assert logs[0]["peers_are_sent"] == "the fixed options"


async def test_no_secret_of_the_address_is_logged(turn_api: TurnApi) -> None:
    address = turn_api.url.replace("http://", "http://me:hunter2@") + "hunter2/?key=hunter2"
    with capture_logs() as logs:
        assert await turn_api.source(url=address).refresh()
        turn_api.answer = json({}, status=500)
        assert not await turn_api.source(url=address).refresh()
        away = "http://me:hunter2@127.0.0.1:1/hunter2?key=hunter2"
        assert not await turn_api.source(url=away).refresh()
    assert len(logs) == 3
    assert logs[2]["server"] == "127.0.0.1:1"
    assert "hunter2" not in repr(logs)
    assert turn_api.asked == ["/hunter2/?key=hunter2"] * 2


async def test_a_start_without_an_answer_waits_briefly_and_is_logged(turn_api: TurnApi) -> None:
    turn_api.answer = turn_api.hang
    source = turn_api.source()
    with capture_logs() as logs:
        async with runs(source), asyncio.timeout(PATIENCE_SECONDS):
            await source.first_answer(0.1)
    assert [line["log_level"] for line in logs] == ["warning"]
    assert "the fixed options" in logs[0]["event"]
    assert options_of(source.message()) == FIXED


async def test_a_start_with_an_unreachable_turn_api_does_not_wait(turn_api: TurnApi) -> None:
    source = turn_api.source(url="http://127.0.0.1:1")
    with capture_logs() as logs:
        async with runs(source), asyncio.timeout(PATIENCE_SECONDS):
            await source.first_answer(600)
    assert logs[0]["peers_are_sent"] == "the fixed options"


async def test_a_failed_request_is_repeated(turn_api: TurnApi) -> None:
    turn_api.answer = json({}, status=503)
    source = turn_api.source()
    with capture_logs() as logs:
        async with runs(source), asyncio.timeout(PATIENCE_SECONDS):
            await turn_api.arrived.acquire()
            turn_api.answer = json(SEED)
            await turn_api.arrived.acquire()
            await eventually(lambda: source.last_success, "an answer")
    assert options_of(source.message()) == SEED
    assert (source.failures, source.failures_in_a_row) == (1, 0)
    assert [line["log_level"] for line in logs] == ["warning", "info"]


@pytest.mark.parametrize(
    ("username", "max_age", "chance", "delay"),
    [
        ("user", 300.0, 0.0, 150.0),
        ("user", 300.0, 1.0, 225.0),
        (f"{NOW + 600:.0f}:x", 3600.0, 0.0, 300.0),
        (f"{NOW + 600:.0f}:x", 3600.0, 1.0, 450.0),
        (f"{NOW + 86400:.0f}:x", 3600.0, 0.0, 1800.0),
        (f"{NOW + 2:.0f}:x", 3600.0, 0.0, MIN_REFRESH_SECONDS),
        # The credentials arrived expired: one clock is wrong, and faster requests would not help.
        (f"{NOW - 9:.0f}:x", 300.0, 0.0, 150.0),
    ],
)
async def test_the_request_is_repeated_before_the_credentials_expire(
    turn_api: TurnApi, username: str, max_age: float, chance: float, delay: float
) -> None:
    turn_api.answer = json({"iceServers": [turn(username)]})
    source = turn_api.source(max_age=max_age, chance=lambda: chance)
    assert await source.refresh()
    assert source.next_delay() == delay


async def test_credentials_that_arrive_expired_are_sent_with_a_warning(turn_api: TurnApi) -> None:
    options = {"iceServers": [turn(f"{NOW - 9:.0f}:x")]}
    turn_api.answer = json(options)
    source = turn_api.source()
    with capture_logs() as logs:
        assert await source.refresh()
    assert "expired" in logs[0]["event"]
    assert options_of(source.message()) == options
    assert source.expires == NOW - 9


async def test_failures_are_retried_sooner_than_a_refresh_is_due(turn_api: TurnApi) -> None:
    source = turn_api.source()
    assert await source.refresh()
    turn_api.answer = json({}, status=503)
    delays = []
    for _ in range(7):
        await source.refresh()
        delays.append(source.next_delay())
    assert delays == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]


# -- credentials a session --------------------------------------------------------------------------


async def test_a_session_gets_credentials_of_its_own(turn_api: TurnApi) -> None:
    async def own(request: web.Request) -> web.Response:
        return web.json_response({"iceServers": [turn(f"1800000600:{request.query.get('name', 'all')}")]})

    turn_api.answer = own
    source = turn_api.source(url=turn_api.url + "?zone=a", per_session=True)
    assert await source.refresh()
    for name in ("a", "b&c=d#e"):
        options = options_of(await source.for_session(name))
        assert options["iceServers"][0]["username"] == f"1800000600:{name}"
    assert options_of(source.message())["iceServers"][0]["username"] == "1800000600:all"
    assert turn_api.asked[1] == "/?zone=a&name=a"


async def test_without_session_credentials_there_is_no_request_per_session(turn_api: TurnApi) -> None:
    source = turn_api.source()
    assert await source.refresh()
    assert await source.for_session("a") is source.message()
    assert turn_api.asked == ["/"]


async def test_after_a_timeout_later_sessions_do_not_wait(turn_api: TurnApi) -> None:
    source = turn_api.source(per_session=True, session_seconds=0.5, request_seconds=0.5)
    async with runs(source), asyncio.timeout(PATIENCE_SECONDS):
        await source.first_answer(10)
        turn_api.answer = turn_api.hang
        assert await source.for_session("a") is source.message()
        await eventually(lambda: source.failures_in_a_row, "a failure")
        asked = len(turn_api.asked)
        assert await source.for_session("b") is source.message()
        assert len(turn_api.asked) == asked
        turn_api.let_go.set()
        await eventually(lambda: not source.failures_in_a_row, "an answer")
        assert options_of(await source.for_session("c")) == SEED
    assert options_of(source.message()) == SEED
    assert turn_api.asked[-1] == "/?name=c"
