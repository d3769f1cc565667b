"""The test picture: its layout, and the drawing of a frame from a scene.

The layout is for 1280 by 720 and scales with the picture. The background is drawn once; each frame draws the clock,
the counters, the wave and the marks of the players' input over it.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from teststreamer.canvas import Alpha, Canvas, Colour
from teststreamer.glyphs import CAP_HEIGHT, GLYPH_HEIGHT, text_width

WHITE: Final = Colour.rgb("#f2f5ff")
GREY: Final = Colour.rgb("#8b96ba")
TEAL: Final = Colour.rgb("#3fe3cb")
AMBER: Final = Colour.rgb("#ffb84d")
KEYCAP: Final = Colour.rgb("#18214a")

SKY: Final = ("#070b18", "#121a38")
"""The background's colours at the top and at the bottom."""

GLOW: Final = Colour.rgb("#24407e")
WAVE: Final = ("#2fd8c0", "#3f8cff", "#8a5cff")
"""The wave's colours from left to right."""

UNLIT: Final = Colour.rgb("#1a2446")
COLUMNS: Final = 37
ROWS: Final = 5
PITCH: Final = 32
TILE: Final = 26
"""The wave: its numbers of tiles, the distance between two tiles, and the side of a tile, in pixels."""

LEFT: Final = 48
RIGHT: Final = LEFT + (COLUMNS - 1) * PITCH + TILE
"""The left and right edges of the layout."""

MARK_SECONDS: Final = 1.6
"""The time for which the mark of a click or a touch is visible."""

KEY_SECONDS: Final = 2.5
"""The time for which the name of a key is visible."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The mark of an input: its position (0 to 1 across and down), its label, and its age in seconds."""

    x: float
    y: float
    label: str
    age: float


@dataclass(frozen=True, slots=True)
class Scene:
    """The content of one frame."""

    at: datetime
    """The time on the clock, UTC."""
    frame: int
    streamer_id: str
    players: int
    last_input: str = ""
    pointer: tuple[float, float] | None = None
    """The position of a player's pointer, 0 to 1 across and down."""
    marks: tuple[Mark, ...] = ()
    key: Mark | None = None
    kept: tuple[tuple[float, float], ...] = ()
    """The positions of dots, 0 to 1 across and down."""


class Picture:
    """Draws frames. Not thread-safe."""

    def __init__(self, width: int, height: int, fps: int) -> None:
        """Draw the background; width and height are even numbers of pixels."""
        self._unit = min(width / 1280, height / 720)
        self._canvas = Canvas(width, height)
        self._top = (height - self._even(720)) // 2
        self._left = (width - self._even(1280)) // 2
        _paint_sky(self._canvas)
        self._paint_logo(f"{width} x {height}   {fps} fps")
        self._canvas.keep()
        self._tiles, self._tints = self._lay_tiles()

    def draw(self, scene: Scene) -> av.VideoFrame:
        """Return the frame, in yuv420p; the next call overwrites it."""
        self._canvas.clear()
        self._draw_wave(scene.at.timestamp())
        self._draw_clock(scene)
        self._draw_status(scene)
        for x, y in scene.kept:
            self._centre(_ring(self._even(6), self._even(14)), x, y, AMBER)
        if scene.key is not None:
            self._draw_key(scene.key)
        if scene.pointer is not None:
            self._draw_pointer(*scene.pointer)
        if scene.marks:
            self._draw_label(scene.marks[-1])
        for mark in scene.marks:
            self._draw_mark(mark)
        return self._canvas.frame

    def _even(self, length: float) -> int:
        """Convert a length of the layout to pixels of the picture: an even number, at least two."""
        return max(2, 2 * round(length * self._unit / 2))

    def _text(self, text: str, x: float, y: float, scale: float, colour: Colour, *, right: bool = False) -> None:
        """Write text at a position of the layout; `x` is its left edge, or its right edge with `right`."""
        pixels = self._even(scale)
        left = self._left + round(x * self._unit) - (text_width(text, pixels) if right else 0)
        self._canvas.text(text, left, self._top + round(y * self._unit), pixels, colour)

    def _paint_logo(self, facts: str) -> None:
        for row in range(3):
            for column in range(3):
                shade = Colour.rgb(_between(WAVE, (row + column) / 4))
                self._canvas.fill(
                    self._left + self._even(LEFT + 18 * column),
                    self._top + self._even(44 + 18 * row),
                    self._even(14),
                    self._even(14),
                    shade if (row, column) not in {(1, 2), (2, 1)} else UNLIT,
                )
        self._text("Pixelfleet", 118, 46, 6, WHITE)
        self._text("test picture over WebRTC", 119, 106, 2, GREY)
        self._text(facts, RIGHT, 106, 2, GREY, right=True)

    def _lay_tiles(self) -> tuple[list[NDArray[np.uint8]], list[NDArray[np.float32]]]:
        """Return the wave's tiles and its colours, for each plane.

        The tiles are views of shape (rows, pixels down, columns, pixels across). The colours are the differences
        between a lit and an unlit tile, one per column.
        """
        canvas = self._canvas
        # Rounded down, so that the last column is inside every picture.
        pitch = 2 * int(PITCH * self._unit / 2)
        tile = min(self._even(TILE), pitch - 2)
        top, left = self._top + self._even(520), self._left + self._even(LEFT)
        tiles = []
        for plane, step in ((canvas.y, 1), (canvas.u, 2), (canvas.v, 2)):
            down, across, side, gap = top // step, left // step, tile // step, pitch // step
            band = plane[down : down + ROWS * gap, across : across + COLUMNS * gap]
            shape = (ROWS, gap, COLUMNS, gap)
            tiles.append(band.reshape(shape, copy=False)[:, :side, :, :side])
        colours = [Colour.rgb(_between(WAVE, column / (COLUMNS - 1))) for column in range(COLUMNS)]
        steps = np.array(colours, dtype=np.float32).T - np.array(UNLIT, dtype=np.float32)[:, None]
        return tiles, list(steps)

    def _draw_wave(self, seconds: float) -> None:
        """Light the tiles; the columns' heights are the sum of two waves in opposite directions."""
        place = np.arange(COLUMNS, dtype=np.float32)
        phase = seconds % 3600
        swell = np.sin(place * 0.31 - phase * 2.6) * 0.55 + np.sin(place * 0.17 + phase * 1.7) * 0.45
        height = (0.5 + 0.46 * swell) * ROWS
        lit = np.clip(height[None, :] - np.arange(ROWS, dtype=np.float32)[::-1, None], 0.0, 1.0)
        for tiles, step, unlit in zip(self._tiles, self._tints, UNLIT, strict=True):
            tiles[:] = (unlit + step * lit).astype(np.uint8)[:, None, :, None]

    def _draw_clock(self, scene: Scene) -> None:
        scale = self._even(16)
        seconds, thousandths = scene.at.strftime("%H:%M:%S"), f".{scene.at.microsecond // 1000:03}"
        width = text_width(seconds + thousandths, scale)
        left = (self._canvas.width - width) // 2
        top = self._top + self._even(228)
        self._canvas.text(seconds, left, top, scale, WHITE)
        self._canvas.text(thousandths, left + text_width(seconds, scale) + scale, top, scale, TEAL)
        under = top + scale * CAP_HEIGHT + self._even(30)
        small = self._even(4)
        self._canvas.text(scene.at.strftime("%a %d %b %Y  UTC"), left, under, small, GREY)
        frame = f"frame {scene.frame:07}"
        self._canvas.text(frame, left + width - text_width(frame, small), under, small, GREY)

    def _draw_status(self, scene: Scene) -> None:
        self._text(scene.streamer_id[:32], RIGHT, 50, 4, TEAL, right=True)
        players = "1 player" if scene.players == 1 else f"{scene.players} players"
        self._text(players, RIGHT, 464, 4, GREY, right=True)
        shown = scene.last_input or "click, type or touch: it shows up here"
        self._text(shown[:48], LEFT, 464, 4, WHITE if scene.last_input else GREY)

    def _draw_key(self, key: Mark) -> None:
        """Draw a key with its name on it, above the clock."""
        scale = self._even(6)
        label = key.label[:16]
        width = text_width(label, scale) + self._even(40)
        left = (self._canvas.width - width) // 2
        top = self._top + self._even(146)
        self._canvas.fill(left, top, width, self._even(66), KEYCAP)
        self._canvas.fill(left, top + self._even(62), width, self._even(4), AMBER)
        self._canvas.text(label, left + self._even(20), top + self._even(12), scale, AMBER)

    def _draw_pointer(self, x: float, y: float) -> None:
        self._centre(_ring(self._even(10), self._even(4)), x, y, WHITE)

    def _draw_mark(self, mark: Mark) -> None:
        """Draw a dot at the position of an input, and a ring around it that grows and fades."""
        fade = max(0.0, 1 - mark.age / MARK_SECONDS)
        ring = _ring(self._even(14 + 40 * (1 - fade)), self._even(6))
        self._centre(ring * np.float32(fade), mark.x, mark.y, AMBER)
        self._centre(_ring(self._even(4), self._even(8)), mark.x, mark.y, AMBER)

    def _draw_label(self, mark: Mark) -> None:
        """Write the label of an input beside its position, on the side with enough space."""
        scale = self._even(2)
        width = text_width(mark.label, scale)
        x = round(mark.x * self._canvas.width) + self._even(28)
        if x + width > self._canvas.width:
            x -= width + self._even(56)
        y = round(mark.y * self._canvas.height) - self._even(8)
        space = self._even(6)
        self._canvas.fill(x - space, y - space, width + 2 * space, scale * GLYPH_HEIGHT + 2 * space, KEYCAP)
        self._canvas.text(mark.label, x, y, scale, AMBER)

    def _centre(self, alpha: Alpha, x: float, y: float, colour: Colour) -> None:
        half = alpha.shape[0] // 2
        self._canvas.blend(alpha, round(x * self._canvas.width) - half, round(y * self._canvas.height) - half, colour)


@lru_cache(maxsize=128)
def _ring(radius: int, thickness: int) -> Alpha:
    """Return the weights of a ring with smooth edges, in the smallest square that contains it."""
    reach = radius + thickness
    place = np.arange(-reach, reach, dtype=np.float32) + 0.5
    distance = np.hypot(place[None, :], place[:, None])
    weights: Alpha = np.clip(thickness / 2 + 0.5 - np.abs(distance - radius), 0.0, 1.0).astype(np.float32)
    return weights


def _paint_sky(canvas: Canvas) -> None:
    """Paint the background: a dark gradient with a glow behind the clock."""
    top, bottom = (Colour.rgb(code) for code in SKY)
    across = np.linspace(-1, 1, canvas.width, dtype=np.float32)[None, :]
    down = np.linspace(0, 1, canvas.height, dtype=np.float32)[:, None]
    glow = np.exp(-((across * 1.5) ** 2) - ((down - 0.42) * 3.0) ** 2)
    # Dither the gradient, so that it has no visible bands.
    noise = np.random.default_rng(7).random((canvas.height, canvas.width), dtype=np.float32)
    for plane, step, (start, end, shine) in zip(
        (canvas.y, canvas.u, canvas.v), (1, 2, 2), zip(top, bottom, GLOW, strict=True), strict=True
    ):
        base = start + (end - start) * down[::step]
        weight = 0.75 * glow[::step, ::step]
        plane[:] = base + (shine - base) * weight + noise[::step, ::step]


def _between(codes: tuple[str, ...], where: float) -> str:
    """Interpolate a colour at a position from 0 to 1 along a sequence of colours."""
    spot = where * (len(codes) - 1)
    index = min(int(spot), len(codes) - 2)
    part = spot - index
    pair = [[int(code[i : i + 2], 16) for i in (1, 3, 5)] for code in codes[index : index + 2]]
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(*pair, strict=True))
