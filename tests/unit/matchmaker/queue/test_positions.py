"""Positions are exact at the head of a lane, and rounded up behind it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchmaker.queue.positions import ETA_STEPS, UNSERVED, LanePositions, QueuePosition, steady
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


def shown(rates: list[float], place: int) -> list[int | None]:
    """Return the estimates that a player at this place is shown, one for each rate at which sessions end."""
    current: QueuePosition | None = None
    estimates = []
    for rate in rates:
        current = steady(current, LanePositions(view(60, ends=rate)).position(f"s{place - 1}", (place - 1) * 10.0))
        estimates.append(current.eta)
    return estimates


@given(st.floats(0.001, 10.0), st.integers(1, 50), st.integers(2, 50))
def test_the_estimate_for_an_unchanged_place_stays_with_unchanged_data(rate: float, place: int, times: int) -> None:
    assert len(set(shown([rate] * times, place))) == 1


@given(st.floats(0.01, 10.0), st.integers(1, 50), st.lists(st.floats(0.99, 1.01), min_size=2, max_size=50))
def test_the_estimate_for_an_unchanged_place_does_not_flicker(rate: float, place: int, noise: list[float]) -> None:
    estimates = shown([rate * factor for factor in noise], place)
    assert len(set(estimates)) == 1, "one percent is less than a step of any estimate"


@given(st.lists(st.floats(0.001, 10.0), min_size=2, max_size=50), st.integers(1, 50))
def test_a_shown_estimate_differs_from_the_last_by_more_than_a_step(rates: list[float], place: int) -> None:
    estimates = shown(rates, place)
    for before, after in pairwise(estimates):
        assert before is not None
        assert after is not None
        step = next((step for limit, step in ETA_STEPS if max(before, after) < limit), 300)
        assert before == after or abs(before - after) > step


def test_an_estimate_is_not_kept_for_another_place_or_without_data() -> None:
    old = QueuePosition(3, 60)
    for latest in (QueuePosition(2, 60), QueuePosition(3, None), QueuePosition(3, 90), UNSERVED):
        assert steady(old, latest) == latest
    assert steady(None, old) == old
    assert steady(QueuePosition(3, None), old) == old
    assert steady(old, QueuePosition(3, 65)) == old
