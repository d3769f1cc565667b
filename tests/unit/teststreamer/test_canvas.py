"""Drawing in planes, and clearing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from teststreamer.canvas import Canvas, Colour

WHITE = Colour(235, 128, 128)
RED = Colour.rgb("#ff0000")
places = st.integers(-80, 160)


def test_colours_are_in_the_limited_range() -> None:
    assert Colour.rgb("#000000") == (16, 128, 128)
    assert Colour.rgb("#ffffff") == (235, 128, 128)
    assert Colour.rgb("#0000ff").u == 240
    assert RED.v == 240


def test_a_box_is_filled_in_all_planes() -> None:
    canvas = Canvas(64, 48)
    canvas.fill(4, 6, 10, 8, RED)
    assert (canvas.y[6:14, 4:14] == RED.y).all()
    assert (canvas.u[3:7, 2:7] == RED.u).all()
    assert (canvas.v[3:7, 2:7] == RED.v).all()
    assert (canvas.y != 16).sum() == 10 * 8
    assert (canvas.v != 128).sum() == 5 * 4


@pytest.mark.parametrize(("width", "height"), [(64, 48), (640, 362), (1290, 722)])
def test_what_is_drawn_is_in_the_frame(width: int, height: int) -> None:
    canvas = Canvas(width, height)
    canvas.y[:], canvas.u[:], canvas.v[:] = 1, 2, 3
    assert (canvas.frame.width, canvas.frame.height, canvas.frame.format.name) == (width, height, "yuv420p")
    pixels = canvas.frame.to_ndarray()
    assert pixels.shape == (height * 3 // 2, width)
    assert np.bincount(pixels.reshape(-1)).tolist() == [0, width * height, width * height // 4, width * height // 4]


def test_a_weight_of_half_is_half_way() -> None:
    canvas = Canvas(64, 48)
    canvas.blend(np.full((4, 4), 0.5, dtype=np.float32), 10, 10, WHITE)
    assert (canvas.y[10:14, 10:14] == (16 + 235) // 2).all()


@given(x=places, y=places, width=st.integers(1, 90), height=st.integers(1, 90), text=st.text(max_size=6))
def test_whatever_is_drawn_wherever_is_taken_away_again(x: int, y: int, width: int, height: int, text: str) -> None:
    canvas = Canvas(64, 48)
    canvas.fill(0, 0, 30, 48, RED)
    canvas.keep()
    before = canvas.frame.to_ndarray()
    canvas.fill(x, y, width, height, WHITE)
    canvas.text(text, y, x, 2, RED)
    canvas.blend(np.ones((2 * height, 2 * width), dtype=np.float32), x, y, RED)
    canvas.clear()
    assert np.array_equal(canvas.frame.to_ndarray(), before)


def test_a_text_is_drawn_in_its_colour() -> None:
    canvas = Canvas(64, 48)
    canvas.text("I", 2, 2, 2, RED)
    assert (canvas.y == RED.y).any()
    assert (canvas.v == RED.v).any()
    assert set(np.unique(canvas.y)) == {16, RED.y}
