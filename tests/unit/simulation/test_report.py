"""When a simulated fleet agrees with a real one."""

from array import array

import pytest

from tests.simulation.report import Comparison, figures_of, rows
from tests.simulation.scenarios import Case, cases


@pytest.fixture(scope="module")
def case() -> Case:
    return cases()[0]


def compared(case: Case, waits: list[float], real: list[float], streams: float = 100.0) -> Comparison:
    served = bytearray([1] * len(waits))
    mine, theirs = (figures_of(served, array("d", each), hours, 1) for each, hours in ((waits, streams), (real, 100.0)))
    return Comparison(case, mine, theirs)


def test_figures_within_fifteen_percent_agree(case: Case) -> None:
    assert compared(case, [10.0] * 20, [10.0] * 20).agrees
    assert compared(case, [11.0] * 20, [10.0] * 20, streams=114).agrees
    assert not compared(case, [11.6] * 20, [10.0] * 20).agrees
    assert not compared(case, [10.0] * 20, [10.0] * 20, streams=84).agrees


def test_both_percentiles_count(case: Case) -> None:
    assert not compared(case, [10.0] * 18 + [20.0, 20.0], [10.0] * 20).agrees
    assert not compared(case, [8.0] * 11 + [10.0] * 9, [10.0] * 20).agrees


def test_short_waits_may_deviate_by_a_part_of_a_second(case: Case) -> None:
    assert compared(case, [0.1] * 20, [0.01] * 20).agrees
    assert not compared(case, [0.2] * 20, [0.01] * 20).agrees


def test_the_cells_have_both_figures_and_the_deviation(case: Case) -> None:
    (cells,) = rows([compared(case, [11.0] * 20, [10.0] * 20)])
    assert cells[2] == "11.00 / 10.00 (+10 %)"


def test_there_are_five_scenarios_with_at_most_fifty_streams() -> None:
    found = cases()
    assert len(found) == len({each.name for each in found}) == 5
    for each in found:
        scaler = each.scenario.autoscaler
        if scaler is not None:
            limits = {scaler["spec"].get("maxReplicas"), scaler["spec"].get("maxReplicaCount")}
            assert max(limit for limit in limits if limit) <= 50
