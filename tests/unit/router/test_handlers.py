"""The HTTP handlers: required credentials, and the upstream of a request."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import make_mocked_request

from pixelfleet.auth.guard import Guard
from router.caller import CALLER, Caller, Callers
from router.handlers import Handlers
from router.proxy.forward import Forwarder, Onward
from router.proxy.streamers import LookupFailedError
from router.settings import Settings
from router.upstreams.matchmakers import Matchmakers
from router.upstreams.pool import Pool
from tests.unit.router.servers import session

TOKEN = "the-matchmakers-token"
URLS = ("ws://a.test:3000", "wss://b.test:3000/base")


class Recorder(Forwarder):
    """Records the upstream of each request."""

    def __init__(self, client: ClientSession, *, away: int = 0, status: int = 200) -> None:
        super().__init__(client, 4, 1.0)
        self.onward: list[Onward] = []
        self.away, self.status = away, status

    async def forward(self, request: web.Request, onward: Onward) -> web.StreamResponse:
        self.onward.append(onward)
        if len(self.onward) <= self.away:
            raise web.HTTPBadGateway
        return web.Response(status=self.status)


class Known:
    """The registered streamers."""

    async def rest_url(self, streamer: str) -> str | None:
        if streamer == "unsure":
            raise LookupFailedError("away")
        return {"pod/cam": "http://10.0.0.7:30010/remote", "pod/bare": "", "pod/odd": "ftp://10.0.0.7"}.get(streamer)


def handlers(recorder: Recorder, client: ClientSession, **chosen: Any) -> Handlers:
    settings = Settings(rest_token=TOKEN, page=Path(), **{"proxy_auth": "open", "dashboard_auth": "open", **chosen})
    callers = Callers(Guard(["*"]), proxies=0, requests_per_second=0, joins_per_minute=0, logins_per_minute=2)
    known = Matchmakers(Pool(URLS), client)
    known.pool.resolved({url: [f"10.0.0.{number}"] for number, url in enumerate(URLS, 1)})
    return Handlers(settings, callers, recorder, known, Known(), client)


def request_to(path: str, method: str = "GET", **headers: str) -> web.Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = make_mocked_request(method, path, headers={"Host": "router.test", **named})
    request[CALLER] = Caller(request, "192.0.2.7", "id")
    return request


@pytest.mark.parametrize(
    ("path", "status"),
    [("missing", 404), ("pod%2Fbare", 404), ("pod%2Fodd", 400), ("unsure", 503), ("pod%2Fcam/..", 400), ("@x", 400)],
)
async def test_a_missing_streamer_and_a_bad_path_have_different_statuses(path: str, status: int) -> None:
    async with session() as client:
        recorder = Recorder(client)
        with pytest.raises(web.HTTPException) as refused:
            await handlers(recorder, client).proxy(request_to(f"/proxy/{path}/x"))
        assert (refused.value.status, recorder.onward) == (status, [])


async def test_a_streamer_gets_the_callers_identity_and_never_the_matchmakers_token() -> None:
    async with session() as client:
        recorder = Recorder(client)
        await handlers(recorder, client).proxy(request_to("/proxy/pod%2Fcam/a%20b?x=1", Authorization="Bearer own"))
    (onward,) = recorder.onward
    assert onward.url == "http://10.0.0.7:30010/remote/a%20b?x=1"
    assert onward.headers == {
        "X-Request-ID": "id",
        "X-Forwarded-For": "192.0.2.7",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "router.test",
    }
    assert "sandbox" in onward.answer["Content-Security-Policy"]


async def test_the_next_matchmaker_is_tried_if_one_is_unreachable() -> None:
    async with session() as client:
        recorder = Recorder(client, away=1)
        made = handlers(recorder, client)
        await made.dashboard_api(request_to("/dashboard/api/v1/events?x=1"))
        assert {onward.url for onward in recorder.onward} == {
            "http://10.0.0.1:3000/api/v1/events?x=1",
            "https://10.0.0.2:3000/base/api/v1/events?x=1",
        }
        assert all(onward.headers["Authorization"] == f"Bearer {TOKEN}" for onward in recorder.onward)
        assert all(onward.seconds is None for onward in recorder.onward)
        recorder.away = 9
        with pytest.raises(web.HTTPServiceUnavailable):
            await made.dashboard_api(request_to("/dashboard/api/v1/apps"))


async def test_the_matchmakers_api_needs_the_callers_own_token_and_limits_wrong_ones() -> None:
    async with session() as client:
        recorder = Recorder(client, status=401)
        made = handlers(recorder, client)
        await made.api(request_to("/api/v1/apps"))
        await made.api(request_to("/api/v1/apps", Authorization="Bearer guess"))
        with pytest.raises(web.HTTPTooManyRequests):
            await made.api(request_to("/api/v1/apps", Authorization="Bearer guess"))
    assert [onward.headers.get("Authorization") for onward in recorder.onward] == [None, "Bearer guess"]


async def test_no_token_is_added_without_authentication() -> None:
    async with session() as client:
        recorder = Recorder(client)
        closed = handlers(recorder, client, dashboard_auth="closed", api_auth="closed", proxy_auth="closed")
        for handler in (closed.proxy, closed.api, closed.dashboard_api):
            with pytest.raises(web.HTTPForbidden):
                await handler(request_to("/x", Authorization=f"Bearer {TOKEN}"))
        assert recorder.onward == []
