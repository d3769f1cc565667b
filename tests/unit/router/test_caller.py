"""A caller's id, address and limits, and the check of its credentials."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from pixelfleet.auth.guard import Guard
from pixelfleet.auth.identity import ANONYMOUS, Identity
from pixelfleet.auth.policy import AccessPolicy
from router.caller import CALLER, Callers


def callers(**limits: Any) -> Callers:
    none = {"requests_per_second": 0.0, "joins_per_minute": 0.0, "logins_per_minute": 0.0}
    return Callers(Guard(["*"]), **{"proxies": 0, **none, **limits})


async def seen(made: Callers, **headers: str) -> web.Request:
    """Return a request as handlers receive it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = make_mocked_request("GET", "/", headers={"Host": "router.test", **named})

    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response()

    await made.middleware(request, handler)
    return request


async def status(of: Callable[[], Any]) -> int:
    try:
        found = of()
        if hasattr(found, "__await__"):
            await found
    except web.HTTPException as error:
        return error.status
    return 200


async def served(_: web.Request) -> web.StreamResponse:
    return web.Response()


@pytest.mark.parametrize("given", ["a b", "a\tb", "x" * 65, "<script>", ""])
async def test_a_request_id_is_taken_from_trusted_proxies_only_if_it_is_plain(given: str) -> None:
    assert (await seen(callers(), X_Request_ID="abc"))[CALLER].request_id != "abc"
    assert (await seen(callers(proxies=1), X_Request_ID="abc"))[CALLER].request_id == "abc"
    made = (await seen(callers(proxies=1), X_Request_ID=given))[CALLER].request_id
    assert made != given
    assert made.isalnum()


async def test_every_answer_has_its_request_id_and_nosniff() -> None:
    made = callers()
    request, response = await seen(made), web.Response(headers={"Referrer-Policy": "origin"})
    await made.on_response_prepare(request, response)
    assert response.headers["X-Request-ID"] == request[CALLER].request_id
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "origin"


async def test_requests_and_joins_have_separate_limits() -> None:
    made = callers(requests_per_second=1.0, joins_per_minute=4.0, proxies=1)
    request = await seen(made, X_Forwarded_For="192.0.2.7")
    assert request[CALLER].address == "192.0.2.7"
    assert [await status(lambda: made.limit(request, served)) for _ in range(6)] == [200] * 5 + [429]
    join = made.caller(request)
    assert [await status(lambda: made.join(join)) for _ in range(3)] == [200, 200, 429]
    other = await seen(made, X_Forwarded_For="192.0.2.8")
    assert await status(lambda: made.limit(other, served)) == 200


async def test_failed_logins_of_an_address_are_limited() -> None:
    made = callers(logins_per_minute=4.0)
    policy = AccessPolicy("dashboard", "basic")
    nothing = (await seen(made))[CALLER]
    wrong = (await seen(made, Authorization="Basic YWRhOndyb25n"))[CALLER]
    assert [await status(lambda: made.check(policy, nothing)) for _ in range(5)] == [401] * 5
    assert [await status(lambda: made.check(policy, wrong)) for _ in range(3)] == [401, 401, 429]
    assert await status(lambda: made.check(AccessPolicy("players", "none"), wrong)) == 200


async def test_parallel_logins_are_counted_before_they_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    made = callers(logins_per_minute=4.0)
    wrong = (await seen(made, Authorization="Basic YWRhOndyb25n"))[CALLER]
    checked = 0

    async def check(*_: object) -> Identity:
        nonlocal checked
        checked += 1
        await asyncio.sleep(0)
        raise web.HTTPUnauthorized

    monkeypatch.setattr(Guard, "check", check)
    policy = AccessPolicy("dashboard", "basic")
    found = await asyncio.gather(*(status(lambda: made.check(policy, wrong)) for _ in range(10)))
    assert sorted(found) == [401] * 2 + [429] * 8
    assert checked == 2


@pytest.mark.parametrize("error", [None, web.HTTPForbidden, web.HTTPServiceUnavailable])
async def test_a_login_that_does_not_fail_is_not_counted(
    monkeypatch: pytest.MonkeyPatch, error: type[web.HTTPException] | None
) -> None:
    made = callers(logins_per_minute=4.0)
    caller = (await seen(made, Authorization="Basic YWRhOndyb25n"))[CALLER]

    async def check(*_: object) -> Identity:
        if error is not None:
            raise error
        return ANONYMOUS

    monkeypatch.setattr(Guard, "check", check)
    expected = 200 if error is None else error.status_code
    policy = AccessPolicy("dashboard", "basic")
    assert [await status(lambda: made.check(policy, caller)) for _ in range(9)] == [expected] * 9


async def test_a_cancelled_login_is_counted() -> None:
    made = callers(logins_per_minute=4.0)
    caller = (await seen(made))[CALLER]
    for _ in range(2):
        with pytest.raises(asyncio.CancelledError):
            async with made.login(caller):
                raise asyncio.CancelledError
    with pytest.raises(web.HTTPTooManyRequests):
        async with made.login(caller):
            pass


async def test_a_closed_interface_is_forbidden() -> None:
    made = callers()
    request = (await seen(made))[CALLER]
    assert await status(lambda: made.check(None, request)) == 403
