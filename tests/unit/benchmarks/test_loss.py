"""The arithmetic of the benchmark of a lost store."""

import math

from benchmarks.loss import Result, missed
from benchmarks.matching.joins import Outcome


def result(seconds: float, *, double_booked: int = 0, unmatched: int = 0) -> Result:
    return Result(seconds=seconds, matched=9, double_booked=double_booked, unmatched=unmatched)


def test_matching_resumes_after_the_longest_pause() -> None:
    outcome = Outcome(matches=[1.0, 8.9, 10.1, 10.2, 13.0, 13.1, 14.0])
    assert outcome.resumed_after(10.0) == 3.0
    assert outcome.resumed_after(13.5) == 0.5
    assert math.isnan(outcome.resumed_after(14.0))


def test_the_goal_is_a_short_time_with_native_servers_and_no_fault_with_any() -> None:
    assert missed("native, flush", [result(2.6), result(3.5)], "native") == []
    assert missed("native, flush", [result(2.6), result(3.6)], "native") == [
        "native, flush: 3.6 s to the next match, the goal is 3.5 s or less"
    ]
    assert missed("both, flush", [result(math.nan)], "both") == [
        "both, flush: inf s to the next match, the goal is 3.5 s or less"
    ]
    assert missed("legacy, flush", [result(10.4)], "legacy") == []
    assert missed("legacy, flush", [result(10.4, double_booked=1, unmatched=2)], "legacy") == [
        "legacy, flush: 3 double-booked or unmatched"
    ]
