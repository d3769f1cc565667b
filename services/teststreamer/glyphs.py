"""A bitmap font of printable ASCII, five dots wide and eight tall, and masks of scaled text.

The font is part of the code, so that the picture needs no font file and no imaging library. Its square dots stay
sharp at any whole scale and are cheap to encode.
"""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

GLYPH_WIDTH: Final = 5
GLYPH_HEIGHT: Final = 8
"""Seven rows above the baseline and one below it."""

CAP_HEIGHT: Final = 7
SPACE_WIDTH: Final = 3

SHEETS: Final[dict[str, tuple[str, ...]]] = {
    "ABCDEFGHIJKLMNOP": (
        ".###. ####. .###. ####. ##### ##### .###. #...# .###. ....# #...# #.... #...# #...# .###. ####.",
        "#...# #...# #...# #...# #.... #.... #...# #...# ..#.. ....# #..#. #.... ##.## ##..# #...# #...#",
        "#...# #...# #.... #...# #.... #.... #.... #...# ..#.. ....# #.#.. #.... #.#.# ##..# #...# #...#",
        "##### ####. #.... #...# ####. ####. #.### ##### ..#.. ....# ##... #.... #.#.# #.#.# #...# ####.",
        "#...# #...# #.... #...# #.... #.... #...# #...# ..#.. #...# #.#.. #.... #...# #..## #...# #....",
        "#...# #...# #...# #...# #.... #.... #...# #...# ..#.. #...# #..#. #.... #...# #..## #...# #....",
        "#...# ####. .###. ####. ##### #.... .###. #...# .###. .###. #...# ##### #...# #...# .###. #....",
        "..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... .....",
    ),
    "QRSTUVWXYZ012345": (
        ".###. ####. .#### ##### #...# #...# #...# #...# #...# ##### .###. ..#.. .###. .###. ...#. #####",
        "#...# #...# #.... ..#.. #...# #...# #...# #...# #...# ....# #...# .##.. #...# #...# ..##. #....",
        "#...# #...# #.... ..#.. #...# #...# #...# .#.#. .#.#. ...#. #...# ..#.. ....# ....# .#.#. ####.",
        "#...# ####. .###. ..#.. #...# #...# #.#.# ..#.. ..#.. ..#.. #.#.# ..#.. ...#. ..##. #..#. ....#",
        "#.#.# #.#.. ....# ..#.. #...# #...# #.#.# .#.#. ..#.. .#... #...# ..#.. ..#.. ....# ##### ....#",
        "#..#. #..#. ....# ..#.. #...# .#.#. ##.## #...# ..#.. #.... #...# ..#.. .#... #...# ...#. #...#",
        ".##.# #...# ####. ..#.. .###. ..#.. #...# #...# ..#.. ##### .###. .###. ##### .###. ...#. .###.",
        "..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... .....",
    ),
    "6789abcdefghijkl": (
        "..##. ##### .###. .###. ..... #.... ..... ....# ..... ..##. ..... #.... ..#.. ...#. #.... .##..",
        ".#... ....# #...# #...# ..... #.... ..... ....# ..... .#..# ..... #.... ..... ..... #.... ..#..",
        "#.... ...#. #...# #...# .###. ####. .###. .#### .###. .#... .#### ####. .##.. ..##. #..#. ..#..",
        "####. ..#.. .###. .#### ....# #...# #...# #...# #...# ###.. #...# #...# ..#.. ...#. #.#.. ..#..",
        "#...# ..#.. #...# ....# .#### #...# #.... #...# ##### .#... #...# #...# ..#.. ...#. ##... ..#..",
        "#...# ..#.. #...# ...#. #...# #...# #...# #...# #.... .#... .#### #...# ..#.. ...#. #.#.. ..#..",
        ".###. ..#.. .###. .##.. .#### ####. .###. .#### .###. .#... ....# #...# .###. #..#. #..#. .###.",
        "..... ..... ..... ..... ..... ..... ..... ..... ..... ..... .###. ..... ..... .##.. ..... .....",
    ),
    "mnopqrstuvwxyz.:": (
        "..... ..... ..... ..... ..... ..... ..... .#... ..... ..... ..... ..... ..... ..... ..... .....",
        "..... ..... ..... ..... ..... ..... ..... .#... ..... ..... ..... ..... ..... ..... ..... .....",
        "##.#. ####. .###. ####. .#### #.##. .#### ###.. #...# #...# #...# #...# #...# ##### ..... ..#..",
        "#.#.# #...# #...# #...# #...# ##..# #.... .#... #...# #...# #...# .#.#. #...# ...#. ..... .....",
        "#.#.# #...# #...# #...# #...# #.... .###. .#... #...# #...# #.#.# ..#.. #...# ..#.. ..... .....",
        "#.#.# #...# #...# ####. .#### #.... ....# .#..# #..## .#.#. #.#.# .#.#. .#### .#... ..... ..#..",
        "#.#.# #...# .###. #.... ....# #.... ####. ..##. .##.# ..#.. .#.#. #...# ....# ##### ..#.. .....",
        "..... ..... ..... #.... ....# ..... ..... ..... ..... ..... ..... ..... .###. ..... ..... .....",
    ),
    ",;!?'\"`^~-_+=*/\\": (
        "..... ..... ..#.. .###. ..#.. .#.#. .#... ..#.. ..... ..... ..... ..... ..... ..... ....# #....",
        "..... ..... ..#.. #...# ..#.. .#.#. ..#.. .#.#. ..... ..... ..... ..#.. ..... ..#.. ....# #....",
        "..... ..#.. ..#.. ....# .#... .#.#. ..... #...# .#... ..... ..... ..#.. ##### #.#.# ...#. .#...",
        "..... ..... ..#.. ...#. ..... ..... ..... ..... #.#.# ##### ..... ##### ..... .###. ..#.. ..#..",
        "..... ..... ..#.. ..#.. ..... ..... ..... ..... ...#. ..... ..... ..#.. ##### #.#.# .#... ...#.",
        "..#.. ..#.. ..... ..... ..... ..... ..... ..... ..... ..... ..... ..#.. ..... ..#.. #.... ....#",
        "..#.. .#... ..#.. ..#.. ..... ..... ..... ..... ..... ..... ##### ..... ..... ..... #.... ....#",
        ".#... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... .....",
    ),
    "|()[]{}<>#$%&@": (
        "..#.. ...#. .#... .###. .###. ...#. .#... ...#. .#... .#.#. ..#.. ##... .##.. .###.",
        "..#.. ..#.. ..#.. .#... ...#. ..#.. ..#.. ..#.. ..#.. .#.#. .#### ##..# #..#. #...#",
        "..#.. .#... ...#. .#... ...#. ..#.. ..#.. .#... ...#. ##### #.#.. ...#. #.#.. #.###",
        "..#.. .#... ...#. .#... ...#. .#... ...#. #.... ....# .#.#. .###. ..#.. .#... #.#.#",
        "..#.. .#... ...#. .#... ...#. ..#.. ..#.. .#... ...#. ##### ..#.# .#... #.#.# #.###",
        "..#.. ..#.. ..#.. .#... ...#. ..#.. ..#.. ..#.. ..#.. .#.#. ####. #..## #..#. #....",
        "..#.. ...#. .#... .###. .###. ...#. .#... ...#. .#... .#.#. ..#.. ...## .##.# .###.",
        "..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... .....",
    ),
}
"""The drawings: the glyphs of a row's characters stand side by side, `#` is a dot."""

UNKNOWN: Final = np.ones((GLYPH_HEIGHT, GLYPH_WIDTH), dtype=np.bool_)
"""What stands for a character that the font does not have: a box."""
UNKNOWN[1:-2, 1:-1] = False
UNKNOWN[-1] = False


def _cut(sheets: dict[str, tuple[str, ...]]) -> dict[str, Mask]:
    """Return the dots of each character, trimmed to its width.

    Digits keep the full width, so that the width of a counter does not change.
    """
    glyphs: dict[str, Mask] = {" ": np.zeros((GLYPH_HEIGHT, SPACE_WIDTH), dtype=np.bool_)}
    for characters, rows in sheets.items():
        for index, character in enumerate(characters):
            left = index * (GLYPH_WIDTH + 1)
            dots = np.array([[dot == "#" for dot in row[left : left + GLYPH_WIDTH]] for row in rows])
            if not character.isdigit():
                inked = np.flatnonzero(dots.any(axis=0))
                dots = dots[:, inked[0] : inked[-1] + 1]
            glyphs[character] = dots
    return glyphs


GLYPHS: Final = _cut(SHEETS)


@lru_cache(maxsize=2048)
def mask(character: str, scale: int) -> Mask:
    """Return the dots of one character, `8 * scale` rows tall; a dot is `scale` pixels on a side.

    The array is shared and read-only.
    """
    scaled = GLYPHS.get(character, UNKNOWN).repeat(scale, axis=0).repeat(scale, axis=1)
    scaled.flags.writeable = False
    return scaled


@lru_cache(maxsize=64)
def line(text: str, scale: int) -> Mask:
    """Return the dots of a line of text, `8 * scale` rows tall; there is one dot between characters.

    The array is shared and read-only.
    """
    gap = np.zeros((GLYPH_HEIGHT * scale, scale), dtype=np.bool_)
    parts = [part for character in text for part in (mask(character, scale), gap)]
    whole = np.hstack(parts[:-1]) if parts else np.zeros((GLYPH_HEIGHT * scale, 0), dtype=np.bool_)
    whole.flags.writeable = False
    return whole


def text_width(text: str, scale: int) -> int:
    """Return the width of a line of text in pixels, with one dot between characters and none after the last."""
    dots: int = sum(GLYPHS.get(character, UNKNOWN).shape[1] + 1 for character in text)
    return max(0, dots - 1) * scale
