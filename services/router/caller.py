"""What is known of each request before anybody looks at what it asks for: from where, how often, under which id."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from pixelfleet.auth.guard import Guard
from pixelfleet.auth.identity import Identity
from pixelfleet.auth.policy import AccessPolicy
from pixelfleet.net.access import client_address
from pixelfleet.net.limits import Buckets, client_key
from pixelfleet.net.request_head import Request
from pixelfleet.service.logs import REQUEST

_GIVEN_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
BURST_SECONDS: Final = 5.0

DEFAULT_HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


class Caller(msgspec.Struct, frozen=True):
    """Where a request comes from, and the id that it has in logs and further on."""

    request: Request
    address: str
    """The client's IP address, as far as it can be believed."""
    request_id: str

    @property
    def client(self) -> str:
        """What the client is counted under."""
        return client_key(self.address)

    def answer_headers(self) -> dict[str, str]:
        """Return what every answer has."""
        return {"X-Request-ID": self.request_id, **DEFAULT_HEADERS}


CALLER: Final = web.RequestKey("caller", Caller)


class Callers:
    """Names, counts and slows down callers."""

    def __init__(
        self,
        guard: Guard,
        *,
        proxies: int,
        requests_per_second: float,
        joins_per_minute: float,
        logins_per_minute: float,
    ) -> None:
        self._guard = guard
        self._proxies = proxies
        self._requests = Buckets(requests_per_second, max(1.0, requests_per_second * BURST_SECONDS))
        self._joins = Buckets(joins_per_minute / 60, max(1.0, joins_per_minute / 2))
        self._logins = Buckets(logins_per_minute / 60, max(1.0, logins_per_minute / 2))
        self._time = asyncio.get_running_loop().time

    async def on_response_prepare(self, request: web.Request, response: web.StreamResponse) -> None:
        """Add what every answer has."""
        caller = request.get(CALLER)
        response.headers["X-Request-ID"] = caller.request_id if caller is not None else ""
        for name, value in DEFAULT_HEADERS.items():
            response.headers.setdefault(name, value)

    def caller(self, request: Request) -> Caller:
        """Give a request its id and its address."""
        given = request.headers.get("X-Request-ID", "") if self._proxies else ""
        request_id = given if given and _GIVEN_ID.fullmatch(given) else secrets.token_hex(16)
        return Caller(request, client_address(request.remote or "", request.headers, self._proxies), request_id)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Give a request its caller."""
        request[CALLER] = self.caller(request)
        REQUEST.set(request[CALLER].request_id)
        try:
            return await handler(request)
        finally:
            REQUEST.set("")  # the next request of this connection runs in the same task

    @web.middleware
    async def limit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse one request too many, and one that is not for a path of ours."""
        if not request.raw_path.startswith("/"):
            raise web.HTTPBadRequest(reason="only paths on this server are served")
        _slow_down(self._requests.take(request[CALLER].client, self._time()))
        return await handler(request)

    async def check(self, policy: AccessPolicy | None, caller: Caller) -> Identity:
        """Return who asks at a door; after too many wrong logins nobody is asked for a while."""
        if policy is None:
            raise web.HTTPForbidden(reason="closed until it is told who may come in here")
        if not self._guard.authenticates(policy):
            return await self._guard.check(policy, caller.request)
        if self._guard.credentials(caller.request).any:
            async with self.login(caller):
                return await self._guard.check(policy, caller.request)
        if policy.method != "none":
            _slow_down(self._logins.wait(caller.client, self._time()))
        return await self._guard.check(policy, caller.request)

    @asynccontextmanager
    async def login(self, caller: Caller) -> AsyncIterator["Login"]:
        """Count a login before it is checked; it does not count if it succeeds, or fails for another reason.

        Otherwise the logins of parallel requests would all be checked before the first failure counts. A cancelled
        request counts: its client may have closed it to hide a failure.
        """
        _slow_down(self._logins.take(caller.client, self._time()))
        login = Login()
        try:
            yield login
        except Exception as error:
            login.failed = isinstance(error, web.HTTPUnauthorized)
            raise
        except BaseException:
            login.failed = True
            raise
        finally:
            if not login.failed:
                self._logins.give_back(caller.client)

    def join(self, caller: Caller) -> None:
        """Count somebody who wants to play."""
        _slow_down(self._joins.take(caller.client, self._time()))


@dataclass(slots=True)
class Login:
    """The outcome of a login."""

    failed: bool = False


def is_upgrade(request: web.Request) -> bool:
    """Tell whether a request asks for a websocket."""
    return "websocket" in request.headers.get("Upgrade", "").lower()


def _slow_down(seconds: float) -> None:
    if seconds > 0:
        raise web.HTTPTooManyRequests(reason="too many requests", headers={"Retry-After": str(int(seconds) + 1)})
