"""The charts of a load test. No I/O."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from pixelfleet_cli.loadtest.core.results import Point, Report
from pixelfleet_cli.loadtest.core.tally import Span
from pixelfleet_cli.report.svg import WIDE, Chart

PERCENTILES: Final = (("p50", "low"), ("p95", "middle"), ("p99", "high"))
"""The percentiles over time, with their styles."""

SERIES: Final = ("s1", "s2", "s3", "s4", "s5", "s6")
"""The styles of lines and bars that have no meaning of their own."""


def players(report: Report) -> str:
    """Return the players over time."""
    points = report.timeline
    most = max((max(each.playing, each.waiting) for each in points), default=1)
    chart = Chart("Players with a streamer, and waiting ones, over time", most, width=WIDE)
    chart.area([each.playing for each in points], "ready")
    chart.line([each.playing for each in points], "busy")
    chart.area([each.waiting for each in points], "waiting")
    chart.labels(_times(points))
    return chart.svg()


def percentiles(report: Report, span: Span, title: str) -> str:
    """Return percentiles of a time by the moment at which it was measured."""
    points = report.timeline
    rows = {name: [_percentile(each, span, name) for each in points] for name, _ in PERCENTILES}
    most = max((value for row in rows.values() for value in row if value is not None), default=1.0)
    scale, unit = (1000, " ms") if most < 1 else (1, " s")
    chart = Chart(f"{title} over time", most * scale, unit)
    for name, style in reversed(PERCENTILES):
        chart.line([None if value is None else value * scale for value in rows[name]], style)
    chart.labels(_times(points))
    return chart.svg()


def errors(report: Report, codes: Sequence[str]) -> str:
    """Return the errors of each interval; those that are not among the codes are the last series."""
    points = report.timeline
    chart = Chart("Errors over time by code", max((sum(each.errors.values()) for each in points), default=1))
    for number, point in enumerate(points):
        low = 0
        for code, style in zip([*codes, None], SERIES, strict=False):
            others = sum(count for name, count in point.errors.items() if name not in codes)
            count = others if code is None else point.errors.get(code, 0)
            if count:
                part = (number + 0.5) / len(points)
                chart.bar(part, 0.8 / len(points), low, low + count, style, f"{count} times {code or 'others'}")
                low += count
    chart.labels(_times(points))
    return chart.svg()


def resources(report: Report, names: Sequence[str], value: Callable[[Point], Mapping[str, float]], unit: str) -> str:
    """Return a resource of processes over time, each with the style of its place."""
    points = report.timeline
    rows = {name: [value(each).get(name) for each in points] for name in names}
    most = max((each for row in rows.values() for each in row if each is not None), default=1.0)
    chart = Chart("Resources of processes over time", most, unit)
    for name, style in zip(names, SERIES, strict=False):
        chart.line(rows[name], style)
    chart.labels(_times(points))
    return chart.svg()


def _percentile(point: Point, span: Span, name: str) -> float | None:
    times = point.times.get(span)
    value: float | None = getattr(times, name) if times is not None else None
    return value


def _times(points: Sequence[Point]) -> list[tuple[float, str]]:
    """Return about six names of the horizontal axis, in seconds, minutes or hours."""
    last = points[-1].seconds if points else 0.0
    if not last:
        return []
    steps = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400)
    step = next((each for each in steps if last / each <= 7), steps[-1])
    unit, name = (1, "s") if last < 120 else (60, "min") if last < 7200 else (3600, "h")
    marks = [step * number for number in range(1, int(last / step) + 1)]
    return [(mark / last, f"{mark / unit:g} {name}") for mark in marks if mark / last < 0.97]
