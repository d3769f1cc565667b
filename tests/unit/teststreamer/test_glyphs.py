"""The bitmap font."""

import string

import numpy as np
import pytest

from teststreamer import glyphs

PRINTABLE = string.ascii_letters + string.digits + string.punctuation


def test_every_printable_character_has_its_own_drawing() -> None:
    drawings = {glyphs.mask(character, 1).tobytes() for character in PRINTABLE}
    assert len(drawings) == len(PRINTABLE)
    assert all(glyphs.mask(character, 1).any() for character in PRINTABLE)


def test_a_sheet_is_as_wide_as_its_characters() -> None:
    for characters, rows in glyphs.SHEETS.items():
        assert len(rows) == glyphs.GLYPH_HEIGHT
        assert {len(row) for row in rows} == {len(characters) * (glyphs.GLYPH_WIDTH + 1) - 1}
        assert set("".join(rows)) <= set("#. ")


def test_a_number_does_not_wobble_while_it_counts() -> None:
    assert {glyphs.text_width(digit, 2) for digit in string.digits} == {2 * glyphs.GLYPH_WIDTH}


@pytest.mark.parametrize("scale", [1, 2, 7])
def test_a_dot_is_as_large_as_the_scale(scale: int) -> None:
    small, large = glyphs.mask("R", 1), glyphs.mask("R", scale)
    assert np.array_equal(large[::scale, ::scale], small)
    assert large.sum() == small.sum() * scale**2


def test_an_unknown_character_is_a_box() -> None:
    assert np.array_equal(glyphs.mask("語", 1), glyphs.UNKNOWN)


def test_a_text_is_as_wide_as_its_characters_and_the_gaps_between() -> None:
    assert glyphs.text_width("", 4) == 0
    assert glyphs.text_width("12", 4) == 4 * (5 + 1 + 5)
    assert glyphs.text_width("1 2", 1) == 5 + 1 + glyphs.SPACE_WIDTH + 1 + 5


def test_a_mask_cannot_be_drawn_on() -> None:
    with pytest.raises(ValueError, match="read-only"):
        glyphs.mask("A", 2)[0, 0] = True


@pytest.mark.parametrize("text", ["", "A", "12 3", "Hello, world!"])
def test_a_line_is_its_characters_side_by_side(text: str) -> None:
    line = glyphs.line(text, 2)
    assert line.shape == (glyphs.GLYPH_HEIGHT * 2, glyphs.text_width(text, 2))
    at = 0
    for character in text:
        mask = glyphs.mask(character, 2)
        assert np.array_equal(line[:, at : at + mask.shape[1]], mask)
        assert not line[:, at + mask.shape[1] : at + mask.shape[1] + 2].any()
        at += mask.shape[1] + 2
