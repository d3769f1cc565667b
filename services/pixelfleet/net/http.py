"""The HTTP habits that all services share: health, metrics, JSON, errors without internals."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated, Final, Protocol
from urllib.parse import parse_qsl, urlsplit

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from picows import WSUpgradeResponse, WSUpgradeResponseWithListener
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from pixelfleet.net.access import origin_allowed
from pixelfleet.net.listen import listening_socket
from pixelfleet.net.openapi import Answer, Contract, Error, Operation

log = structlog.get_logger(__name__)


PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "600",
}


CORS_HEADERS: Final = web.RequestKey("cors_headers", dict[str, str])
"""What a handler that sends its own head adds to it, so that the page that asks may read it."""


class Health(Protocol):
    """Whether a service should get new work."""

    def unready(self) -> str | None:
        """Return why the service should get no new work, or None when it should."""


class HealthStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a service is alive or ready."""

    status: Annotated[str, msgspec.Meta(description="`ok`, or why the service is not ready")]


READINESS: Final = {
    200: Answer("Ready", (HealthStatus,)),
    503: Answer("Not ready; the status gives the reason", (HealthStatus,)),
}
HEALTH: Final = Contract(
    "Pixelfleet health",
    "What every port answers.",
    (
        Operation(
            path="/livez",
            name="livez",
            summary="Whether the event loop runs",
            answers={200: Answer("Alive", (HealthStatus,))},
        ),
        Operation(path="/readyz", name="readyz", summary="Whether new players should be sent here", answers=READINESS),
        Operation(
            path="/healthz", name="healthz", summary="Another path of /readyz", answers=READINESS, deprecated=True
        ),
    ),
)

_encode: Final = msgspec.json.Encoder().encode


def json_response(
    body: msgspec.Struct | Sequence[msgspec.Struct], *, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """Return one struct, or a list of them, as JSON."""
    return web.Response(body=_encode(body), status=status, content_type="application/json", headers=headers)


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error as `{"error": ...}` and never tell a stranger about our insides."""
    try:
        return await handler(request)
    except web.HTTPRedirection:
        raise
    except web.HTTPException as error:
        return json_response(Error(error=error.reason), status=error.status, headers=_kept(error))
    except Exception:  # the last line of defence of a server: one request's bug must cost that request alone
        log.exception("request failed", method=request.method, path=request.path)
        return json_response(Error(error="internal error"), status=500)


def cors(origins: Sequence[str]) -> Middleware:
    """Return a middleware that lets pages of these origins call; `*` is any."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if origin is None or not origin_allowed(origin, origins):
            return await handler(request)
        headers = {"Access-Control-Allow-Origin": "*" if "*" in origins else origin, "Vary": "Origin"}
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response: web.StreamResponse = web.Response(status=204, headers=PREFLIGHT)
        else:
            request[CORS_HEADERS] = headers
            response = await handler(request)
        if not response.prepared:
            response.headers.update(headers)
        return response

    return middleware


def _kept(error: web.HTTPException) -> dict[str, str]:
    return {
        name: value for name, value in error.headers.items() if name in ("Allow", "Retry-After", "WWW-Authenticate")
    }


def health_handlers(health: Health) -> dict[str, Handler]:
    """Return the handlers of the health operations by their names."""

    async def livez(_: web.Request) -> web.Response:
        return json_response(HealthStatus(status="ok"))

    async def readyz(_: web.Request) -> web.Response:
        why = health.unready()
        return json_response(HealthStatus(status=why or "ok"), status=503 if why else 200)

    return {"livez": livez, "readyz": readyz, "healthz": readyz}


def add_health(app: web.Application, health: Health) -> None:
    """Serve the health operations, on a port whose own contract does not list them."""
    HEALTH.add_to(app, health_handlers(health))


def metrics_app(health: Health, registry: CollectorRegistry, custom: CollectorRegistry) -> web.Application:
    """Return the app of a metrics port: `/custom` has the gauges for autoscaling alone, any other path has all."""

    def exposition(of: CollectorRegistry) -> web.Response:
        return web.Response(body=generate_latest(of), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def only_custom(_: web.Request) -> web.Response:
        return exposition(custom)

    async def everything(_: web.Request) -> web.Response:
        return exposition(registry)

    app = web.Application(middlewares=[errors_as_json])
    add_health(app, health)
    app.router.add_get("/custom", only_custom)
    app.router.add_get("/{any:.*}", everything)
    return app


@asynccontextmanager
async def plain_port(app: web.Application, *, host: str, port: int, option: str) -> AsyncIterator[int]:
    """Serve an app that has no websockets; yield the port."""
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0, auto_decompress=False)
    await runner.setup()
    try:
        socket = listening_socket(host, port, option)
        await web.SockSite(runner, socket).start()
        yield int(socket.getsockname()[1])
    finally:
        await runner.cleanup()


def query_of(target: str) -> dict[str, str]:
    """Return the query of a request target such as `/ws?id=a`, first value of each name, at most 64 of them."""
    try:
        pairs = parse_qsl(urlsplit(target).query, keep_blank_values=True, max_num_fields=64)
    except ValueError:
        return {}
    query: dict[str, str] = {}
    for name, value in pairs:
        query.setdefault(name, value)
    return query


def refusal(status: HTTPStatus, why: str) -> WSUpgradeResponseWithListener:
    """Return an HTTP answer instead of a websocket: the one thing after which no page retries by itself."""
    return WSUpgradeResponseWithListener(WSUpgradeResponse.create_error_response(status, why.encode()), None)
