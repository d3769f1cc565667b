"""The report as one HTML page without scripts and without other files."""

from html import escape
from typing import Final

from pixelfleet.service.version import VERSION
from pixelfleet_cli.report.page import details, document, figure, header, legend, tiles
from pixelfleet_cli.simulate import charts
from pixelfleet_cli.simulate.report import Band, Report, spoken
from pixelfleet_cli.simulate.terminal import HEADS, conclusion

TITLE: Final = "Capacity of a fleet"
OF_A_RUN: Final = {"warm": "number of warm slots", "streams": "number of streams", "": "run"}


def page_of(report: Report) -> str:
    """Return the page."""
    sections = [header(TITLE, conclusion(report), met=report.answer is not None), _tiles(report), _runs(report)]
    sections += [_run(report), _wait_causes(report), _settings_to_use(report), _details(report)]
    return document(TITLE, sections)


def _tiles(report: Report) -> str:
    run, days = report.run, report.days
    entries = [
        (f"{run.in_time_percent:.1f} %", f"wait at most {spoken(report.target_seconds)}"),
        (spoken(run.waits.p95), "95th percentile of the wait"),
        (f"{100 * run.gave_up / max(1, run.players):.1f} %", "give up"),
        (str(run.most_streams), f"streams at once, on {run.most_nodes} nodes"),
        (f"{run.gpu_hours / days:,.0f}", f"GPU hours a day, {run.used_percent:.0f} % in use"),
    ]
    if run.cost is not None:
        entries.append((f"{run.cost / days:,.2f}", f"a day; {run.cost / max(1, run.players):,.3f} a player"))
    return tiles(entries)


def _runs(report: Report) -> str:
    if len(report.runs) < 2:
        return ""
    by = OF_A_RUN[report.varied]
    target = legend([("good", "target met"), ("late", "missed"), ("mark", f"target {report.target_percent:g} %")])
    kinds = legend([("play", "with a player"), ("idle", "with a pod"), ("empty", "empty")])
    return (
        '<section class="pair">'
        + figure(f"Players in time, by {by}", charts.in_time(report), target)
        + figure(f"GPU hours a day, by {by}", charts.hours_of_gpus(report), kinds)
        + "</section>"
        + _table(report)
    )


def _run(report: Report) -> str:
    which = {"warm": f" with {report.chosen} warm slots", "streams": f" with {report.chosen} streams"}.get(
        report.varied, ""
    )
    kinds = legend([("ready", "ready streams"), ("busy", "players with a stream"), ("waiting", "waiting players")])
    over_time = figure(f"The run{which}", charts.fleet(report.timeline, report.days), kinds)
    found = figure("How long players wait", _bands(report.bands), "")
    if any(each.late_percent for each in report.hours):
        found += figure("Late players by hour of the day", charts.late_by_hour(report.hours), "")
    return f'<section class="wide">{over_time}</section><section class="pair">{found}</section>'


def _bands(bands: list[Band]) -> str:
    rows = ""
    for number, band in enumerate(bands):
        later = any(each.percent for each in bands[number:-1])
        if not later and band.kind == "late":
            continue  # no player waits that long or longer
        cells = f"<td>{_bar(band.percent, band.kind)}</td><td>{band.percent:.1f} %</td>"
        rows += f"<tr><th>{escape(band.name)}</th>{cells}</tr>"
    return f'<table class="bars">{rows}</table>'


def _bar(percent: float, kind: str) -> str:
    return f'<i class="bar {kind}" style="width:{percent:.2f}%"></i>' if percent else ""


def _wait_causes(report: Report) -> str:
    if not report.wait_causes:
        return ""
    rows = ""
    for each in report.wait_causes:
        cells = f'<td class="part">{each.percent:.0f} %</td><td>{_bar(each.percent, "late")}</td>'
        rows += f"<tr>{cells}<td>{escape(each.meaning)}</td><td>{escape(each.remedy)}</td></tr>"
    head = "<tr><th></th><th>of the waiting time</th><th>because</th><th>what shortens it</th></tr>"
    title = "<h2>Why players wait, and which setting to change</h2>"
    return f'<section class="wide">{title}<table class="causes">{head}{rows}</table></section>'


def _table(report: Report) -> str:
    heads = [HEADS[report.varied], "in time", "p50", "p90", "p95", "p99", "longest", "give up", "most streams", "nodes"]
    heads += ["GPU hours a day", "in use"] + (["cost a day"] if report.run.cost is not None else [])
    rows = ""
    for run in report.runs:
        waits = run.waits
        cells = [str(run.number), f"{run.in_time_percent:.2f} %"]
        cells += [spoken(each) for each in (waits.p50, waits.p90, waits.p95, waits.p99, waits.longest)]
        cells += [f"{100 * run.gave_up / max(1, run.players):.2f} %", str(run.most_streams), str(run.most_nodes)]
        cells += [f"{run.gpu_hours / report.days:,.1f}", f"{run.used_percent:.0f} %"]
        cells += [f"{run.cost / report.days:,.2f}"] if run.cost is not None else []
        row = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        rows += f'<tr class="{"chosen" if run.number == report.chosen else ""}">{row}</tr>'
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    return f'<section class="wide"><table class="runs"><tr>{head}</tr>{rows}</table></section>'


def _settings_to_use(report: Report) -> str:
    if not report.component or report.answer is None:
        return ""
    values = "\n".join(f"{name}={value}" for name, value in report.values.items())
    return (
        "<section><h2>Settings for the cluster</h2><p>Lines for the <code>.env</code> file of "
        f"<code>pixelfleet configure</code>:</p><pre>{escape(values)}</pre>"
        f"<p>Without it, as a component of kustomize:</p><pre>{escape(report.component)}</pre></section>"
    )


def _details(report: Report) -> str:
    footer = f"pixelfleet simulate {VERSION}: {report.days:g} days, {report.run.players:,} players"
    return details("All settings of this simulation", report.settings, footer)
