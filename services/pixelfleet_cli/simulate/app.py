"""The command `pixelfleet simulate`: reads its files, makes the runs, prints and writes the report."""

import asyncio
import sys
from threading import Event

import msgspec

from pixelfleet.capacity.arrivals import Rates, Source
from pixelfleet_cli.arguments import EXIT_INTERRUPTED
from pixelfleet_cli.report.files import write_page
from pixelfleet_cli.simulate.inputs import arrivals_of, manifest_of
from pixelfleet_cli.simulate.page import page_of
from pixelfleet_cli.simulate.plan import plan_of
from pixelfleet_cli.simulate.report import Report
from pixelfleet_cli.simulate.runs import report_of
from pixelfleet_cli.simulate.settings import Settings
from pixelfleet_cli.simulate.terminal import progress, show


class StoppedError(Exception):
    """The command was interrupted."""


async def main(settings: Settings) -> int:
    """Return 0 if a run meets the target, otherwise 1, or 130 after Ctrl-C; raise UsageError."""
    stopped = Event()
    try:
        # In a thread, so that Ctrl-C ends it: the runs keep the processor busy for seconds.
        report = await asyncio.to_thread(_simulate, settings, stopped)
    except asyncio.CancelledError:
        return EXIT_INTERRUPTED
    finally:
        stopped.set()
    return 0 if report.answer is not None else 1


def _simulate(settings: Settings, stopped: Event) -> Report:
    source: Source = Rates(tuple(settings.rates))
    if settings.arrivals_file is not None:
        source = arrivals_of(settings.arrivals_file)
    manifest = manifest_of(settings.autoscaler_file) if settings.autoscaler_file is not None else None
    plan = plan_of(settings, source, manifest)
    if settings.html is not None:
        write_page(settings.html, "")  # an error before the runs, not after them
    with progress(sys.stderr, plan.varied) as shown:

        def step(number: int, part: float) -> None:
            if stopped.is_set():
                raise StoppedError
            shown(number, part)

        report = report_of(plan, step)
    if settings.output == "json":
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(report)).decode() + "\n")
    else:
        show(report, sys.stdout)
    if settings.html is not None:
        write_page(settings.html, page_of(report))
    return report
