"""The command `pixelfleet loadtest`: checks its target, runs the test, and writes the report."""

import asyncio
import resource
import sys
from importlib import import_module
from typing import Final

import msgspec

from pixelfleet.capacity.arrivals import Source
from pixelfleet.service.errors import UsageError
from pixelfleet.service.lifecycle import stop_on_signals
from pixelfleet_cli.loadtest.core.results import Report
from pixelfleet_cli.loadtest.core.schedule import source_of
from pixelfleet_cli.loadtest.core.target import check_owner, is_loopback, websocket_url
from pixelfleet_cli.loadtest.live import progress
from pixelfleet_cli.loadtest.page import page_of
from pixelfleet_cli.loadtest.run import LoadTest
from pixelfleet_cli.loadtest.settings import Settings
from pixelfleet_cli.loadtest.terminal import show
from pixelfleet_cli.report.files import write_page
from pixelfleet_cli.simulate.inputs import arrivals_of

SPARE_FILES: Final = 100
"""Open files besides the websockets."""


async def main(settings: Settings) -> int:
    """Return 0, or 1 with more than `max_errors` errors; raise UsageError. Ctrl-C ends the test with its report."""
    test = await asyncio.to_thread(prepared, settings)
    stop = stop_on_signals()
    async with progress(sys.stderr, test):
        report = await test.run(stop)
    await asyncio.to_thread(_write, settings, report)
    return 0 if report.passed else 1


def prepared(settings: Settings) -> LoadTest:
    """Return the test; raise UsageError if it cannot be run as asked."""
    url = websocket_url("--url", settings.url)
    check_owner("--url", url, owned=settings.yes_i_own_it)
    streamer_url = websocket_url("--streamer-url", settings.streamer_url)
    if settings.streamers:
        check_owner("--streamer-url", streamer_url, owned=settings.yes_i_own_it)
    for each in settings.metrics_url:
        websocket_url("--metrics-url", each)
        if not each.startswith("http"):
            raise UsageError("--metrics-url: must be an http:// or https:// URL")
    source: Source = source_of(settings.rate, settings.ramp_seconds)
    if settings.arrivals_file is not None:
        source = arrivals_of(settings.arrivals_file)
    if settings.media:
        _load_media("--media", "pixelfleet_cli.loadtest.media")
    if settings.streamers and settings.streamer_media:
        _load_media("--streamer-media", "teststreamer.app")
    _raise_file_limit(settings.concurrent + settings.streamers + SPARE_FILES)
    if settings.html is not None:
        write_page(settings.html, "")  # an error before the test, not after it
    return LoadTest(settings, url, streamer_url, source, local=settings.processes and is_loopback(url))


def _load_media(option: str, module: str) -> None:
    """Import a module that needs the extra `streamer`, before the event loop would wait for it."""
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{option}: needs the package {error.name}; install it with `pip install 'pixelfleet[streamer]'`"
        ) from None


def _raise_file_limit(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and wanted > hard:
        raise UsageError(
            f"--concurrent: needs {wanted} open files, and the limit of this machine is {hard}; raise it with ulimit -n"
        )
    if soft != resource.RLIM_INFINITY and wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _write(settings: Settings, report: Report) -> None:
    if settings.output == "json":
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(report)).decode() + "\n")
    else:
        show(report, sys.stdout)
    if settings.html is not None:
        write_page(settings.html, page_of(report))
