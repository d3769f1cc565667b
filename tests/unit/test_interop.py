"""The report of `make interop`, and the message of a failed run."""

import json
import re
from pathlib import Path

import pytest

from tests.documents import ROOT, read
from tests.interop import run as runs
from tests.interop.libraries import LIBRARIES, UI_LIBRARIES
from tests.interop.report import HEAD, KNOWN, Plugin, Report, outcome_of
from tests.interop.run import ALONE, CUT, PROPERTY, QUEUE, Record, Run

PAGE = ROOT / "docs" / "reference" / "compatibility.md"


def report_of(outcome: str, steps: list[str], longrepr: object = None, when: str = "call") -> pytest.TestReport:
    record = Record("Firefox ESR", "153.8.0esr", QUEUE, steps)
    return pytest.TestReport(
        nodeid="test_it",
        location=("test_it.py", 1, "test_it"),
        keywords={},
        outcome=outcome,  # type: ignore[arg-type]  # one of three texts
        longrepr=longrepr,  # type: ignore[arg-type]  # pytest's own types are not public
        when=when,  # type: ignore[arg-type]  # one of three texts
        user_properties=[(PROPERTY, vars(record))],
    )


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (report_of("passed", ["video", "click"]), ""),
        (report_of("failed", ["video", "click"], "trace"), "failed at 'click'"),
        (report_of("failed", [], "trace"), "failed before its first step"),
        (report_of("skipped", [], ("test_it.py", 1, "Skipped: it is missing")), "not run: it is missing"),
    ],
    ids=["passed", "failed", "failed early", "missing"],
)
def test_the_outcome_of_a_run(report: pytest.TestReport, expected: str) -> None:
    record = runs.recorded(report)
    assert record is not None
    assert outcome_of(record, report) == expected


def test_a_row_has_the_runs_in_their_order_and_what_did_not_pass() -> None:
    report = Report()
    for path, outcome in [(CUT, "failed at 'video'"), ("other", ""), (ALONE, "")]:
        report.add(Record("Page", "1.0", path), outcome)
    for path in (ALONE, CUT):
        report.add(Record("Browser", "", path), "not run: it is missing")
    assert report.rows()[:2] == [
        ("Browser", "", f"{ALONE}; {CUT}", "not run: it is missing"),
        ("Page", "1.0", f"{ALONE}; {CUT}; other", f"{CUT}: failed at 'video'; the others passed"),
    ]
    assert "| Browser | | signalserver alone; cut | not run: it is missing |\n" in report.page()


def test_a_failure_after_the_steps_replaces_the_result() -> None:
    plugin = Plugin(None)
    plugin.pytest_runtest_logreport(report_of("passed", ["video"]))
    plugin.pytest_runtest_logreport(report_of("passed", ["video"], when="teardown"))
    assert plugin.report.rows()[0][3] == "passed"
    plugin.pytest_runtest_logreport(report_of("failed", ["video"], "trace", when="teardown"))
    assert plugin.report.rows()[0][3] == "failed at 'video'"


def test_a_failed_step_names_the_peer_the_path_the_step_and_the_logs(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "LOGS", tmp_path / ".build" / "interop")
    run = Run(request.node)
    run.describe("Page", QUEUE, lambda: "1.0")
    with run.step("video"):
        run.log("a line of the page")
    with pytest.raises(AssertionError) as caught, run.step("click"):
        pytest.fail("not within 60 s")
    place = re.fullmatch(r"Page 1\.0, queue: step 'click' failed: not within 60 s \(logs: (\S+)\)", str(caught.value))
    assert place
    log = read(tmp_path / place[1] / "peer.log")
    assert log.splitlines() == ["step: video", "a line of the page", "step: click", "failed: not within 60 s"]
    request.node.user_properties.clear()


def test_the_page_is_that_of_the_locked_versions() -> None:
    text = read(PAGE)
    assert text.startswith(HEAD)
    assert text.endswith(KNOWN)
    for library in [*LIBRARIES, *UI_LIBRARIES]:
        assert f"| {library.peer} | {library} |" in text, "run make interop"


@pytest.mark.parametrize("folder", ["player", "tests/interop", "tests/package"])
def test_an_npm_lock_has_versions_and_hashes_and_no_addresses(folder: str) -> None:
    text = read(ROOT / folder / "package-lock.json")
    assert "://" not in text
    packages = json.loads(text)["packages"]
    packages.pop("")
    assert packages
    assert all(each["version"] and each["integrity"].startswith("sha512-") for each in packages.values())
