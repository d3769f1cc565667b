"""The plugin of `make interop`: shows the steps of each run, and writes docs/reference/compatibility.md.

python -m pytest -p tests.interop.report tests/interop --interop-table docs/reference/compatibility.md
"""

from collections import defaultdict
from pathlib import Path
from typing import Final

import pytest

from tests.interop.run import ALONE, CUT, ONE_STREAMER, OUR_PAGE, QUEUE, REDIAL, THREE_STREAMERS, Record, recorded

HEAD: Final = """\
# Compatibility

`make interop` writes this page. It runs peers that are not part of this project, and lists what was run with each of
them and the result. The versions are pinned by `tests/interop/package-lock.json`; browsers and GStreamer are those of
Debian.

## Runs

In each run, video plays in the page, and then a click, a key, two `UIInteraction` messages (one with umlauts) and a
latency test arrive at the streamer. Page libraries run in Chromium, unless the peer is another browser, on a page
without Pixelfleet's code. The streamer is `pixelfleet streamer`, which offers H.264 and VP8, unless the peer is one.

| Run | Meaning |
|---|---|
| Pixelfleet's page; page library 5.2 | This page dials the demo's router. GStreamer sends H.264 to it. |
| VP8 to Firefox ESR | The streamer sends VP8 to Pixelfleet's page in Firefox ESR. |
| signalserver alone | The page dials a signalserver without a fleet. |
| chain, 1 streamer; chain, 3 streamers | The page dials the demo's router, and the matchmaker finds a signalserver. |
| queue | A second page waits until the first one leaves, and then plays. |
| cut | The connection to the router is reset during play; the page dials again by itself and plays. |
| redial | The page calls `reconnect()` during play, and plays again. |

"""

TABLE: Final = "| Peer | Version | What was run | Result |\n|---|---|---|---|\n"

PATHS: Final = (OUR_PAGE, ALONE, ONE_STREAMER, THREE_STREAMERS, QUEUE, CUT, REDIAL)
"""The order of the runs of a peer."""

UNAVAILABLE: Final = (
    ("Epic's browser streamer (`JSStreamer`)", "it is not published on npm"),
    ("Epic's protocol tester (`SS_Test`)", "it is not published on npm"),
)
"""Peers that cannot be had where the tests run, each with the reason."""

KNOWN: Final = """
## Limits of the peers

- No library can run the latency test of the data channel: 5.2 has none, and in 5.3 to 5.7 it sends nothing and throws
  ([finding](../../findings/epic-page-data-channel-latency.sh)).
- `reconnect()` never closes the earlier peer connection ([finding](../../findings/epic-page-reconnect.sh)).
- Debian's Firefox has no H.264 without a plugin, which it downloads. It plays VP8, if the streamer offers it.
"""


class Report:
    """The results of a session's runs."""

    def __init__(self) -> None:
        self._results: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        """The result of each path, by peer and version. Empty if it passed."""

    def add(self, record: Record, outcome: str) -> None:
        """Add a run; `outcome` is empty if it passed."""
        self._results[record.peer, record.version][record.path] = outcome

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Return a row for each peer and version: these two, what was run, and the result."""
        peers = sorted(self._results, key=lambda each: (each[0].casefold(), each[1]))
        rows = [(*peer, "; ".join(runs), _result(runs)) for peer in peers for runs in [_ordered(self._results[peer])]]
        return rows + [(peer, "", "nothing", f"not run: {reason}") for peer, reason in UNAVAILABLE]

    def page(self) -> str:
        """Return docs/reference/compatibility.md."""
        rows = [f"| {' | '.join(row)} |\n".replace("|  |", "| |") for row in self.rows()]
        return HEAD + TABLE + "".join(rows) + KNOWN


def _ordered(runs: dict[str, str]) -> dict[str, str]:
    """Return the runs in the order of PATHS, others after these by name."""

    def place(path: str) -> tuple[int, str]:
        return (PATHS.index(path) if path in PATHS else len(PATHS), path.casefold())

    return {path: runs[path] for path in sorted(runs, key=place)}


def _result(runs: dict[str, str]) -> str:
    others = {path: outcome for path, outcome in runs.items() if outcome}
    if not others:
        return "passed"
    if len(others) == len(runs) and len({*others.values()}) == 1:
        return next(iter(others.values()))
    return "; ".join([*(f"{path}: {outcome}" for path, outcome in others.items()), "the others passed"][: len(runs)])


def outcome_of(record: Record, report: pytest.TestReport) -> str:
    """Return why a run did not pass, or an empty text."""
    if report.skipped:
        assert isinstance(report.longrepr, tuple)
        return f"not run: {report.longrepr[2].removeprefix('Skipped: ')}"
    if report.failed:
        return f"failed at '{record.steps[-1]}'" if record.steps else "failed before its first step"
    return ""


class Plugin:
    """Feeds the report. With pytest-xdist only the process that starts the workers has one."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.report = Report()
        self._failures: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        record = recorded(report)
        if record is None or not (report.when == "call" or report.failed):
            return
        self.report.add(record, outcome_of(record, report))
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            self._failures.append(crash.message if crash else f"{report.nodeid}: failed in its {report.when}")

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Show the steps with each run that ends."""
        record = recorded(report)
        if record is None or report.when != "call":
            return None
        shown = f"{record}: {outcome_of(record, report) or f'passed in {len(record.steps)} steps'}"
        return report.outcome, report.outcome[0], shown

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("peers")
        for peer, version, ran, result in self.report.rows():
            terminalreporter.line(f"{peer} {version}: {result} ({ran})")
        for failure in self._failures:
            terminalreporter.line(failure, red=True)
        if self._path is not None:
            self._path.write_text(self.report.page(), encoding="utf-8")
            terminalreporter.line(f"written: {self._path}")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--interop-table", metavar="PATH", type=Path, help="write the page with the results to this file")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Plugin(config.getoption("--interop-table")))
