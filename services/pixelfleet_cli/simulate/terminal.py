"""The output on a terminal: progress while the runs are made, and the report as tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from pixelfleet.service.help import terminal_width
from pixelfleet_cli.simulate.report import Report, Run, spoken
from pixelfleet_cli.simulate.runs import OnProgress

HEADS: Final = {"warm": "warm", "streams": "streams", "": "run"}
"""The head of the column with the number that differs."""

ANSWERS: Final = {"warm": "STREAMS_WARM={}", "streams": "{} streams", "": "These settings"}


@contextmanager
def progress(stream: TextIO, varied: str) -> Iterator[OnProgress]:
    """Show the run that is under way if the stream is a terminal."""
    console = Console(file=stream)
    if not console.is_terminal:
        yield lambda number, part: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("run {task.fields[run]}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("players", total=1.0, run=1)
        seen: list[int] = []

        def show(number: int, part: float) -> None:
            if number not in seen:
                seen.append(number)
            name = f"{number} {HEADS[varied]}" if varied else "simulating"
            bar.update(task, completed=part, description=name, run=len(seen))

        yield show


def show(report: Report, stream: TextIO) -> None:
    """Print the report."""
    console = Console(file=stream, width=terminal_width(), highlight=False, markup=False, emoji=False)
    console.print(_runs(report))
    console.print()
    for line in conclusion(report):
        console.print(Text(line))
    if report.wait_causes:
        console.print()
        console.print(_wait_causes(report))
    if report.component and report.answer is not None:
        console.print()
        console.print(Text("For the .env file of `pixelfleet configure`:", style="bold"))
        console.print(Text("\n".join(f"  {name}={value}" for name, value in report.values.items())))
        console.print(Text("Without `configure`, as a component:", style="bold"))
        console.print(Text("\n".join(f"  {line}" for line in report.component.splitlines())), soft_wrap=True)


def conclusion(report: Report) -> list[str]:
    """Return the answer in sentences."""
    run = report.run
    target = f"{report.target_percent:g} % of the players wait at most {spoken(report.target_seconds)}"
    name = ANSWERS[report.varied].format(run.number)
    found = f"{run.in_time_percent:.2f} % of {run.players:,} players"
    if report.answer is not None:
        searched = "the smallest number with which " if len(report.runs) > 1 else ""
        lines = [f"{name}: {searched}{target} ({found})."]
    else:
        lines = [f"The target is missed: with {name} it holds for {found}, not for {report.target_percent:g} %."]
        if report.wait_causes:
            cause = report.wait_causes[0]
            lines.append(
                f"{cause.percent:.0f} % of the waiting time: {cause.meaning}. What shortens it: {cause.remedy}"
            )
    lines.append(
        f"It has {run.most_streams} streams at once at the most, on {run.most_nodes} nodes; "
        f"{run.used_percent:.0f} % of the GPU hours have a player."
    )
    if run.sessions_cut:
        lines.append(f"{run.sessions_cut} sessions are ended by scaling down: raise --drain-seconds or --pod-marks.")
    return lines


def _runs(report: Report) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    heads = [HEADS[report.varied], f"in {spoken(report.target_seconds)}", "p50", "p95", "p99", "gave up"]
    heads += ["streams", "GPU h/day", "in use"]
    if report.run.cost is not None:
        heads.append("cost/day")
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    for run in report.runs:
        table.add_row(*_cells(run, report.days), style="bold" if run.number == report.chosen else "")
    return table


def _cells(run: Run, days: float) -> list[str]:
    waits = run.waits
    cells = [str(run.number), f"{run.in_time_percent:.1f} %{'' if run.meets_target else ' ✗'}"]
    cells += [spoken(each) for each in (waits.p50, waits.p95, waits.p99)]
    cells += [f"{100 * run.gave_up / max(1, run.players):.1f} %", str(run.most_streams)]
    cells += [f"{run.gpu_hours / days:.0f}", f"{run.used_percent:.0f} %"]
    return cells if run.cost is None else [*cells, f"{run.cost / days:,.2f}"]


def _wait_causes(report: Report) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("waiting time", justify="right", no_wrap=True)
    table.add_column("because")
    table.add_column("what shortens it")
    for each in report.wait_causes:
        table.add_row(f"{each.percent:.0f} %", each.meaning, each.remedy)
    return table
