"""The plots and the tables of docs/explanation/autoscalers.md show what the shipped autoscalers do."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Final

import pytest

from tools.autoscalers.drawing import IMAGES, PLOTS, write
from tools.autoscalers.numbers import (
    BY_RATIO,
    DRAWN,
    EXACT,
    KEDA,
    QUEUE,
    RAISED,
    SIZES,
    TOLERANT,
    Range,
    fingerprint,
    ranges,
    ready_over_time,
    surplus,
)

DESCRIPTION: Final = "{http://purl.org/dc/elements/1.1/}description"
PAGE: Final = IMAGES.parent / "explanation" / "autoscalers.md"


def described(path: Path) -> str | None:
    """Return the description in an SVG."""
    found = ET.parse(path).getroot().find(f".//{DESCRIPTION}")  # noqa: S314 - a file of this project
    return None if found is None else found.text


@pytest.mark.parametrize("plot", PLOTS)
def test_a_plot_shows_the_present_numbers(plot: str) -> None:
    assert described(IMAGES / plot) == fingerprint(), "run: make generated"


def test_drawing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = ((tmp_path / name) for name in ("first", "second"))
    for folder in (first, second):
        folder.mkdir()
        write("autoscalers-queue.svg", folder)
    content = (first / "autoscalers-queue.svg").read_bytes()
    assert content == (second / "autoscalers-queue.svg").read_bytes()
    assert b"<dc:date>" not in content


def written(found: Range) -> str:
    return str(found.least) if found.least == found.most else f"{found.least} to {found.most}"


def test_the_tables_have_the_numbers_of_the_plots() -> None:
    rows = re.findall(r"^\| ([\d,]+) \| (.+) \|$", PAGE.read_text(), re.MULTILINE)
    tables = [
        [" | ".join(written(ranges(scaler)[side][index]) for scaler in DRAWN) for index in range(len(SIZES))]
        for side in (0, 1)
    ]
    assert rows == [(f"{size:,}", row) for table in tables for size, row in zip(SIZES, table, strict=True)]


def test_keda_does_what_the_exact_hpa_does() -> None:
    assert surplus(KEDA) == surplus(EXACT)


def test_only_an_hpa_without_the_raised_demand_lets_players_wait() -> None:
    waiting = {scaler.name for scaler in DRAWN if min(surplus(scaler)[0].values()) < 0}
    assert waiting == {TOLERANT.name}


def test_the_page_names_the_largest_fleet_with_one_pod_as_the_reserve_of_a_ratio() -> None:
    growing, _ = surplus(BY_RATIO)
    largest = max(players for players, pods in growing.items() if pods == 1)
    assert f"up to {largest} of them" in PAGE.read_text()


def test_the_ratio_serves_a_queue_later() -> None:
    served = {
        scaler: next(at for at, ready in ready_over_time(scaler) if ready >= QUEUE)
        for scaler in (EXACT, RAISED, BY_RATIO)
    }
    assert served == {EXACT: 420, RAISED: 420, BY_RATIO: 540}
