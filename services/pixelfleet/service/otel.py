"""Tracing with OpenTelemetry: spans are sent over OTLP/HTTP, in batches, by a thread of the SDK.

The standard variables `OTEL_…` configure it, and the SDK reads most of them. Tracing never stops a service: with
variables that cannot be followed, or without the packages of the extra `otel`, it is off and the log has a warning. An
unreachable collector costs spans, which the SDK drops when its bounded queue is full, and nothing else.
"""

import asyncio
import logging
import os
import threading
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import structlog

from pixelfleet.service.logs import TRACES
from pixelfleet.service.tracing import NO_ATTRIBUTES, NO_TRACING, TRACEPARENT, Attributes, Kind, Tracing
from pixelfleet.service.version import VERSION

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, Tracer

log = structlog.get_logger(__name__)

FLUSH_SECONDS: Final = 2.0
"""The longest time that the end of a service waits until its last spans are sent."""

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PROTOCOL: Final = "http/protobuf"

SESSION: Final = "session.id"
"""The attribute whose value is added to log lines with the trace."""


class CannotTraceError(Exception):
    """Tracing is configured, and impossible; the text gives the reason and the remedy."""


def is_wanted(environ: Mapping[str, str]) -> bool:
    """Return whether the environment switches tracing on; raise CannotTraceError for what is not supported."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environ.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    if exporter == "none" or not (exporter or any(environ.get(name) for name in ENDPOINTS)):
        return False
    if exporter not in ("", "otlp"):
        raise CannotTraceError("OTEL_TRACES_EXPORTER must be otlp or none")
    chosen = next((name for name in PROTOCOLS if environ.get(name)), None)
    if chosen is not None and environ[chosen] != PROTOCOL:
        raise CannotTraceError(f"{chosen} must be {PROTOCOL}")
    return True


@asynccontextmanager
async def open_tracing(service: str) -> AsyncIterator[Tracing]:
    """Return the tracing of a service, such as `router`; at the end, send what is left for at most FLUSH_SECONDS."""
    try:
        if not is_wanted(os.environ):
            yield NO_TRACING
            return
        provider, exporter = await asyncio.to_thread(_make, service)
    except CannotTraceError as error:
        log.warning("tracing is off", why=str(error))
        yield NO_TRACING
        return
    # A collector that is down is one error for each batch; the warnings are about each attempt and each span.
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)
    log.info("tracing is on", service=provider.resource.attributes["service.name"])
    try:
        yield OtelTracing(provider)
    finally:
        await _shut_down(provider, exporter)


def _make(service: str) -> "tuple[TracerProvider, SpanExporter]":
    """Return a provider of tracers and its exporter, as the environment has it; raise CannotTraceError."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - only if tracing is on
            OTLPSpanExporter,
        )

        exporter = OTLPSpanExporter()
        return make_provider(service, exporter), exporter
    except ImportError as error:
        raise CannotTraceError(
            f"it needs the package {error.name}; install it with `pip install 'pixelfleet[otel]'`"
        ) from None
    except Exception as error:  # the SDK raises errors of several types for values that it cannot read
        raise CannotTraceError(f"the SDK refuses the variables OTEL_…: {error}") from None


def make_provider(service: str, exporter: "SpanExporter") -> "TracerProvider":
    """Return a provider of tracers that sends spans to an exporter, in batches."""
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource  # noqa: PLC0415 - only if tracing is on
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    own = {
        "service.namespace": "pixelfleet",
        "service.name": f"pixelfleet-{service}",
        "service.version": VERSION,
        "service.instance.id": str(uuid.uuid4()),
    }
    # The variables come last: they win.
    resource = Resource.create({}).merge(Resource(own)).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


async def _shut_down(provider: "TracerProvider", exporter: "SpanExporter") -> None:
    """Send the last spans, in a thread: a collector that does not answer must not block the end of the service."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def shut_down() -> None:
        provider.shutdown()
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=shut_down, name="tracing end", daemon=True).start()
    try:
        async with asyncio.timeout(FLUSH_SECONDS):
            await done.wait()
    except TimeoutError:
        log.warning("the collector does not answer; the last spans are lost")
        exporter.shutdown()  # no further attempts


class OtelTracing:
    """Begins the spans of one service with the SDK."""

    enabled: Final = True

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry import trace  # noqa: PLC0415 - only if tracing is on
        from opentelemetry.context import Context  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        self._tracer: Tracer = provider.get_tracer("pixelfleet", VERSION)
        self._propagator = TraceContextTextMapPropagator()
        self._empty = Context()
        self._within = trace.set_span_in_context
        self._kinds: dict[Kind, Any] = {kind: trace.SpanKind[kind.name] for kind in Kind}
        self._failed = trace.StatusCode.ERROR

    def begin(self, name: str, attributes: Attributes = NO_ATTRIBUTES, *, parent: str = "") -> "OtelSpan":
        """Begin the first span of a session in this service."""
        return self._begin(name, attributes, self._remote(parent), Kind.SERVER, None)

    def now(self) -> int:
        """Return the time in nanoseconds since the epoch."""
        return time.time_ns()

    def child(
        self, of: "Span", name: str, attributes: Attributes, kind: Kind, parent: str, at: int | None
    ) -> "OtelSpan":
        """Begin a span inside a span of the SDK, or inside a remote one."""
        # Never the current context of the SDK: tasks of this process inherit contexts from other sessions.
        context = self._remote(parent) if parent else self._within(of, self._empty)
        return self._begin(name, attributes, context, kind, at)

    def fail(self, span: "Span", error: str) -> None:
        """Mark a span of the SDK as failed, with the type of the error."""
        span.set_attribute("error.type", error)
        span.set_status(self._failed)

    def _remote(self, parent: str) -> "Context":
        return self._propagator.extract({TRACEPARENT: parent}, self._empty) if parent else self._empty

    def _begin(self, name: str, attributes: Attributes, context: "Context", kind: Kind, at: int | None) -> "OtelSpan":
        span = self._tracer.start_span(name, context, self._kinds[kind], attributes, start_time=at)
        return OtelSpan(self, span, attributes)


class OtelSpan:
    """A span of the SDK."""

    __slots__ = ("_session", "_span", "_trace_id", "_tracing", "traceparent")

    def __init__(self, tracing: OtelTracing, span: "Span", attributes: Attributes) -> None:
        self._tracing = tracing
        self._span = span
        context = span.get_span_context()
        self._trace_id = f"{context.trace_id:032x}"
        self.traceparent = f"00-{self._trace_id}-{context.span_id:016x}-{context.trace_flags:02x}"
        self._session = ""
        self._name(attributes)

    def child(
        self,
        name: str,
        attributes: Attributes = NO_ATTRIBUTES,
        *,
        kind: Kind = Kind.INTERNAL,
        parent: str = "",
        at: int | None = None,
    ) -> "OtelSpan":
        """Begin a span inside this one, or inside the remote `parent`."""
        return self._tracing.child(self._span, name, attributes, kind, parent, at)

    def event(self, name: str, attributes: Attributes = NO_ATTRIBUTES) -> None:
        """Record that something happened now."""
        self._span.add_event(name, attributes)

    def set(self, attributes: Attributes) -> None:
        """Add attributes."""
        self._name(attributes)
        self._span.set_attributes(attributes)

    def end(self, attributes: Attributes = NO_ATTRIBUTES, *, error: str = "", at: int | None = None) -> None:
        """End the span, with the type of an error if it failed."""
        if not self._span.is_recording():
            self._forget()
            return
        self._span.set_attributes(attributes)
        if error:
            self._tracing.fail(self._span, error)
        self._span.end(at)
        self._forget()

    def _name(self, attributes: Attributes) -> None:
        """Add the trace to the log lines of the session that the attributes name."""
        if (session := attributes.get(SESSION)) is not None:
            self._session = str(session)
            TRACES[self._session] = self._trace_id

    def _forget(self) -> None:
        # By identity: a later span of the same session may have taken the entry.
        if self._session and TRACES.get(self._session) is self._trace_id:
            del TRACES[self._session]
