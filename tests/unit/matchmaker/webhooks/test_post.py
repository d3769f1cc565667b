"""Requests of webhooks over real HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from matchmaker.webhooks.post import MAX_ANSWER_BYTES, Posted, Poster, PostError, client_session, seconds_of

Handler = Callable[[web.Request], Awaitable[web.Response]]


@asynccontextmanager
async def poster(handler: Handler, seconds: float = 30.0) -> AsyncIterator[Poster]:
    """Yield a poster to a server with this handler."""
    app = web.Application()
    app.router.add_post("/", handler)
    server = TestServer(app)
    await server.start_server(shutdown_timeout=0.0)
    async with client_session(None, 4) as session:
        yield Poster(session, str(server.make_url("/")), [b"k" * 32], seconds, clock=lambda: 1000.9)
    await server.close()


async def test_a_request_is_signed_and_its_answer_is_returned() -> None:
    seen: list[web.Request] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response(status=202, body=await request.read())

    async with poster(handler) as post:
        assert await post.post("id-1", b"{}") == Posted(202, b"{}")
    headers = seen[0].headers
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("id-1", "1000")
    assert headers["webhook-signature"].startswith("v1,")
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"].startswith("pixelfleet/")


async def test_a_large_answer_has_no_body() -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=b" " * (MAX_ANSWER_BYTES + 1))

    async with poster(handler) as post:
        assert await post.post("id", b"{}") == Posted(200, None)


@pytest.mark.parametrize("status", [199 + 101, 302, 307, 400, 401, 410, 429, 500, 503])
async def test_another_status_is_a_failure(status: int) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": "/elsewhere", "Retry-After": "7"})

    async with poster(handler) as post:
        with pytest.raises(PostError, match=f"HTTP {status}") as failure:
            await post.post("id", b"{}")
    assert (failure.value.outcome, failure.value.retry_after) == ("status", 7.0)


async def test_a_receiver_that_hangs_or_is_gone_is_a_failure() -> None:
    async def handler(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with poster(handler, 0.1) as post:
        with pytest.raises(PostError) as failure:
            await post.post("id", b"{}")
    assert failure.value.outcome == "timeout"
    async with client_session(None, 1) as session:
        with pytest.raises(PostError) as failure:
            await Poster(session, "http://127.0.0.1:1/?secret", [b"k" * 32], 30.0).post("id", b"{}")
    assert failure.value.outcome == "unreachable"
    assert "secret" not in str(failure.value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5", 5.0), ("0", 0.0), ("", 0.0), ("-1", 0.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0), ("9" * 10, 0.0)],
)
def test_retry_after(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds
