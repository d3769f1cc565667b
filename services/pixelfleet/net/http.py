"""HTTP functions that all services share: health and metrics endpoints, JSON, CORS, errors without internals."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Protocol, runtime_checkable

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

from pixelfleet.net.access import origin_allowed
from pixelfleet.net.openapi import Answer, Contract, Error, Operation
from pixelfleet.net.refusal import REFUSAL_HEADER, Refusal
from pixelfleet.net.request_head import Request

log = structlog.get_logger(__name__)


PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "600",
}


KEPT_HEADERS: Final = frozenset({"Allow", "Retry-After", "Upgrade", "WWW-Authenticate", REFUSAL_HEADER})
"""Header fields of an HTTPException that its answer keeps."""


OPENMETRICS: Final = "application/openmetrics-text"

CORS_HEADERS: Final = web.RequestKey("cors_headers", dict[str, str])
"""The CORS headers of an answer. A handler that prepares its own response adds them itself."""


class Health(Protocol):
    """Reports whether a service is ready for new work."""

    def unready(self) -> str | None:
        """Return the reason why the service is not ready, or None when it is ready."""


@runtime_checkable
class Warns(Protocol):
    """A service that can have warnings for its operator."""

    def warnings(self) -> tuple[str, ...]:
        """Return what an operator should change although the service works."""


class HealthStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether a service is alive or ready."""

    status: Annotated[str, msgspec.Meta(description="`ok`, or why the service is not ready")]
    warnings: Annotated[
        tuple[str, ...], msgspec.Meta(description="What an operator should change although the service works")
    ] = ()


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
    """Answer every error as `{"error": ...}`; the answer to a bug does not describe it."""
    try:
        return await handler(request)
    except web.HTTPRedirection:
        raise
    except Exception as error:  # a bug in one handler must not end the connection or the server
        if isinstance(error, ConnectionError) and request.transport is None:
            log.debug("client disconnected", method=request.method, path=request.path)
            return web.Response(status=400)  # nobody reads it
        answer = json_refusal(error, request)
        return web.Response(
            body=answer.body, status=answer.status, content_type=answer.content_type, headers=answer.all_headers
        )


def json_refusal(error: Exception, request: Request, headers: Mapping[str, str] = {}) -> Refusal:
    """Return the answer to a request that failed; any error but an HTTPException is logged and answered with 500.

    `headers` are added to the answer.
    """
    if isinstance(error, web.HTTPException):
        kept = {name: value for name, value in error.headers.items() if name in KEPT_HEADERS}
        return Refusal(
            error.status, msgspec.json.encode(Error(error=error.reason)), {**kept, **headers}, "application/json"
        )
    log.error("request failed", method=request.method, path=request.path, exc_info=error)
    return Refusal(500, msgspec.json.encode(Error(error="internal error")), headers, "application/json")


def cors_headers(origin: str | None, origins: Sequence[str]) -> dict[str, str]:
    """Return the headers with which a page of this origin may read an answer; none unless `origins` allows it."""
    if origin is None or not origin_allowed(origin, origins):
        return {}
    return {
        "Access-Control-Allow-Origin": "*" if "*" in origins else origin,
        "Access-Control-Expose-Headers": f"Retry-After, {REFUSAL_HEADER}",
        "Vary": "Origin",
    }


def cors(origins: Sequence[str]) -> Middleware:
    """Return a middleware that allows requests from pages of these origins; `*` allows any origin."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        headers = cors_headers(request.headers.get("Origin"), origins)
        if not headers:
            return await handler(request)
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response: web.StreamResponse = web.Response(status=204, headers=PREFLIGHT)
        else:
            request[CORS_HEADERS] = headers
            response = await handler(request)
        if not response.prepared:
            response.headers.update(headers)
        return response

    return middleware


def health_handlers(health: Health) -> dict[str, Handler]:
    """Return the handlers of the health operations by operation name."""

    async def livez(_: web.Request) -> web.Response:
        return json_response(HealthStatus(status="ok"))

    async def readyz(_: web.Request) -> web.Response:
        why = health.unready()
        warnings = health.warnings() if isinstance(health, Warns) else ()
        return json_response(HealthStatus(status=why or "ok", warnings=warnings), status=503 if why else 200)

    return {"livez": livez, "readyz": readyz, "healthz": readyz}


def add_health(app: web.Application, health: Health) -> None:
    """Add the health operations to an app whose contract does not list them."""
    HEALTH.add_to(app, health_handlers(health))


def metrics_app(health: Health, registry: CollectorRegistry, custom: CollectorRegistry) -> web.Application:
    """Return the app of a metrics port: `/custom` serves only the gauges for autoscaling, other paths all metrics."""

    async def only_custom(request: web.Request) -> web.Response:
        return _exposition(custom, request)

    async def everything(request: web.Request) -> web.Response:
        return _exposition(registry, request)

    app = web.Application(middlewares=[errors_as_json])
    add_health(app, health)
    app.router.add_get("/custom", only_custom)
    app.router.add_get("/{any:.*}", everything)
    return app


def _exposition(registry: CollectorRegistry, request: web.Request) -> web.Response:
    """Return metrics as OpenMetrics to a client that accepts it, as Prometheus does; else in the older text format."""
    if OPENMETRICS in ",".join(request.headers.getall("Accept", [])):
        body = openmetrics.generate_latest(registry)  # type: ignore[no-untyped-call]  # it has no types
        return web.Response(body=body, headers={"Content-Type": openmetrics.CONTENT_TYPE_LATEST})
    return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
