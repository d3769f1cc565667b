"""A collector for tests: it decodes what the exporters send, and builds the trees of the spans."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from pixelfleet.net.ports import plain_port
from tests.parts import PATIENCE_SECONDS

Value = str | int | float | bool


@dataclass(frozen=True)
class Exported:
    """One span as the collector has it; ids are hexadecimal."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    kind: str
    attributes: dict[str, Value]
    events: tuple[str, ...]
    begin: int
    end: int
    failed: bool


@dataclass
class Collector:
    """The received spans, in the order of their arrival."""

    port: int = 0
    spans: list[Exported] = field(default_factory=list)
    requests: int = 0
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def receive(self, request: web.Request) -> web.Response:
        self.requests += 1
        message = ExportTraceServiceRequest.FromString(await request.read())
        for resource in message.resource_spans:
            names = {each.key: each.value.string_value for each in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [_exported(names["service.name"], span) for span in scope.spans]
        self._arrived.set()
        return web.Response(content_type="application/x-protobuf")

    async def named(self, *names: str) -> list[Exported]:
        """Wait until there is a span of each of these names; return all spans."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not set(names) <= {span.name for span in self.spans}:
                self._arrived.clear()
                await self._arrived.wait()
        return self.spans

    def only(self, name: str) -> Exported:
        """Return the only span of a name."""
        [span] = [span for span in self.spans if span.name == name]
        return span

    def tree(self) -> dict[str, str]:
        """Return the name of the parent of each span by its name; empty for the root. Each name occurs once."""
        by_id = {span.id: span.name for span in self.spans}
        assert len({span.name for span in self.spans}) == len(self.spans), sorted(span.name for span in self.spans)
        return {span.name: by_id[span.parent] if span.parent else "" for span in self.spans}


def _exported(service: str, span: Span) -> Exported:
    return Exported(
        service,
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        {each.key: getattr(each.value, each.value.WhichOneof("value") or "string_value") for each in span.attributes},
        tuple(event.name for event in span.events),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        span.status.code == Status.STATUS_CODE_ERROR,
    )


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """Run a collector."""
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.receive)
    async with plain_port(app, host="127.0.0.1", port=0, option="--port") as collector.port:
        yield collector


def trace_to(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Switch tracing on for the services that start from now on; a batch is sent after 20 ms."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
