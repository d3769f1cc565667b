from pathlib import Path

import pytest

from benchmarks import comparison
from benchmarks.comparison import Outcome, Results, document, read, worse, write
from benchmarks.figures import VARIABLE, Figure, record, recorded


def results(value: float, unit: str = "x", *, full: bool = False, name: str = "relay") -> Results:
    """Return a run with one figure."""
    figure = Figure(name="CPU", value=value, unit=unit, goal=1.4)
    return Results(full=full, machine="here", benchmarks={name: Outcome(0, 10, (figure,))})


def test_figures_are_written_only_for_a_run_of_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "figures"
    record("before", 1.0)
    monkeypatch.setenv(VARIABLE, str(file))
    record("CPU", 1.2, goal=1.4)
    record("memory", 10.0, "KiB")
    assert recorded(file) == [
        Figure(name="CPU", value=1.2, unit="x", goal=1.4),
        Figure(name="memory", value=10.0, unit="KiB"),
    ]
    assert recorded(tmp_path / "none") == []


@pytest.mark.parametrize(
    ("value", "goal", "is_missed"), [(1.4, 1.4, False), (1.5, 1.4, True), (9.0, None, False), (float("nan"), 1.4, True)]
)
def test_a_figure_above_its_goal_misses_it(value: float, goal: float | None, is_missed: bool) -> None:
    assert Figure(name="CPU", value=value, unit="x", goal=goal).is_missed is is_missed


def test_a_ratio_may_grow_by_a_fifth_and_a_time_by_half() -> None:
    assert worse(results(1.19), results(1.0)) == []
    assert worse(results(1.21), results(1.0)) == ["worse: relay, CPU: 1.21 x, before 1"]
    assert worse(results(1.49, "ms"), results(1.0, "ms")) == []
    assert len(worse(results(1.51, "ms"), results(1.0, "ms"))) == 1


def test_a_figure_that_missed_its_goal_is_compared_with_the_goal() -> None:
    assert worse(results(1.6), results(9.0)) == []
    assert worse(results(1.7), results(9.0)) == ["worse: relay, CPU: 1.7 x, before 1.4"]


def test_only_runs_of_one_mode_are_compared() -> None:
    assert worse(results(2.0), None) == []
    assert worse(results(2.0), results(1.0, full=True)) == []
    assert worse(results(2.0), results(1.0, name="chain")) == []


def test_a_run_of_some_keeps_the_results_of_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "LATEST", tmp_path / "results" / "latest.json")
    write(results(1.0, name="chain"))
    write(results(1.1, name="relay"))
    found = read(comparison.LATEST)
    assert found is not None
    assert list(found.benchmarks) == ["chain", "relay"]
    write(results(1.1, name="relay", full=True))
    found = read(comparison.LATEST)
    assert found is not None
    assert list(found.benchmarks) == ["relay"]


def test_the_page_has_each_figure_and_what_was_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "PAGE", tmp_path / "benchmarks.md")
    document(results(1.5))
    assert "| relay | CPU | x1.50 | 1.4 | missed |" in comparison.PAGE.read_text(encoding="utf-8")
