"""Small charts as inline SVG. Colours are classes of the page's style sheet. No I/O."""

import math
from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby
from typing import Final

WIDTH: Final = 560
"""Of a chart that takes half of the page."""

WIDE: Final = 1160
"""Of one that takes the whole width."""

HEIGHT: Final = 230
LEFT, RIGHT, TOP, BOTTOM = 56, 8, 10, 28
"""Margins around the area of the data."""

INNER: Final = HEIGHT - TOP - BOTTOM
TICKS: Final = 4


def ticks(most: float) -> list[float]:
    """Return round numbers from 0 to at least `most`, at equal distances."""
    if most <= 0:
        return [0.0, 1.0]
    rough = most / TICKS
    unit = 10 ** math.floor(math.log10(rough))
    step = next(factor * unit for factor in (1, 2, 2.5, 5, 10) if factor * unit >= rough)
    return [step * number for number in range(math.ceil(most / step - 1e-9) + 1)]


def number(value: float) -> str:
    """Return a number for an axis."""
    return f"{value / 1000:g}k" if value >= 10_000 else f"{value:g}"


class Chart:
    """A chart with a vertical axis from 0; x is from 0 to 1 and y in the unit of the axis."""

    def __init__(self, title: str, most: float, unit: str = "", width: int = WIDTH) -> None:
        """`title` is read by screen readers; `unit` follows the numbers of the vertical axis."""
        self._title, self._width = title, width
        marks = ticks(most)
        self._top = marks[-1]
        self._parts: list[str] = []
        for mark in marks:
            y = self.y(mark)
            self._parts.append(f'<line class="grid" x1="{LEFT}" x2="{width - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            self._text(LEFT - 6, y + 4, f"{number(mark)}{unit}", "end")

    def x(self, part: float) -> float:
        """Return the horizontal place of a part of the width."""
        return LEFT + part * (self._width - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Return the vertical place of a value."""
        return TOP + INNER * (1 - min(value, self._top) / self._top)

    def bar(self, part: float, width: float, low: float, high: float, style: str, hint: str) -> None:
        """Draw a bar around a place; `hint` is its tooltip."""
        left, right, y = self.x(part - width / 2), self.x(part + width / 2), self.y(high)
        self._parts.append(
            f'<rect class="{style}" x="{left:.1f}" y="{y:.1f}" width="{right - left:.1f}" '
            f'height="{self.y(low) - y:.1f}"><title>{escape(hint)}</title></rect>'
        )

    def line(self, values: Sequence[float | None], style: str) -> None:
        """Draw a line over the whole width, with a gap for each None; a value between two gaps is a dot."""
        last = max(1, len(values) - 1)
        for known, group in groupby(enumerate(values), lambda each: each[1] is not None):
            points = [f"{self.x(place / last):.1f},{self.y(value or 0):.1f}" for place, value in group]
            if known:
                kind, end = ("line", "") if len(points) > 1 else ("line dot", " h.1")
                self._parts.append(f'<path class="{kind} {style}" d="M{" ".join(points)}{end}"/>')

    def area(self, values: Sequence[float], style: str) -> None:
        """Fill the area below a line."""
        base = self.y(0)
        path = f"M{self.x(0):.1f},{base:.1f} L{self._points(values)} L{self.x(1):.1f},{base:.1f}Z"
        self._parts.append(f'<path class="area {style}" d="{path}"/>')

    def threshold(self, value: float) -> None:
        """Draw a horizontal line."""
        y = self.y(value)
        self._parts.append(f'<line class="target" x1="{LEFT}" x2="{self._width - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')

    def labels(self, names: Iterable[tuple[float, str]]) -> None:
        """Write names below places of the horizontal axis."""
        for part, name in names:
            self._text(self.x(part), HEIGHT - BOTTOM + 17, name, "middle")

    def svg(self) -> str:
        """Return the element."""
        title = escape(self._title)
        body = "".join(self._parts)
        return f'<svg role="img" aria-label="{title}" viewBox="0 0 {self._width} {HEIGHT}">{body}</svg>'

    def _points(self, values: Sequence[float]) -> str:
        last = max(1, len(values) - 1)
        return " ".join(f"{self.x(place / last):.1f},{self.y(value):.1f}" for place, value in enumerate(values))

    def _text(self, x: float, y: float, text: str, anchor: str) -> None:
        self._parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>')
