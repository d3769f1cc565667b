"""The report: the answer of a search, its figures, and the setting that it names."""

import io
from typing import Any

import pytest

from pixelfleet.capacity.arrivals import MAX_PLAYERS
from pixelfleet.service.errors import UsageError
from pixelfleet_cli.simulate.report import Band, spoken
from pixelfleet_cli.simulate.terminal import conclusion, progress, show
from tests.unit.pixelfleet_cli.simulate.runs import report


def text_of(**chosen: Any) -> str:
    stream = io.StringIO()
    show(report(**chosen), stream)
    return stream.getvalue()


def test_the_smallest_warm_pool_that_meets_the_target_is_found() -> None:
    found = report(node_start="60", image_pull="60")
    assert found.answer == found.chosen
    by_number = {run.number: run for run in found.runs}
    assert by_number[found.chosen].meets_target
    assert not by_number[found.chosen - 1].meets_target
    assert report(node_start="60", image_pull="60", warm=found.chosen).run == found.run


def test_a_fixed_fleet_has_the_smallest_number_of_streams() -> None:
    found = report(autoscaler="none")
    assert found.answer is not None
    assert found.answer > 10  # 60 players an hour who play for 10 minutes occupy ten streams
    assert found.values == {"AUTOSCALING": "none"}
    assert found.component == ""
    assert not report(autoscaler="none", streams=found.answer - 1).run.meets_target


def test_a_limit_that_no_warm_pool_overcomes_is_named() -> None:
    found = report(streams_max=5)
    assert found.answer is None
    assert found.wait_causes[0].cause == "streams"
    assert "STREAMS_MAX" in found.wait_causes[0].remedy
    missed, cause, *_ = conclusion(found)
    assert missed.startswith("The target is missed")
    assert "STREAMS_MAX" in cause
    nodes = report(nodes_max=5)
    assert "--nodes-max" in nodes.wait_causes[0].remedy
    fixed = report(autoscaler="none", streams=5)
    assert "--streams" in fixed.wait_causes[0].remedy


def test_all_players_are_in_one_band() -> None:
    found = report(warm=0, patience="40")
    assert sum(band.percent for band in found.bands) == pytest.approx(100)
    assert [band.name for band in found.bands][:4] == ["no wait", "up to 1 s", "1 s to 10 s", "10 s to 30 s"]
    assert sum(band.percent for band in found.bands if band.kind == "in-time") == pytest.approx(
        found.run.in_time_percent
    )
    assert isinstance(found.bands[-1], Band)
    assert found.bands[-1].percent == pytest.approx(100 * found.run.gave_up / found.run.players)


def test_hours_of_the_day_have_the_late_players() -> None:
    rates = [0.0] * 23 + [600.0]
    found = report(days=2, rates=rates, warm=0)
    assert [each.players > 0 for each in found.hours] == [False] * 23 + [True]
    assert found.hours[23].late_percent == pytest.approx(100 - found.run.in_time_percent, abs=1)
    assert report(days=0.2, warm=0).hours == []


def test_the_costs_are_those_of_nodes() -> None:
    found = report(warm=0, gpu_price=2.5, gpus_per_node=4)
    assert found.run.cost == pytest.approx(2.5 * found.run.gpu_hours)
    assert found.run.gpu_hours >= found.run.gpu_hours_of_streams >= found.run.gpu_hours_of_players
    assert report(warm=0).run.cost is None


def test_the_tables_fit_a_terminal_and_have_the_answer() -> None:
    text = text_of(gpu_price=1)
    assert max(len(line.rstrip()) for line in text.splitlines() if not line.startswith("  ")) <= 80
    assert "STREAMS_WARM=" in text
    assert "cost/day" in text
    assert "cost/day" not in text_of(autoscaler="none", streams=20)


def test_progress_is_shown_on_terminals_only() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, shown in ((io.StringIO(), False), (Terminal(), True)):
        with progress(stream, "warm") as step:
            step(3, 0.5)
        assert ("3 warm" in stream.getvalue()) is shown


def test_too_many_players_are_refused_with_a_remedy() -> None:
    with pytest.raises(UsageError, match="use fewer days or lower rates"):
        report(rates=[MAX_PLAYERS - 1], days=2)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (1.234, "1.23 s"), (59.6, "59.6 s"), (90, "90 s"), (600, "10 min"), (9000, "2.5 h")],
)
def test_times_have_a_suitable_unit(seconds: float, text: str) -> None:
    assert spoken(seconds) == text
