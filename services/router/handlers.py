"""HTTP handlers: they forward requests to the matchmaker's API, streamers' REST APIs and the dashboard's API."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import aiohttp
import structlog
from aiohttp import web

from pixelfleet.auth.guard import check_same_site
from pixelfleet.auth.identity import Identity
from pixelfleet.auth.policy import AccessPolicy
from pixelfleet.fleet.audit import Audit
from pixelfleet.fleet.operators import Operator, OperatorWriter
from pixelfleet.net.access import bearer_header
from pixelfleet.net.limits import Counts
from pixelfleet.net.request_head import is_upgrade, is_websocket_request
from router.caller import CALLER, Callers
from router.proxy.forward import Forwarder, Onward
from router.proxy.rules import BadTargetError, checked_target, proxy_target, upstream_url
from router.proxy.streamers import LookupFailedError, Streamers
from router.proxy.tunnel import tunnel
from router.settings import Settings
from router.upstreams.matchmakers import Matchmakers

log = structlog.get_logger(__name__)

SANDBOX: Final = {"Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "no-store"}
"""Headers of a streamer's answer, which has the router's origin: as a page it runs no scripts there."""

ACTION_HEADER: Final = "X-Pixelfleet-Action"
"""A page of another site cannot send this header: it requires a CORS permission, which the router does not give."""

STREAMS_PER_ADDRESS: Final = 16
"""Event streams that one client address may have open at once; more are answered with 429."""

SAFE: Final = frozenset({"GET", "HEAD"})


class Handlers:
    """The handlers and their access policies."""

    def __init__(
        self,
        settings: Settings,
        callers: Callers,
        forwarder: Forwarder,
        matchmakers: Matchmakers,
        streamers: Streamers,
        session: aiohttp.ClientSession,
    ) -> None:
        self._callers = callers
        self._forwarder = forwarder
        self._matchmakers = matchmakers
        self._streamers = streamers
        self._session = session
        self._prefix = settings.path_prefix
        self._operators = OperatorWriter(settings.session_key)
        # Only in the log: calls of applications would displace the changes of the fleet from the store.
        self._audit = Audit(None, "router")
        self._streams = Counts(STREAMS_PER_ADDRESS)
        self._body_bytes = settings.proxy_body_bytes
        self._seconds = settings.proxy_seconds
        self._bounds = settings.bounds()
        self._origins = settings.origins
        self._token = settings.rest_token
        self._dashboard_hosts = frozenset(settings.dashboard_hosts)
        self._proxy: AccessPolicy | None = settings.operator_policy("proxy")
        self._api: AccessPolicy | None = settings.operator_policy("api")
        self._dashboard: AccessPolicy | None = settings.operator_policy("dashboard")
        self._matchmaker_checks_api = self._api is None and settings.api_auth is None

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_route("*", f"{self._prefix}/proxy/{{any:.*}}", self.proxy)
        app.router.add_route("*", f"{self._prefix}/api/{{any:.*}}", self.api)
        app.router.add_route("*", f"{self._prefix}/dashboard/api/{{any:.*}}", self.dashboard_api)

    @property
    def has_dashboard(self) -> bool:
        """Whether the dashboard is enabled."""
        return self._dashboard is not None

    @property
    def signs_in_at_dashboard(self) -> bool:
        """Whether operators sign in with the browser."""
        return self._dashboard is not None and self._dashboard.method == "oidc"

    async def enter_dashboard(self, request: web.Request) -> Identity:
        """Authenticate an operator; raise HTTPException."""
        if self._dashboard_hosts and _host_name(request) not in self._dashboard_hosts:
            raise web.HTTPForbidden(reason="the dashboard is not served under this host name")
        return await self._callers.check(self._dashboard, request[CALLER])

    async def proxy(self, request: web.Request) -> web.StreamResponse:
        """Forward a request to a registered streamer's REST API."""
        identity = await self._callers.check(self._proxy, request[CALLER])
        self._guard_change(request)
        try:
            target = proxy_target(request.raw_path, f"{self._prefix}/proxy/")
            base = await self._streamers.rest_url(target.streamer)
            if base is None:
                raise web.HTTPNotFound(reason="no such streamer, or several of this endpoint id")
            if not base:
                raise web.HTTPNotFound(reason="this streamer has no REST API")
            url = upstream_url(base, target.path, target.query)
        except BadTargetError as error:
            raise web.HTTPBadRequest(reason=f"the path {error}") from None
        except LookupFailedError as error:
            log.warning("streamer lookup failed", why=str(error))
            raise web.HTTPServiceUnavailable(reason="streamers cannot be looked up right now") from None
        client = request[CALLER].client
        if request.method not in SAFE or is_upgrade(request):
            operator = Operator(identity.subject, identity.method, request[CALLER].address)
            await self._audit.record(f"proxy {request.method}", target.streamer + target.path, operator)
        if is_upgrade(request):
            if not is_websocket_request(request):
                raise web.HTTPBadRequest(reason="an upgrade needs GET and the header `Connection: upgrade`")
            with self._forwarder.one_more(client):
                return await tunnel(request, self._session, url, self._forwarded_headers(request), self._bounds)
        onward = Onward(
            url,
            self._forwarded_headers(request),
            answer=SANDBOX,
            seconds=self._seconds,
            body_bytes=self._body_bytes,
            client=client,
        )
        return await self._forwarder.forward(request, onward)

    async def api(self, request: web.Request) -> web.StreamResponse:
        """Forward a request to a matchmaker's API.

        With an access policy of its own the router authenticates the caller and adds the matchmaker's token. Without
        one, the matchmaker checks the caller's token.
        """
        headers = self._forwarded_headers(request)
        if self._matchmaker_checks_api:
            headers |= self._signed_operator(request, "", "token")
            if (authorization := request.headers.get("Authorization")) is not None:
                headers["Authorization"] = authorization
                async with self._callers.login(request[CALLER]) as login:
                    answer = await self._to_matchmaker(request, f"{self._prefix}/api/", headers)
                    login.failed = answer.status == HTTPStatus.UNAUTHORIZED
                return answer
        else:
            identity = await self._callers.check(self._api, request[CALLER])
            self._guard_change(request)
            headers |= bearer_header(self._token)
            headers |= self._signed_operator(request, identity.subject, identity.method)
        return await self._to_matchmaker(request, f"{self._prefix}/api/", headers)

    async def dashboard_api(self, request: web.Request) -> web.StreamResponse:
        """Forward the dashboard's reads, and changes that its own page sends."""
        identity = await self.enter_dashboard(request)
        if request.method not in SAFE:
            check_same_site(request, self._origins)
            if request.headers.get(ACTION_HEADER) != "1":
                raise web.HTTPForbidden(reason=f"only the dashboard's own page may do that: {ACTION_HEADER} is missing")
        headers = self._forwarded_headers(request)
        headers |= bearer_header(self._token)
        headers |= self._signed_operator(request, identity.subject, identity.method)
        return await self._to_matchmaker(request, f"{self._prefix}/dashboard/api/", headers)

    async def _to_matchmaker(self, request: web.Request, prefix: str, headers: Mapping[str, str]) -> web.StreamResponse:
        try:
            path, query = checked_target(request.raw_path, encoded_slash=True)
        except BadTargetError as error:
            raise web.HTTPBadRequest(reason=f"the path {error}") from None
        if not path.startswith(prefix):  # only its decoded form matches the route
            raise web.HTTPBadRequest(reason="the path has percent-encoded letters")
        path = "/api/" + path.removeprefix(prefix)
        is_stream = path.endswith("/events")
        for target in self._matchmakers.candidates():
            onward = Onward(
                target.http_url + path + (f"?{query}" if query else ""),
                {**headers, "Host": target.host},
                self._matchmakers.connection_options(target),
                seconds=None if is_stream else self._seconds,
                body_bytes=self._body_bytes,
                client=request[CALLER].client,
            )
            try:
                if is_stream:
                    return await self._stream(request, onward)
                return await self._forwarder.forward(request, onward)
            except web.HTTPBadGateway:
                self._matchmakers.failed(target, "its API cannot be reached")
                if request.can_read_body:  # the body is consumed and cannot be sent again
                    raise
        raise web.HTTPServiceUnavailable(reason="no matchmaker can be reached")

    async def _stream(self, request: web.Request, onward: Onward) -> web.StreamResponse:
        """Forward an endless event stream, within the limit of its client address."""
        client = request[CALLER].client
        if self._streams.full(client):
            raise web.HTTPTooManyRequests(reason="too many event streams from this address")
        self._streams.add(client)
        try:
            return await self._forwarder.forward(request, onward)
        finally:
            self._streams.remove(client)

    def _guard_change(self, request: web.Request) -> None:
        """Refuse changes sent by pages of other sites (CSRF), which matter with cookies and without authentication.

        Websockets count as changes.
        """
        if request.method not in SAFE or is_upgrade(request):
            check_same_site(request, self._origins)

    def _signed_operator(self, request: web.Request, subject: str, method: str) -> dict[str, str]:
        """Return the header that states to the matchmaker who makes a change; reads have none."""
        if request.method in SAFE:
            return {}
        return self._operators.headers(Operator(subject, method, request[CALLER].address))

    def _forwarded_headers(self, request: web.Request) -> dict[str, str]:
        """Return the headers that describe the caller to the upstream."""
        caller = request[CALLER]
        return {
            "X-Request-ID": caller.request_id,
            "X-Forwarded-For": caller.address,
            "X-Forwarded-Proto": request.scheme,
            "X-Forwarded-Host": request.host,
        }


def _host_name(request: web.Request) -> str:
    """Return the host of a request without the port; empty for a malformed one."""
    try:
        return request.url.host or ""
    except ValueError:
        return ""
