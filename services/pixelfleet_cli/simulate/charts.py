"""The charts of a report. No I/O."""

from collections.abc import Sequence
from typing import Final

from pixelfleet_cli.report.svg import WIDE, Chart
from pixelfleet_cli.simulate.report import Hour, Point, Report, Run

DAY_HOURS: Final = 24
MOST_NAMES: Final = 12
"""Names below an axis; of more, only some are written."""


def in_time(report: Report) -> str:
    """Return the part of the players in time, by the number that differs between runs."""
    chart = Chart("Players in time by run", 100, " %")
    places, width = _places(len(report.runs))
    for place, run in zip(places, report.runs, strict=True):
        style = "good" if run.meets_target else "late"
        hint = f"{run.number}: {run.in_time_percent:.2f} % in time"
        chart.bar(place, width, 0, run.in_time_percent, f"{style} {_chosen(report, run)}", hint)
    chart.threshold(report.target_percent)
    chart.labels(_names(places, report.runs))
    return chart.svg()


def hours_of_gpus(report: Report) -> str:
    """Return the GPU hours a day of each run: with a player, with an idle or starting pod, and without a pod."""
    days = report.days
    chart = Chart("GPU hours a day by run", max(run.gpu_hours for run in report.runs) / days)
    places, width = _places(len(report.runs))
    for place, run in zip(places, report.runs, strict=True):
        low = 0.0
        for hours, style, name in (
            (run.gpu_hours_of_players, "play", "with a player"),
            (run.gpu_hours_of_streams, "idle", "with a pod without a player"),
            (run.gpu_hours, "empty", "without a pod"),
        ):
            high = max(low, hours / days)
            hint = f"{run.number}: {high - low:.1f} GPU hours a day {name}"
            chart.bar(place, width, low, high, f"{style} {_chosen(report, run)}", hint)
            low = high
    chart.labels(_names(places, report.runs))
    return chart.svg()


def fleet(points: Sequence[Point], days: float) -> str:
    """Return the streams and players over the run."""
    most = max((max(each.pods, each.busy, each.waiting) for each in points), default=1)
    chart = Chart("Streams, players and the queue over the run", most, width=WIDE)
    chart.area([each.ready for each in points], "ready")
    chart.line([each.busy for each in points], "busy")
    chart.area([each.waiting for each in points], "waiting")
    chart.labels(_times(days))
    return chart.svg()


def late_by_hour(hours: Sequence[Hour]) -> str:
    """Return the part of late players by hour of the day."""
    chart = Chart("Late players by hour of the day", max(each.late_percent for each in hours), " %")
    for each in hours:
        hint = f"{each.hour}:00: {each.late_percent:.1f} % of {each.players} players"
        chart.bar((each.hour + 0.5) / DAY_HOURS, 0.75 / DAY_HOURS, 0, each.late_percent, "late", hint)
    chart.labels(((hour + 0.5) / DAY_HOURS, f"{hour}:00") for hour in range(0, DAY_HOURS, 3))
    return chart.svg()


def _places(count: int) -> tuple[list[float], float]:
    """Return the middles of bars, and their width."""
    return [(number + 0.5) / count for number in range(count)], min(0.7 / count, 0.12)


def _names(places: Sequence[float], runs: Sequence[Run]) -> list[tuple[float, str]]:
    step = -(-len(runs) // MOST_NAMES)
    return [(place, str(run.number)) for place, run in list(zip(places, runs, strict=True))[::step]]


def _chosen(report: Report, run: Run) -> str:
    return "chosen" if run.number == report.chosen else "other"


def _times(days: float) -> list[tuple[float, str]]:
    """Return the names of the horizontal axis of a run: days, or hours of a short one."""
    if days >= 2:
        step = max(1, round(days / 8))
        return [(day / days, f"day {day + 1}") for day in range(0, int(days), step) if 0.02 < day / days < 0.97]
    hours = next(each for each in (0.01, 0.05, 0.25, 1.0, 3.0, 6.0) if days * DAY_HOURS / each <= 9 or each == 6)
    count = int(days * DAY_HOURS / hours)
    return [(mark * hours / DAY_HOURS / days, f"{mark * hours:g} h") for mark in range(1, count)]
