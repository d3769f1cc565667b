"""What is known of each request before anybody looks at what it asks for: from where, how often, under which id."""

import asyncio
import re
import uuid
from collections.abc import Collection
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from pixelfleet.auth.guard import Guard
from pixelfleet.auth.identity import Identity
from pixelfleet.auth.policy import AccessPolicy
from pixelfleet.net.access import client_address
from pixelfleet.net.limits import Buckets, client_key
from pixelfleet.service.logs import REQUEST

REQUEST_ID: Final = web.RequestKey("request_id", str)
ADDRESS: Final = web.RequestKey("address", str)

_GIVEN_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
BURST_SECONDS: Final = 5.0

DEFAULT_HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


class Callers:
    """Names, counts and slows down callers."""

    def __init__(
        self,
        guard: Guard,
        *,
        proxies: int,
        requests_per_second: float,
        joins_per_minute: float,
        player_paths: Collection[str],
        logins_per_minute: float,
    ) -> None:
        self._guard = guard
        self._proxies = proxies
        self._player_paths = player_paths
        self._requests = Buckets(requests_per_second, max(1.0, requests_per_second * BURST_SECONDS))
        self._joins = Buckets(joins_per_minute / 60, max(1.0, joins_per_minute / 2))
        self._logins = Buckets(logins_per_minute / 60, max(1.0, logins_per_minute / 2))
        self._time = asyncio.get_running_loop().time

    async def on_response_prepare(self, request: web.Request, response: web.StreamResponse) -> None:
        """Add what every answer has."""
        response.headers["X-Request-ID"] = request.get(REQUEST_ID, "")
        for name, value in DEFAULT_HEADERS.items():
            response.headers.setdefault(name, value)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Give a request its id and its address, and refuse one too many."""
        given = request.headers.get("X-Request-ID", "") if self._proxies else ""
        request[REQUEST_ID] = given if _GIVEN_ID.fullmatch(given) else uuid.uuid4().hex
        request[ADDRESS] = client_address(request.remote or "", request.headers, self._proxies)
        REQUEST.set(request[REQUEST_ID])
        try:
            return await handler(request)
        finally:
            REQUEST.set("")  # the next request of this connection runs in the same task

    @web.middleware
    async def limit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse one request too many, and one that is not for a path of ours."""
        if not request.raw_path.startswith("/"):
            raise web.HTTPBadRequest(reason="only paths on this server are served")
        is_join = request.path in self._player_paths and is_upgrade(request)
        if not is_join:  # those are counted on their own
            _slow_down(self._requests.take(client_key(request[ADDRESS]), self._time()))
        return await handler(request)

    async def check(self, policy: AccessPolicy | None, request: web.Request) -> Identity:
        """Return who asks at a door; after too many wrong logins nobody is asked for a while."""
        if policy is None:
            raise web.HTTPForbidden(reason="closed until it is told who may come in here")
        if policy.method != "none":
            self.before_login(request)
        try:
            return await self._guard.check(policy, request)
        except web.HTTPUnauthorized:
            if self._guard.credentials(request).any:
                self.wrong_login(request)
            raise

    def before_login(self, request: web.Request) -> None:
        """Refuse somebody who has shown too much that was wrong."""
        _slow_down(self._logins.wait(client_key(request[ADDRESS]), self._time()))

    def wrong_login(self, request: web.Request) -> None:
        """Count a wrong proof."""
        self._logins.take(client_key(request[ADDRESS]), self._time())

    def join(self, request: web.Request) -> None:
        """Count somebody who wants to play."""
        _slow_down(self._joins.take(client_key(request[ADDRESS]), self._time()))


def is_upgrade(request: web.Request) -> bool:
    """Tell whether a request asks for a websocket."""
    return "websocket" in request.headers.get("Upgrade", "").lower()


def _slow_down(seconds: float) -> None:
    if seconds > 0:
        raise web.HTTPTooManyRequests(reason="too many requests", headers={"Retry-After": str(int(seconds) + 1)})
