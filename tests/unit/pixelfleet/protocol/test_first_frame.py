"""What a page tells of its way to the first frame."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.protocol.first_frame import MAX_SECONDS, STEPS, first_frame_steps
from pixelfleet.protocol.messages import page_stats

WHOLE = {"opened": 210, "matched": 250, "configured": 260, "negotiated": 300, "connected": 380, "frame": 500}


def steps(told: object) -> dict[str, float] | None:
    return first_frame_steps(page_stats({"type": "stats", "data": json.dumps({"firstFrame": told})}))


def test_each_step_is_what_lies_between_two_milestones() -> None:
    assert list(WHOLE) == list(STEPS)
    expected = {"page": 0.21, "match": 0.04, "dial": 0.01, "offer": 0.04, "path": 0.08, "picture": 0.12}
    assert steps(WHOLE) == pytest.approx(expected)


@pytest.mark.parametrize("missing", sorted(set(WHOLE) - {"frame"}))
def test_a_milestone_that_was_not_passed_leaves_its_time_to_the_next_step(missing: str) -> None:
    found = steps({name: value for name, value in WHOLE.items() if name != missing})
    assert found is not None
    assert STEPS[missing] not in found
    assert sum(found.values()) == pytest.approx(0.5)


@pytest.mark.parametrize(
    "told",
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
def test_nonsense_is_nothing(told: object) -> None:
    assert steps(told) is None


@pytest.mark.parametrize(
    "data", ['{"firstFrame":{"frame":1e999}}', '{"firstFrame":{"frame":NaN}}', "7", '{"path":"host"}']
)
def test_other_statistics_tell_of_none(data: str) -> None:
    assert first_frame_steps(page_stats({"type": "stats", "data": data})) is None
    assert first_frame_steps(page_stats({"type": "stats"})) is None


@given(st.dictionaries(st.sampled_from([*STEPS, "other"]), st.none() | st.floats() | st.integers() | st.text()))
def test_whatever_is_told_the_steps_are_bounded(told: dict[str, Any]) -> None:
    found = steps(told)
    assert found is None or all(0 <= seconds <= MAX_SECONDS for seconds in found.values())
    assert found is None or 0 <= sum(found.values()) <= MAX_SECONDS * 1.001
