"""A picture in planar YUV 4:2:0, the encoders' input format, of which only the changed parts are redrawn.

Colours are converted once, when they are defined; a frame needs no conversion. Positions and sizes are even numbers
of pixels, so that the luma plane and the chroma planes, which have half its resolution, stay aligned.
"""

from typing import Final, NamedTuple, Self

import av
import numpy as np
from av.video.plane import VideoPlane
from numpy.typing import NDArray

from teststreamer import glyphs

Plane = NDArray[np.uint8]
Alpha = NDArray[np.float32]


class Colour(NamedTuple):
    """A colour in limited-range YUV (BT.709, the default of browsers for video)."""

    y: int
    u: int
    v: int

    @classmethod
    def rgb(cls, code: str) -> Self:
        """Return the colour written as `#rrggbb`."""
        red, green, blue = (int(code[i : i + 2], 16) / 255 for i in (1, 3, 5))
        light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
        return cls(
            round(16 + 219 * light),
            round(128 + 224 * (blue - light) / 1.8556),
            round(128 + 224 * (red - light) / 1.5748),
        )


class Rect(NamedTuple):
    """A rectangle inside the picture: left, top, right and bottom, even numbers of pixels."""

    left: int
    top: int
    right: int
    bottom: int


MARGIN: Final = 2
"""The chroma planes have one value for two by two pixels."""


class Canvas:
    """A picture with a stored background, and a foreground that `clear` removes."""

    def __init__(self, width: int, height: int) -> None:
        """Create a black picture; width and height are even numbers of pixels."""
        self.width = width
        self.height = height
        self.frame = av.VideoFrame(width, height, "yuv420p")
        """The picture as an encoder's input. Drawing writes to its memory, so nothing is copied."""
        self.y, self.u, self.v = map(_pixels, self.frame.planes)
        self.y[:] = 16
        self.u[:] = self.v[:] = 128
        self._background: tuple[Plane, Plane, Plane]
        self._drawn: list[Rect] = []
        self.keep()

    def keep(self) -> None:
        """Store the present picture as the background."""
        self._background = (self.y.copy(), self.u.copy(), self.v.copy())
        self._drawn.clear()

    def clear(self) -> None:
        """Restore the background where it was drawn over."""
        for left, top, right, bottom in self._drawn:
            self.y[top:bottom, left:right] = self._background[0][top:bottom, left:right]
            half = np.s_[top // 2 : bottom // 2, left // 2 : right // 2]
            self.u[half] = self._background[1][half]
            self.v[half] = self._background[2][half]
        self._drawn.clear()

    def _overlap(self, shape: tuple[int, ...], x: int, y: int) -> tuple[Rect, tuple[slice, slice]] | None:
        """Return where a mask at x, y covers the picture, and the part of the mask there; None if nowhere."""
        x, y = x - x % MARGIN, y - y % MARGIN
        rect = self._clip(x, y, shape[1], shape[0])
        if rect is None:
            return None
        left, top, right, bottom = rect
        return rect, (slice(top - y, bottom - y), slice(left - x, right - x))

    def _clip(self, x: int, y: int, width: int, height: int) -> Rect | None:
        """Return the part of a box that is inside the picture, and record it for `clear`; None if there is none."""
        rect = Rect(
            max(0, x - x % MARGIN),
            max(0, y - y % MARGIN),
            min(self.width, x + width + (x + width) % MARGIN),
            min(self.height, y + height + (y + height) % MARGIN),
        )
        if rect.left >= rect.right or rect.top >= rect.bottom:
            return None
        self._drawn.append(rect)
        return rect

    def fill(self, x: int, y: int, width: int, height: int, colour: Colour) -> None:
        """Fill a box; parts outside the picture are ignored."""
        rect = self._clip(x, y, width, height)
        if rect is None:
            return
        left, top, right, bottom = rect
        self.y[top:bottom, left:right] = colour.y
        half = np.s_[top // 2 : bottom // 2, left // 2 : right // 2]
        self.u[half] = colour.u
        self.v[half] = colour.v

    def blend(self, alpha: Alpha, x: int, y: int, colour: Colour) -> None:
        """Blend a colour over the picture; `alpha` has a weight from 0 to 1 per pixel, with its corner at x, y."""
        overlap = self._overlap(alpha.shape, x, y)
        if overlap is None:
            return
        (left, top, right, bottom), covered = overlap
        weight = alpha[covered]
        bottom, right = top + weight.shape[0], left + weight.shape[1]
        _mix(self.y[top:bottom, left:right], weight, colour.y)
        weight = weight[::2, ::2]
        half = np.s_[top // 2 : top // 2 + weight.shape[0], left // 2 : left // 2 + weight.shape[1]]
        _mix(self.u[half], weight, colour.u)
        _mix(self.v[half], weight, colour.v)

    def text(self, text: str, x: int, y: int, scale: int, colour: Colour) -> None:
        """Write a line of text with its top left corner at x, y; `scale` is an even number of pixels per dot."""
        # One mask per line: a call per character would cost several times as much as the pixels.
        mask = glyphs.line(text, scale)
        overlap = self._overlap(mask.shape, x, y)
        if overlap is None:
            return
        (left, top, right, bottom), covered = overlap
        dots = mask[covered]
        np.copyto(self.y[top:bottom, left:right], colour.y, where=dots)
        dots = dots[::2, ::2]
        half = np.s_[top // 2 : bottom // 2, left // 2 : right // 2]
        np.copyto(self.u[half], colour.u, where=dots)
        np.copyto(self.v[half], colour.v, where=dots)


def _pixels(plane: VideoPlane) -> Plane:
    """Return a plane's pixels as an array; its rows are `line_size` bytes apart, which can be more than its width."""
    memory = memoryview(plane)
    rows: Plane = np.frombuffer(memory, dtype=np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width]


def _mix(plane: Plane, weight: Alpha, value: int) -> None:
    """Move a plane towards a value, in place."""
    plane[:] = plane + (value - plane.astype(np.float32)) * weight
