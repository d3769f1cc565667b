"""The report of a load test as one HTML page without scripts and without other files."""

from collections.abc import Sequence
from html import escape
from typing import Final

from pixelfleet_cli.loadtest import charts
from pixelfleet_cli.loadtest.core.results import Report
from pixelfleet_cli.loadtest.core.tally import Span
from pixelfleet_cli.loadtest.terminal import (
    MEDIA_HEADS,
    NAMES,
    PROCESS_HEADS,
    TIME_HEADS,
    conclusion,
    media_rows,
    process_rows,
    spoken,
    time_cells,
)
from pixelfleet_cli.report.page import details, document, figure, header, legend, tiles

TITLE: Final = "Load test"
PLOTTED: Final = (
    (Span.WAIT, "Wait for a streamer"),
    (Span.CONNECT, "Time to open the websocket"),
    (Span.OFFER, "Time to the offer"),
    (Span.FIRST_FRAME, "Time to the first frame"),
    (Span.RESUME, "Time to resume after a drop"),
)
MOST_CODES: Final = len(charts.SERIES) - 1


def page_of(report: Report) -> str:
    """Return the page."""
    title = f"{TITLE} of {report.target}"
    sections = [header(title, conclusion(report), met=report.passed), _tiles(report), _players(report)]
    sections += [_times(report), _errors(report), _media(report), _processes(report), _details(report)]
    return document(title, sections)


def _tiles(report: Report) -> str:
    players, times = report.players, report.times
    rate = players.started / report.seconds if report.seconds else 0.0
    entries = [
        (f"{players.started:,}", f"players, {rate:,.1f} per second"),
        (spoken(times[Span.WAIT].p95), "95th percentile of the wait"),
        (spoken(times[Span.CONNECT].p95), "95th percentile of the websocket's opening"),
        (f"{players.gave_up:,}", "gave up waiting"),
        (f"{report.error_count:,}", "errors"),
    ]
    if times[Span.FIRST_FRAME].count:
        entries.insert(2, (spoken(times[Span.FIRST_FRAME].p95), "95th percentile of the first frame"))
    if report.returns.drops:
        back = report.returns
        entries.append((f"{100 * back.resumed / back.drops:.0f} %", f"of {back.drops:,} dropped sessions resumed"))
    return tiles(entries)


def _players(report: Report) -> str:
    kinds = legend([("busy", "with a streamer"), ("waiting", "waiting")])
    return f'<section class="wide">{figure("Players", charts.players(report), kinds)}</section>'


def _times(report: Report) -> str:
    kinds = legend([(style, name) for name, style in charts.PERCENTILES])
    plots = [
        figure(title, charts.percentiles(report, span, title), kinds)
        for span, title in PLOTTED
        if report.times[span].count
    ]
    rows = [[NAMES[name], *time_cells(times)] for name, times in report.times.items() if times.count]
    return f'<section class="pair">{"".join(plots)}</section>' + _table(TIME_HEADS, rows)


def _errors(report: Report) -> str:
    if not report.errors:
        return ""
    codes = [each.code for each in report.errors[:MOST_CODES]]
    named = [*codes, "others"] if len(report.errors) > MOST_CODES else codes
    kinds = legend(zip(charts.SERIES, named, strict=False))
    rows = "".join(
        f'<tr><td class="part">{each.count:,}</td><td>{escape(each.code)}</td><td>{escape(each.hint)}</td></tr>'
        for each in report.errors
    )
    head = "<tr><th></th><th>code</th><th>what it usually means</th></tr>"
    plot = figure("Errors by code", charts.errors(report, codes), kinds)
    return (
        f'<section class="wide">{plot}</section>'
        f'<section class="wide"><table class="errors">{head}{rows}</table></section>'
    )


def _media(report: Report) -> str:
    rows = media_rows(report)
    return f"<section><h2>Players with media</h2></section>{_table(MEDIA_HEADS, rows)}" if rows else ""


def _processes(report: Report) -> str:
    if not report.processes:
        return ""
    busiest = sorted(report.processes, key=lambda each: -each.cpu_percent)[: len(charts.SERIES)]
    names = [each.name for each in busiest]
    kinds = legend(zip(charts.SERIES, names, strict=False))
    cpu = charts.resources(report, names, lambda point: point.cpu_percent, " %")
    memory = charts.resources(
        report, names, lambda point: {name: size / 1024**2 for name, size in point.memory_bytes.items()}, " M"
    )
    plots = figure("CPU, of one core", cpu, kinds) + figure("Memory, in MiB", memory, kinds)
    return f'<section class="pair">{plots}</section>' + _table(PROCESS_HEADS, process_rows(report))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<section class="wide"><table class="figures"><tr>{head}</tr>{body}</table></section>'


def _details(report: Report) -> str:
    footer = f"pixelfleet loadtest {report.version}: {report.started_at}, {spoken(report.seconds)}"
    return details("All settings of this test", report.settings, footer)
