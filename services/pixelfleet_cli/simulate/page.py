"""The report as one HTML page without scripts and without other files."""

from collections.abc import Iterable
from html import escape
from importlib.resources import files
from typing import Final

from pixelfleet.service.version import VERSION
from pixelfleet_cli.simulate import charts
from pixelfleet_cli.simulate.report import Band, Report, spoken
from pixelfleet_cli.simulate.terminal import HEADS, conclusion

STYLE: Final = "page.css"
OF_A_RUN: Final = {"warm": "number of warm slots", "streams": "number of streams", "": "run"}


def page_of(report: Report) -> str:
    """Return the page."""
    style = files(__package__).joinpath(STYLE).read_text(encoding="utf-8")
    met = report.answer is not None
    title = "Capacity of a fleet"
    sections = [_header(report, met=met), _tiles(report), _runs(report), _run(report), _wait_causes(report)]
    sections += [_settings_to_use(report), _details(report)]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{style}</style></head>'
        f"<body><main>{''.join(sections)}</main></body></html>\n"
    )


def _header(report: Report, *, met: bool) -> str:
    answer, *others = (escape(line) for line in conclusion(report))
    kind = "met" if met else "missed"
    rest = "".join(f"<p>{line}</p>" for line in others)
    return f'<header><h1>Capacity of a fleet</h1><p class="answer {kind}">{answer}</p>{rest}</header>'


def _tiles(report: Report) -> str:
    run, days = report.run, report.days
    tiles = [
        (f"{run.in_time_percent:.1f} %", f"wait at most {spoken(report.target_seconds)}"),
        (spoken(run.waits.p95), "95th percentile of the wait"),
        (f"{100 * run.gave_up / max(1, run.players):.1f} %", "give up"),
        (str(run.most_streams), f"streams at once, on {run.most_nodes} nodes"),
        (f"{run.gpu_hours / days:,.0f}", f"GPU hours a day, {run.used_percent:.0f} % in use"),
    ]
    if run.cost is not None:
        tiles.append((f"{run.cost / days:,.2f}", f"a day; {run.cost / max(1, run.players):,.3f} a player"))
    cells = "".join(f"<div><strong>{escape(value)}</strong><span>{escape(name)}</span></div>" for value, name in tiles)
    return f'<section class="tiles">{cells}</section>'


def _runs(report: Report) -> str:
    if len(report.runs) < 2:
        return ""
    by = OF_A_RUN[report.varied]
    target = _legend([("good", "target met"), ("late", "missed"), ("mark", f"target {report.target_percent:g} %")])
    legend = _legend([("play", "with a player"), ("idle", "with a pod"), ("empty", "empty")])
    return (
        '<section class="pair">'
        + _figure(f"Players in time, by {by}", charts.in_time(report), target)
        + _figure(f"GPU hours a day, by {by}", charts.hours_of_gpus(report), legend)
        + "</section>"
        + _table(report)
    )


def _run(report: Report) -> str:
    which = {"warm": f" with {report.chosen} warm slots", "streams": f" with {report.chosen} streams"}.get(
        report.varied, ""
    )
    legend = _legend([("ready", "ready streams"), ("busy", "players with a stream"), ("waiting", "waiting players")])
    over_time = _figure(f"The run{which}", charts.fleet(report.timeline, report.days), legend)
    found = _figure("How long players wait", _bands(report.bands), "")
    if any(each.late_percent for each in report.hours):
        found += _figure("Late players by hour of the day", charts.late_by_hour(report.hours), "")
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
    rows = "".join(f"<tr><th>{escape(n)}</th><td>{escape(value)}</td></tr>" for n, value in report.settings.items())
    footer = f"pixelfleet simulate {VERSION}: {report.days:g} days, {report.run.players:,} players"
    return (
        f"<section><details><summary>All settings of this simulation</summary><table>{rows}</table></details>"
        f"<footer>{footer}</footer></section>"
    )


def _figure(title: str, body: str, legend: str) -> str:
    return f"<figure><figcaption>{escape(title)}{legend}</figcaption>{body}</figure>"


def _legend(entries: Iterable[tuple[str, str]]) -> str:
    found = "".join(f'<span><i class="{style}"></i>{escape(name)}</span>' for style, name in entries)
    return f'<span class="legend">{found}</span>'
