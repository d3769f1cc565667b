"""What is known of a request before anybody looks at what it asks for."""

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from pixelfleet.auth.guard import Guard
from pixelfleet.auth.policy import AccessPolicy
from router.caller import CALLER, Callers


def callers(**limits: Any) -> Callers:
    none = {"requests_per_second": 0.0, "joins_per_minute": 0.0, "logins_per_minute": 0.0}
    return Callers(Guard(["*"]), **{"proxies": 0, **none, **limits})


async def seen(made: Callers, **headers: str) -> web.Request:
    """Return a request as handlers see it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = make_mocked_request("GET", "/", headers={"Host": "door.test", **named})

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
async def test_an_id_is_taken_from_proxies_of_ours_alone_and_only_a_plain_one(given: str) -> None:
    assert (await seen(callers(), X_Request_ID="abc"))[CALLER].request_id != "abc"
    assert (await seen(callers(proxies=1), X_Request_ID="abc"))[CALLER].request_id == "abc"
    made = (await seen(callers(proxies=1), X_Request_ID=given))[CALLER].request_id
    assert made != given
    assert made.isalnum()


async def test_every_answer_says_its_id_and_that_it_is_what_it_says() -> None:
    made = callers()
    request, response = await seen(made), web.Response(headers={"Referrer-Policy": "origin"})
    await made.on_response_prepare(request, response)
    assert response.headers["X-Request-ID"] == request[CALLER].request_id
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "origin"


async def test_requests_are_limited_and_joins_are_counted_on_their_own() -> None:
    made = callers(requests_per_second=1.0, joins_per_minute=4.0, proxies=1)
    request = await seen(made, X_Forwarded_For="192.0.2.7")
    assert request[CALLER].address == "192.0.2.7"
    assert [await status(lambda: made.limit(request, served)) for _ in range(6)] == [200] * 5 + [429]
    join = made.caller(request)
    assert [await status(lambda: made.join(join)) for _ in range(3)] == [200, 200, 429]
    other = await seen(made, X_Forwarded_For="192.0.2.8")
    assert await status(lambda: made.limit(other, served)) == 200


async def test_wrong_logins_are_counted_and_then_nobody_of_that_address_is_asked() -> None:
    made = callers(logins_per_minute=4.0)
    door = AccessPolicy("dashboard", "basic")
    nothing = (await seen(made))[CALLER]
    wrong = (await seen(made, Authorization="Basic YWRhOndyb25n"))[CALLER]
    assert [await status(lambda: made.check(door, nothing)) for _ in range(5)] == [401] * 5
    assert [await status(lambda: made.check(door, wrong)) for _ in range(3)] == [401, 401, 429]
    assert await status(lambda: made.check(AccessPolicy("players", "none"), wrong)) == 200


async def test_a_door_that_is_closed_is_closed_to_all() -> None:
    made = callers()
    request = (await seen(made))[CALLER]
    assert await status(lambda: made.check(None, request)) == 403
