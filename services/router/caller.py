"""The caller of each request: its address, its request id and its rate limits."""

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
from pixelfleet.service.tracing import traceparent_of

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
BURST_SECONDS: Final = 5.0
"""A client may send the requests of this time at once."""

DEFAULT_HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


class Caller(msgspec.Struct, frozen=True):
    """The origin of a request."""

    request: Request
    address: str
    """The client's IP address, read from `X-Forwarded-For` only behind trusted proxies."""
    request_id: str
    """The id of the request in logs and forwarded requests."""

    @property
    def client(self) -> str:
        """The key under which the client is counted."""
        return client_key(self.address)

    def answer_headers(self) -> dict[str, str]:
        """Return the headers that every answer has."""
        return {"X-Request-ID": self.request_id, **DEFAULT_HEADERS}


CALLER: Final = web.RequestKey("caller", Caller)


class Callers:
    """Identifies callers and applies their rate limits."""

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
        self._joins = Buckets.per_minute(joins_per_minute)
        self._logins = Buckets.per_minute(logins_per_minute)
        self._time = asyncio.get_running_loop().time

    async def on_response_prepare(self, request: web.Request, response: web.StreamResponse) -> None:
        """Add the headers that every answer has."""
        caller = request.get(CALLER)
        response.headers["X-Request-ID"] = caller.request_id if caller is not None else ""
        for name, value in DEFAULT_HEADERS.items():
            response.headers.setdefault(name, value)

    def caller(self, request: Request) -> Caller:
        """Return the caller of a request; the request id comes from a trusted proxy or is new."""
        forwarded_id = request.headers.get("X-Request-ID", "") if self._proxies else ""
        request_id = forwarded_id if _REQUEST_ID.fullmatch(forwarded_id) else secrets.token_hex(16)
        return Caller(request, client_address(request.remote or "", request.headers, self._proxies), request_id)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Attach its caller to a request."""
        request[CALLER] = self.caller(request)
        REQUEST.set(request[CALLER].request_id)
        try:
            return await handler(request)
        finally:
            REQUEST.set("")  # the connection's next request runs in the same task

    @web.middleware
    async def limit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Apply the rate limit of requests, and refuse request targets that are not paths."""
        if not request.raw_path.startswith("/"):
            raise web.HTTPBadRequest(reason="only paths on this server are served")
        _slow_down(self._requests.take(request[CALLER].client, self._time()))
        return await handler(request)

    async def check(self, policy: AccessPolicy | None, caller: Caller) -> Identity:
        """Return the identity of a caller by an access policy; raise HTTPException.

        Without a policy the interface is closed. Too many failed logins block the client for a while.
        """
        if policy is None:
            raise web.HTTPForbidden(reason="closed until an authentication method is configured")
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

    def trace(self, caller: Caller) -> str:
        """Return the `traceparent` of a request, which, as the request id, only a trusted proxy may send."""
        return traceparent_of(caller.request.headers) if self._proxies else ""

    def join(self, caller: Caller) -> None:
        """Apply the rate limit of players' connections."""
        _slow_down(self._joins.take(caller.client, self._time()))


@dataclass(slots=True)
class Login:
    """The outcome of a login."""

    failed: bool = False


def _slow_down(seconds: float) -> None:
    if seconds > 0:
        raise web.HTTPTooManyRequests(reason="too many requests", headers={"Retry-After": str(int(seconds) + 1)})
