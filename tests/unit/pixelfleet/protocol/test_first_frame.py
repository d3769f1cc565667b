"""The durations of the steps to the first frame."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.protocol.first_frame import MAX_SECONDS, STEPS, first_frame_steps
from pixelfleet.protocol.messages import page_stats

WHOLE = {"opened": 210, "matched": 250, "configured": 260, "negotiated": 300, "connected": 380, "frame": 500}


def steps(milestones: object) -> dict[str, float] | None:
    return first_frame_steps(page_stats({"type": "stats", "data": json.dumps({"firstFrame": milestones})}))


def test_a_step_is_the_time_between_two_milestones() -> None:
    assert list(WHOLE) == list(STEPS)
    expected = {"page": 0.21, "match": 0.04, "dial": 0.01, "offer": 0.04, "path": 0.08, "picture": 0.12}
    assert steps(WHOLE) == pytest.approx(expected)


@pytest.mark.parametrize("missing", sorted(set(WHOLE) - {"frame"}))
def test_the_time_of_a_missing_milestone_counts_for_the_next_step(missing: str) -> None:
    found = steps({name: value for name, value in WHOLE.items() if name != missing})
    assert found is not None
    assert STEPS[missing] not in found
    assert sum(found.values()) == pytest.approx(0.5)


@pytest.mark.parametrize(
    "milestones",
    [
        None,
        [],
        "frame",
        {},
        {name: value for name, value in WHOLE.items() if name != "frame"},
        WHOLE | {"frame": -1},
        WHOLE | {"opened": -0.001},
        WHOLE | {"opened": 251},
        WHOLE | {"frame": "500"},
        WHOLE | {"frame": True},
        WHOLE | {"frame": None},
        WHOLE | {"frame": [500]},
        WHOLE | {"frame": MAX_SECONDS * 1000 + 1},
        WHOLE | {"frame": 1e300},
        WHOLE | {"frame": 2**63},
    ],
)
def test_invalid_milestones_are_ignored(milestones: object) -> None:
    assert steps(milestones) is None


@pytest.mark.parametrize(
    "data", ['{"firstFrame":{"frame":1e999}}', '{"firstFrame":{"frame":NaN}}', "7", '{"path":"host"}']
)
def test_statistics_without_milestones_give_no_steps(data: str) -> None:
    assert first_frame_steps(page_stats({"type": "stats", "data": data})) is None
    assert first_frame_steps(page_stats({"type": "stats"})) is None


@given(st.dictionaries(st.sampled_from([*STEPS, "other"]), st.none() | st.floats() | st.integers() | st.text()))
def test_the_steps_are_bounded_for_any_input(milestones: dict[str, Any]) -> None:
    found = steps(milestones)
    assert found is None or all(0 <= seconds <= MAX_SECONDS for seconds in found.values())
    assert found is None or 0 <= sum(found.values()) <= MAX_SECONDS * 1.001
