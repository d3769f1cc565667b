"""How rounds become medians, ratios and a verdict."""

import io

import pytest
from rich.console import Console

from benchmarks.load import Phase
from benchmarks.relay import FLOOR, GOALS, OURS, Sample, Samples, failures, main, median, table


def sample(cpu_us: float | None = 10.0, p99_ms: float = 1.0, lost: int = 0, closed: int = 0) -> Sample:
    in_closed_loop = Phase(1000.0, cpu_us, 0.5, p99_ms, lost)
    in_open_loop = Phase(100.0, cpu_us, 0.5, p99_ms, 0)
    return Sample(in_closed_loop, in_open_loop, None if cpu_us is None else 16.0, closed)


def against_floor(*ours: Sample) -> Samples:
    return {FLOOR: [sample() for _ in ours], OURS: list(ours)}


def test_one_disturbed_round_of_five_changes_no_median() -> None:
    rounds = [sample(cpu_us) for cpu_us in (12.0, 11.0, 90.0, 13.0, 12.5)]
    assert median(rounds, GOALS[0].figure) == 12.5
    assert GOALS[0].ratio(against_floor(*rounds)) == pytest.approx(1.25)
    assert GOALS[0].spread(against_floor(*rounds)) == pytest.approx((1.1, 9.0))
    assert failures(against_floor(*rounds)) == []


def test_a_goal_is_met_when_it_is_just_reached() -> None:
    assert failures(against_floor(sample(cpu_us=14.0, p99_ms=1.5))) == []


def test_each_missed_goal_is_named() -> None:
    cpu, p99 = failures(against_floor(sample(cpu_us=14.2, p99_ms=1.6)))
    assert cpu == "CPU a message, closed loop: x1.42 of the bare aiohttp relay, the goal is x1.4 or less"
    assert p99 == "round trip p99, open loop: x1.60 of the bare aiohttp relay, the goal is x1.5 or less"


def test_a_server_that_loses_messages_fails_at_any_cost() -> None:
    assert failures(against_floor(sample(cpu_us=1.0, lost=2, closed=1))) == ["2 messages lost, 1 connections closed"]


def test_unknown_figures_of_a_remote_server_are_omitted() -> None:
    samples = {**against_floor(sample()), "against": [sample(cpu_us=None)]}
    assert median(samples["against"], GOALS[0].figure) is None
    printed = io.StringIO()
    Console(file=printed, width=100).print(table(samples))
    assert ["KiB", "each", "16.0", "x1.00", "16.0", "x1.00", "-"] in map(str.split, printed.getvalue().splitlines())


@pytest.mark.parametrize(
    "options", [["--against", "ws://127.0.0.1:1"], ["--against-streamer", "ws://127.0.0.1:1"], ["--rounds", "0"]]
)
def test_invalid_options_are_refused(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(options)
    assert ended.value.code == 2
    assert options[0] in capsys.readouterr().err
