"""The HTML page: complete, without other files and without scripts, and safe for any setting."""

import re
from html import escape
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from pixelfleet_cli.report.svg import Chart, ticks
from pixelfleet_cli.simulate.page import page_of
from tests.unit.pixelfleet_cli.simulate.runs import report

VOID = ("meta",)


class Nesting(HTMLParser):
    """Checks that each element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def well_formed(page: str) -> str:
    parser = Nesting()
    parser.feed(page)
    assert parser.open == []
    for svg in re.findall(r"<svg.*?</svg>", page):
        ET.fromstring(svg)  # noqa: S314 - made here
    return page


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"days": 3, "gpu_price": 2, "gpus_per_node": 4},
        {"streams_max": 3},
        {"autoscaler": "none"},
        {"warm": 20, "days": 0.01},
        {"rates": [0.001], "days": 0.01},
    ],
)
def test_a_page_is_complete_in_itself(chosen: dict[str, Any]) -> None:
    page = well_formed(page_of(report(**chosen)))
    assert not re.search(r"https?://|<script|<link|<img|url\(|@import", page)
    assert "prefers-color-scheme: dark" in page
    assert "nan" not in page.replace("nance", "").lower().split("<style")[0]


def test_a_page_has_the_answer_the_causes_and_the_settings() -> None:
    found = report(days=1)
    page = page_of(found)
    assert f"STREAMS_WARM={found.chosen}: the smallest number" in page
    assert all(escape(each.remedy) in page for each in found.wait_causes)
    assert "PIXELFLEET_MATCHMAKER_WARM" in page


def test_settings_are_escaped() -> None:
    found = report(warm=1)
    found.settings["--html"] = "<script>alert(1)</script>"
    assert "<script" not in well_formed(page_of(found))


@pytest.mark.parametrize(
    ("most", "marks"),
    [(0, [0, 1]), (1, [0, 0.25, 0.5, 0.75, 1]), (100, [0, 25, 50, 75, 100]), (37, [0, 10, 20, 30, 40]), (1e-9, 5)],
)
def test_the_marks_of_an_axis_are_round(most: float, marks: Any) -> None:
    found = ticks(most)
    assert found[-1] >= most
    assert found == pytest.approx(marks) if isinstance(marks, list) else len(found) == marks


def test_a_chart_stays_within_its_area() -> None:
    chart = Chart("x", 10)
    chart.line([0, 5, 1000], "busy")
    chart.bar(0.5, 0.1, 0, 1000, "late", "<hint>")
    svg = ET.fromstring(chart.svg())  # noqa: S314 - made here
    assert {float(each.attrib["y"]) >= 0 for each in svg.iter("rect")} == {True}
    assert [each.text for each in svg.iter("title")] == ["<hint>"]
