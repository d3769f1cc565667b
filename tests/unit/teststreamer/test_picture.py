"""The frames."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teststreamer.picture import MARK_SECONDS, Mark, Picture, Scene

NOON = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)
SCENE = Scene(at=NOON, frame=7, streamer_id="cam", players=1)
fractions = st.floats(0, 1)
marks = st.builds(Mark, x=fractions, y=fractions, label=st.text(max_size=80), age=st.floats(-1, 2 * MARK_SECONDS))


@pytest.fixture(scope="module")
def picture() -> Picture:
    return Picture(1280, 720, 30)


def test_a_frame_has_the_shape_of_its_planes(picture: Picture) -> None:
    frame = picture.draw(SCENE)
    assert (frame.width, frame.height, frame.format.name) == (1280, 720, "yuv420p")


def test_the_same_scene_gives_the_same_frame_after_any_other(picture: Picture) -> None:
    first = picture.draw(SCENE).to_ndarray()
    busy = replace(SCENE, marks=(Mark(0.5, 0.5, "MouseDown left", 0.1),), key=Mark(0, 0, "A", 0), pointer=(0, 1))
    assert not np.array_equal(picture.draw(busy).to_ndarray(), first)
    assert np.array_equal(picture.draw(SCENE).to_ndarray(), first)


@pytest.mark.parametrize(
    "other",
    [
        replace(SCENE, at=NOON + timedelta(milliseconds=1)),
        replace(SCENE, frame=8),
        replace(SCENE, streamer_id="dam"),
        replace(SCENE, players=2),
        replace(SCENE, last_input="KeyDown A"),
        replace(SCENE, pointer=(0.5, 0.5)),
        replace(SCENE, key=Mark(0, 0, "Space", 0)),
        replace(SCENE, kept=((0.5, 0.5),)),
    ],
)
def test_every_part_of_a_scene_is_visible(picture: Picture, other: Scene) -> None:
    first = picture.draw(SCENE).to_ndarray()
    assert not np.array_equal(picture.draw(other).to_ndarray(), first)


@pytest.mark.parametrize(("x", "y"), [(0.25, 0.75), (0.5, 0.1), (0.9, 0.5)])
def test_a_mark_is_at_its_position(picture: Picture, x: float, y: float) -> None:
    before = picture.draw(SCENE).to_ndarray()[:720].astype(int)
    after = picture.draw(replace(SCENE, marks=(Mark(x, y, "", 0.0),))).to_ndarray()[:720].astype(int)
    rows, columns = np.nonzero(np.abs(after - before) > 20)
    assert abs(rows.mean() - y * 720) < 4
    assert abs(columns.mean() - x * 1280) < 12


def test_the_picture_moves(picture: Picture) -> None:
    first = picture.draw(SCENE).to_ndarray()[:720]
    second = picture.draw(replace(SCENE, at=NOON + timedelta(seconds=1 / 30))).to_ndarray()[:720]
    assert (first[520:] != second[520:]).mean() > 0.05


@settings(max_examples=25, deadline=None)
@given(
    width=st.integers(320, 1280).map(lambda half: 2 * half),
    height=st.integers(180, 800).map(lambda half: 2 * half),
    seen=st.lists(marks, max_size=3).map(tuple),
    words=st.text(max_size=200),
)
def test_any_size_and_any_scene_can_be_drawn(width: int, height: int, seen: tuple[Mark, ...], words: str) -> None:
    key = seen[0] if seen else None
    scene = Scene(NOON, 10**9, words, 1000, words, (1.0, 1.0), seen, key)
    assert Picture(width, height, 60).draw(scene).to_ndarray().shape == (height * 3 // 2, width)
