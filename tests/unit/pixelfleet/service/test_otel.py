"""The SDK of OpenTelemetry behind the spans of the services; the exporter is in memory."""

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
import structlog
from opentelemetry.exporter.otlp.proto.http import trace_exporter
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from pixelfleet.service import logs, otel
from pixelfleet.service.otel import CannotTraceError, OtelTracing, is_wanted, make_provider, open_tracing
from pixelfleet.service.tracing import NO_TRACING, Kind

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
PARENT = f"00-{'a' * 32}-{'b' * 16}-01"


@dataclass
class Traced:
    """A tracing whose ended spans are in memory."""

    provider: TracerProvider
    tracing: OtelTracing
    exporter: InMemorySpanExporter

    def ended(self) -> list[ReadableSpan]:
        self.provider.force_flush()
        return list(self.exporter.get_finished_spans())

    def names(self) -> list[str]:
        return [span.name for span in self.ended()]


@pytest.fixture
def traced() -> Iterator[Traced]:
    exporter = InMemorySpanExporter()
    provider = make_provider("router", exporter)
    yield Traced(provider, OtelTracing(provider), exporter)
    provider.shutdown()


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "x"}, False),
        (ENDPOINT, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}, False),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "True"}, False),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, True),
        (
            {
                **ENDPOINT,
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
            },
            True,
        ),
    ],
)
def test_tracing_is_on_if_the_standard_variables_name_a_collector(environ: dict[str, str], wanted: bool) -> None:
    assert is_wanted(environ) is wanted


@pytest.mark.parametrize(
    ("name", "value"), [("OTEL_TRACES_EXPORTER", "zipkin"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]
)
async def test_a_variable_that_is_not_supported_turns_tracing_off_with_a_warning(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CannotTraceError, match=name):
        is_wanted({**ENDPOINT, name: value})
    for each, text in {**ENDPOINT, name: value}.items():
        monkeypatch.setenv(each, text)
    with structlog.testing.capture_logs() as lines:
        async with open_tracing("router") as tracing:
            assert tracing is NO_TRACING
    assert [(line["event"], name in line["why"]) for line in lines] == [("tracing is off", True)]


@pytest.mark.parametrize(
    ("variable", "value", "why"),
    [
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096", "the SDK refuses the variables"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318", "pip install 'pixelfleet[otel]'"),
    ],
    ids=["a batch larger than the queue", "without the packages"],
)
async def test_tracing_that_cannot_begin_does_not_stop_the_service(
    variable: str, value: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    monkeypatch.setenv(variable, value)
    if "pip" in why:
        monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with structlog.testing.capture_logs() as lines:
        async with open_tracing("router") as tracing:
            assert tracing is NO_TRACING
    [line] = lines
    assert why in line["why"]


class Stuck(SpanExporter):
    """An exporter whose collector does not answer."""

    def __init__(self) -> None:
        self.shut_down = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.shut_down.wait(600)
        return SpanExportResult.FAILURE

    def shutdown(self) -> None:
        self.shut_down.set()


async def test_the_end_of_a_service_does_not_wait_for_a_collector_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stuck = Stuck()
    monkeypatch.setattr(trace_exporter, "OTLPSpanExporter", lambda: stuck)
    monkeypatch.setattr(otel, "FLUSH_SECONDS", 0.05)
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    with structlog.testing.capture_logs() as lines:
        async with open_tracing("router") as tracing:
            tracing.begin("session").end()
    assert stuck.shut_down.is_set(), "no further attempt is made"
    assert lines[-1]["event"] == "the collector does not answer; the last spans are lost"


def test_a_span_is_in_its_parent_also_across_services(traced: Traced) -> None:
    session = traced.tracing.begin("session", {"pixelfleet.app": "car"}, parent=PARENT)
    dial = session.child("dial", kind=Kind.CLIENT)
    far = session.child("far", parent=PARENT)
    for span in (far, dial, session):
        span.end()
    ended = {span.name: span for span in traced.ended()}
    parents = {name: f"{span.parent.span_id:016x}" for name, span in ended.items() if span.parent}
    assert parents == {"session": "b" * 16, "dial": session.traceparent[36:52], "far": "b" * 16}
    assert {f"{span.context.trace_id:032x}" for span in ended.values()} == {"a" * 32}
    assert ended["dial"].kind.name == "CLIENT"


def test_a_span_ends_once_with_its_error_and_its_times(traced: Traced) -> None:
    span = traced.tracing.begin("session").child("dial", at=10)
    span.event("ice path changed", {"pixelfleet.ice.path": "relay"})
    span.end({"pixelfleet.streamer": "cam"}, error="409", at=30)
    span.end(error="again")
    [ended] = traced.ended()
    assert (ended.start_time, ended.end_time) == (10, 30)
    assert dict(ended.attributes or {}) == {"pixelfleet.streamer": "cam", "error.type": "409"}
    assert [event.name for event in ended.events] == ["ice path changed"]
    assert ended.status.status_code.name == "ERROR"


def test_an_unsampled_session_is_passed_on_as_such_and_not_exported(traced: Traced) -> None:
    session = traced.tracing.begin("session", {"session.id": "s1"}, parent=PARENT.replace("-01", "-00"))
    child = session.child("dial")
    assert child.traceparent.startswith(f"00-{'a' * 32}-")
    assert child.traceparent.endswith("-00")
    assert logs.TRACES == {"s1": "a" * 32}
    child.end()
    session.end()
    assert (traced.names(), logs.TRACES) == ([], {})


def test_a_session_that_begins_anew_keeps_its_trace_in_the_log(traced: Traced) -> None:
    first = traced.tracing.begin("signalling", {"session.id": "s1"})
    second = traced.tracing.begin("signalling", parent=first.traceparent)
    second.set({"session.id": "s1"})
    first.end()
    assert list(logs.TRACES) == ["s1"]
    second.end()
    assert logs.TRACES == {}


def test_the_variables_name_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    def resource() -> dict[str, object]:
        provider = make_provider("router", InMemorySpanExporter())
        provider.shutdown()
        return dict(provider.resource.attributes)

    own = resource()
    assert (own["service.name"], own["service.namespace"]) == ("pixelfleet-router", "pixelfleet")
    assert own["service.instance.id"] != resource()["service.instance.id"]
    monkeypatch.setenv("OTEL_SERVICE_NAME", "edge")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,service.version=9")
    named = resource()
    assert (named["service.name"], named["deployment.environment.name"]) == ("edge", "test")
    assert named["service.version"] == "9"


@pytest.mark.parametrize("service", ["router", "matchmaker", "signalserver"])
def test_a_service_without_tracing_imports_nothing_of_it(service: str) -> None:
    """The client of Redis itself imports the metrics of OpenTelemetry, if they are installed."""
    code = (
        f"import asyncio, sys, {service}.app\n"
        "from pixelfleet.service.otel import open_tracing\n"
        "async def main():\n"
        f"    async with open_tracing('{service}') as tracing: print(tracing.enabled)\n"
        "asyncio.run(main())\n"
        "print({'opentelemetry.exporter', 'opentelemetry.sdk.trace.export', 'google', 'requests'} & {*sys.modules})"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.split() == ["False", "set()"]
