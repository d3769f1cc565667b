"""The usage by day and application."""

import random
from typing import Any

import pytest

from matchmaker.usage import days as days_module
from matchmaker.usage.days import ALL, DAY_SECONDS, OTHER, AppUsage, Days
from pixelfleet.fleet.records import SessionRecord

DAY = 20_000
NOON = DAY * DAY_SECONDS + 43_200.0


def record(ended: float = NOON, played: float | None = 60.0, **fields: Any) -> SessionRecord:
    values: dict[str, Any] = {"app": "city", "queued_at": ended - 100, "matched_at": ended - 90, "ending": "left"}
    if played is None:
        values |= {"matched_at": None, "cause": "abandoned", "ending": ""}
    return SessionRecord(**{"session": "s", "ended_at": ended, "played_seconds": played, **values, **fields})


def days(*records: SessionRecord) -> Days:
    made = Days()
    for each in records:
        made.add(each)
    return made


def test_a_session_counts_for_its_application_and_for_all() -> None:
    made = days(record(), record(app="harbour", path="relayed", first_frame_seconds={"page": 1.0, "picture": 1.0}))
    both, harbour = made.of(DAY), made.of(DAY, "harbour")
    assert (both.sessions, both.seconds, made.of(DAY, "city").sessions) == (2, 120.0, 1)
    assert (harbour.paths, harbour.ends) == ({"relayed": 1}, {"left": 1})
    assert harbour.first_frames.percentile(0.5) == pytest.approx(2.0, rel=0.03)
    assert both.waits.percentile(0.5) == pytest.approx(10.0, rel=0.03)
    assert list(made.apps([DAY])) == ["city", "harbour"]


def test_a_player_that_left_the_queue_is_no_session_but_has_waited() -> None:
    usage = days(record(played=None)).of(DAY)
    assert (usage.sessions, usage.abandoned, usage.seconds, usage.peak) == (0, 1, 0.0, 0)
    assert (usage.waits.total, usage.ends) == (1, {"abandoned": 1})


def test_the_peak_is_that_of_an_exact_count() -> None:
    numbers = random.Random(11)
    spans = [(start, start + numbers.randrange(0, 900)) for start in (numbers.randrange(3600) for _ in range(300))]
    made = days(*(record(NOON + end, float(end - start)) for start, end in spans))
    exact = max(sum(start <= second < end for start, end in spans) for second in range(4500))
    assert made.of(DAY).peak == exact


def test_sessions_one_after_the_other_never_overlap() -> None:
    made = days(record(NOON, 60.0), record(NOON + 60, 60.0))
    assert made.of(DAY).peak == 1
    made.add(record(NOON + 30, 30.0))
    assert made.of(DAY).peak == 2, "a later session changes the peak"


def test_a_session_over_midnight_is_present_on_both_days_and_counts_on_the_last() -> None:
    midnight = (DAY + 1) * DAY_SECONDS
    made = days(record(midnight + 60, 120.0))
    assert [made.of(day).peak for day in (DAY, DAY + 1)] == [1, 1]
    assert [made.of(day).sessions for day in (DAY, DAY + 1)] == [0, 1]
    assert AppUsage.of_days(made.of(day) for day in (DAY, DAY + 1)).peak == 1


def test_a_session_of_a_wrong_clock_takes_bounded_time() -> None:
    made = days(record(NOON, 10.0**9))
    assert [made.of(day).peak for day in (DAY - 8, DAY - 7, DAY)] == [0, 1, 1]


def test_applications_of_a_day_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(days_module, "MAX_APPS", 2)
    made = days(*(record(app=f"app-{number}") for number in range(5)))
    assert list(made.apps([DAY])) == [OTHER, "app-0", "app-1"]
    assert (made.of(DAY, OTHER).sessions, made.of(DAY, ALL).sessions) == (3, 5)


def test_applications_of_several_days_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Players choose the names, so each day may have others; a report has those with the most players."""
    monkeypatch.setattr(days_module, "MAX_APPS", 2)
    noons = {day: (day + 0.5) * DAY_SECONDS for day in (DAY, DAY + 1, DAY + 2)}
    made = days(*(record(noon, app=f"app-{day}") for day, noon in noons.items() for _ in range(day - DAY + 1)))
    found = made.apps(noons)
    assert list(found) == [OTHER, f"app-{DAY + 1}", f"app-{DAY + 2}"]
    assert [sum(each.sessions for each in usages) for usages in found.values()] == [1, 2, 3]
    assert sum(map(len, found.values())) == 3, "no usage of a day without the application"


def test_days_whose_records_are_removed_are_dropped() -> None:
    made = days(record(NOON - DAY_SECONDS), record())
    made.drop_before(DAY)
    assert made.apps([DAY - 1]) == {}
    assert made.of(DAY).sessions == 1
