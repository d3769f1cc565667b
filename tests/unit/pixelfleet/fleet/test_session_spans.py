from pathlib import Path

import pytest

from pixelfleet.fleet.session_spans import ATTRIBUTES, SPANS, close, dial_error
from pixelfleet.protocol.first_frame import STEPS
from tests.spans import RecordingTracing

REFERENCE = (Path(__file__).parents[4] / "docs" / "reference" / "tracing.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*SPANS, *ATTRIBUTES])
def test_every_span_and_attribute_is_documented(name: str) -> None:
    assert f"| `{name}`" in REFERENCE


@pytest.mark.parametrize("step", STEPS.values())
def test_every_step_to_the_first_frame_is_documented(step: str) -> None:
    assert f".{step}`" in REFERENCE


@pytest.mark.parametrize(("code", "ending"), [(1000, "left"), (1001, "closed"), (1006, "lost")])
def test_a_span_ends_with_the_ending_of_its_connection(code: int, ending: str) -> None:
    tracing = RecordingTracing()
    span = tracing.begin("session")
    close(span, code)
    assert span.attributes == {"pixelfleet.close.code": code, "pixelfleet.ending": ending}
    assert span.ended_at is not None


def test_the_error_of_a_dial_is_its_status() -> None:
    assert (dial_error(409), dial_error(0)) == ("409", "unreachable")
