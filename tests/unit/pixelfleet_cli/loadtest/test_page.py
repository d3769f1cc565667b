"""The HTML page: complete, without other files and without scripts, for any result."""

import pytest

from pixelfleet_cli.loadtest.core.results import Report
from pixelfleet_cli.loadtest.core.tally import Tally
from pixelfleet_cli.loadtest.page import page_of
from tests.unit.pixelfleet_cli.loadtest.reports import report
from tests.unit.pixelfleet_cli.simulate.test_page import well_formed

REPORTS = [
    pytest.param(report(), id="full"),
    pytest.param(report(Tally(60), media=[], passed=True), id="empty"),
]


@pytest.mark.parametrize("result", REPORTS)
def test_the_page_is_complete_and_loads_nothing(result: Report) -> None:
    page = well_formed(page_of(result))
    for part in ("<script", "http://", "https://", "url(", "@import", "None", "nan"):
        assert part not in page


def test_the_page_plots_what_was_measured() -> None:
    page = page_of(report())
    for text in ("Wait for a streamer", "Time to the first frame", "Errors by code", "CPU, of one core", "--url"):
        assert text in page
    assert page.count("<svg") == 9


def test_names_from_elsewhere_are_escaped() -> None:
    page = page_of(report())
    assert "<b>" not in page
    assert "refused: &lt;script&gt;" in page
