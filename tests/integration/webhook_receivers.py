"""A receiver of webhooks over real HTTP that can fail in each way, and checks each signature with its own code."""

import asyncio
import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.parts import eventually

SECRET: Final = "whsec_" + b64encode(b"k" * 32).decode()

Behaviour = Literal["ok", "500", "hang", "close", "redirect", "large", "forever"]
"""What a receiver does with a request: it answers, fails, never answers, closes, or sends an endless answer."""


@dataclass
class Receiver:
    """The requests so far, and the behaviour for the next ones."""

    behaviour: Callable[[dict[str, Any]], Behaviour] = lambda _: "ok"
    answer: Callable[[dict[str, Any]], dict[str, Any]] = lambda _: {}
    port: int = 0
    accepted: list[dict[str, Any]] = field(default_factory=list)
    """The bodies that were answered with 200, in their order, also repeated ones."""
    attempts: list[tuple[str, str]] = field(default_factory=list)
    """The id of each request, and what was done with it."""
    redirected: int = 0
    most_at_once: int = 0
    _at_once: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?secret=in-url"

    def ids(self) -> list[str]:
        return [body["id"] for body in self.accepted]

    def events(self, subject: str) -> list[str]:
        """Return the types of the accepted events of a session or streamer, each event once, in order."""
        first = {body["id"]: body for body in reversed(self.accepted)}
        ordered = dict.fromkeys(self.ids())
        return [
            first[each]["type"]
            for each in ordered
            if first[each]["data"].get("session", first[each]["data"].get("streamer")) == subject
        ]

    async def has(self, count: int) -> None:
        """Wait until this number of different events has been accepted."""
        await eventually(lambda: len(set(self.ids())) >= count, f"{count} events are accepted")

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return await self._handle(request)
        finally:
            self._at_once -= 1

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        data = await request.read()
        check_signature(request, data)
        body = orjson.loads(data)
        assert body["id"] == request.headers["webhook-id"]
        behaviour = self.behaviour(body)
        self.attempts.append((body["id"], behaviour))
        match behaviour:
            case "500":
                return web.Response(status=500)
            case "hang":
                await asyncio.Event().wait()
            case "close":
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            case "redirect":
                return web.Response(status=307, headers={"Location": f"http://127.0.0.1:{self.port}/elsewhere"})
            case "large" | "forever":
                return await self._stream(request, endless=behaviour == "forever")
        self.accepted.append(body)
        return web.json_response(self.answer(body))

    async def _stream(self, request: web.Request, *, endless: bool) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(2**20 if endless else 10):
            await response.write(b" " * 16 * 1024)
            await asyncio.sleep(0.01 if endless else 0)
        return response

    async def elsewhere(self, _: web.Request) -> web.Response:
        self.redirected += 1
        return web.Response()


def check_signature(request: web.Request, data: bytes) -> None:
    """Fail unless a request is signed as Standard Webhooks has it."""
    message_id, at = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    digest = hmac.digest(b64decode(SECRET[6:]), f"{message_id}.{at}.".encode() + data, hashlib.sha256)
    assert f"v1,{b64encode(digest).decode()}" in request.headers["webhook-signature"].split()


@asynccontextmanager
async def running_receiver(receiver: Receiver | None = None) -> AsyncIterator[Receiver]:
    """Run a receiver, at the same port as before if it has one."""
    receiver = receiver or Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.handle)
    app.router.add_post("/elsewhere", receiver.elsewhere)
    server = TestServer(app, host="127.0.0.1", port=receiver.port or None)
    await server.start_server(shutdown_timeout=0.0)
    assert server.port is not None
    receiver.port = server.port
    try:
        yield receiver
    finally:
        await server.close()
