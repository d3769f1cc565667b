import pytest

from pixelfleet.service.tracing import NO_SPAN, NO_TRACING, trace_headers, traceparent_of
from tests.spans import RecordingTracing

VALID = f"00-{'a' * 32}-{'b' * 16}-01"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (VALID, VALID),
        (VALID.replace("-01", "-00"), VALID.replace("-01", "-00")),
        ("", ""),
        (VALID.upper(), ""),
        (VALID + "-x", ""),
        (VALID + "\n", ""),
        (VALID.replace("00-", "ff-", 1), ""),
        ("x" * 10_000, ""),
    ],
)
def test_only_a_valid_traceparent_is_read(text: str, read: str) -> None:
    assert traceparent_of({"traceparent": text}) == read
    assert traceparent_of({}) == ""


def test_a_request_without_tracing_has_no_header() -> None:
    assert trace_headers(NO_SPAN) == {}
    span = RecordingTracing().begin("session")
    assert trace_headers(span) == {"traceparent": span.traceparent}


def test_spans_without_tracing_are_one_object() -> None:
    span = NO_TRACING.begin("session", {"session.id": "s1"}, parent=VALID)
    span.set({"a": 1})
    span.event("b")
    span.end(error="c")
    assert span is span.child("d") is NO_SPAN
    assert (NO_TRACING.enabled, NO_TRACING.now(), span.traceparent) == (False, 0, "")
