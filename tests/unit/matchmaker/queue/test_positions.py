"""Positions are exact at the head of a lane, and rounded up behind it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchmaker.queue.positions import LanePositions
from pixelfleet.fleet.bounds import EXACT_POSITIONS
from pixelfleet.fleet.model import LaneView


def view(length: int, *, ends: float = 0.0) -> LaneView:
    """Return the view of a lane whose sessions have the ranks 0, 10, 20, …"""
    marks, at = [], EXACT_POSITIONS
    while at < length:
        marks.append((at * 10.0, at + 1))
        at = max(at + 1, int(at * 1.25))
    if length > EXACT_POSITIONS:
        marks.append(((length - 1) * 10.0, length))
    return LaneView(
        lane="app\x1f",
        length=length,
        head=tuple(f"s{n}" for n in range(min(length, EXACT_POSITIONS))),
        marks=tuple(marks),
        ends_per_second=ends,
    )


def test_the_first_positions_are_exact() -> None:
    positions = LanePositions(view(70))
    assert [positions.position(f"s{n}", n * 10.0).position for n in range(50)] == list(range(1, 51))


@given(st.integers(51, 20_000), st.data())
def test_later_positions_are_rounded_up_by_a_bounded_amount(length: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(EXACT_POSITIONS, length - 1))
    position = LanePositions(view(length)).position("else", index * 10.0).position
    exact = index + 1
    assert position >= exact
    assert position - exact <= max(10, exact * 0.25)


@given(st.integers(60, 5_000))
def test_positions_grow_with_the_rank(length: int) -> None:
    positions = LanePositions(view(length))
    found = [positions.position("else", index * 10.0).position for index in range(EXACT_POSITIONS, length)]
    assert found == sorted(found)
    assert found[0] > EXACT_POSITIONS


def test_a_session_newer_than_the_view_is_last() -> None:
    assert LanePositions(view(100)).position("new", 5_000.0).position >= 100


@pytest.mark.parametrize(
    ("position", "ends", "eta"), [(1, 0.0, None), (1, 0.5, 5), (10, 0.1, 105), (40, 0.01, 4200), (50, 0.0001, 14400)]
)
def test_the_estimate_depends_on_the_rate_at_which_sessions_end(position: int, ends: float, eta: int | None) -> None:
    found = LanePositions(view(60, ends=ends)).position(f"s{position - 1}", (position - 1) * 10.0)
    assert found.position == position
    assert found.eta == eta
