"""How the figures of a soak are judged."""

from typing import Any

import pytest

from tests.soak.attacks import ATTACKS, MARK
from tests.soak.report import Part, Report
from tests.soak.sockets import PING, frame
from tests.soak.watch import Watch


def report(**changes: Any) -> Report:
    """Return a report without a missed goal, of one process and two rounds, with changes."""
    parts = [
        Part("without", 1, 1.0, [0.01] * 98 + [0.1, 0.2], samples=(0, 2)),
        Part("names", 1, 1.0, [0.01] * 50, {"connected": 3}, samples=(2, 4)),
        Part("names", 2, 1.0, [0.01] * 49 + [0.25], {"connected": 4}, samples=(4, 6)),
        Part("names", 3, 1.0, [0.01] * 50, {"connected": 5}, samples=(6, 8)),
    ]
    memory = [{"matchmaker": kib} for kib in (80_000, 80_000, 90_000, 90_000, 95_000, 95_000, 96_000, 96_000)]
    watch = Watch(memory=memory, alerts={("PixelfleetDown", "pending", "[('job', 'turn')]")}, operator_requests=9)
    values = {
        "parts": parts,
        "watch": watch,
        "refused": 0,
        "unmatched": 0,
        "series_at_rest": 400,
        "series_at_end": 420,
        "invented_labels": [],
        "errors": [],
    }
    return Report(**{**values, **changes})


def test_a_run_without_a_missed_goal_shows_its_figures() -> None:
    made = report()
    assert made.missed() == []
    assert made.ratio == pytest.approx(0.05)
    assert (made.growth("matchmaker"), made.peak("matchmaker")) == (1000, 16_000)
    assert made.as_json()["memory_kib"] == {"matchmaker": [80_000, 90_000, 95_000, 96_000]}
    assert [part["outcomes"] for part in made.as_json()["parts"]][1] == {"connected": 3}
    assert len(made.tables()) == 2
    assert "x0.05" in made.summary()[0]


@pytest.mark.parametrize(
    ("changes", "goal"),
    [
        ({"refused": 1}, "1 honest players refused, 0 unmatched"),
        ({"unmatched": 2}, "0 honest players refused, 2 unmatched"),
        ({"series_at_end": 551}, "551 series, 400 at rest"),
        ({"invented_labels": [f"{MARK}-7"]}, f"label with an invented name: {MARK}-7"),
        ({"errors": ['{"level":"error"}']}, 'logged: {"level":"error"}'),
    ],
)
def test_a_missed_goal_is_named(changes: dict[str, Any], goal: str) -> None:
    assert report(**changes).missed() == [goal]


def test_a_missed_goal_of_the_observations_is_named() -> None:
    made = report()
    made.watch.alerts.add(("PixelfleetNoFreeStreamer", "firing", f"[('app', '{MARK}-1')]"))
    made.watch.demand.append(21.0)
    made.watch.operator_failures += ["503", "503", "429"]
    made.watch.memory[7] = made.watch.memory[6] = {"matchmaker": 95_000 + 8193}
    made.watch.memory[3] = {"matchmaker": 80_000 + 131_073}
    assert made.missed() == [
        "matchmaker grew by 8.0 MiB between rounds",
        "matchmaker had 128.0 MiB more than at rest",
        f"alert with an invented name: PixelfleetNoFreeStreamer firing [('app', '{MARK}-1')]",
        "the demand ratio was 21.0",
        "3 of 9 requests of an operator failed: 429, 503",
    ]


def test_waits_without_the_hostile_client_are_the_measure() -> None:
    made = report()
    made.parts[3].waits = [0.31] * 50
    assert made.missed() == ["the p99 wait is x1.55 with the hostile client, the goal is x1.5 or less"]
    made.parts[0].waits = []
    assert "the p99 wait is xnan" in made.missed()[0]


def test_a_frame_announces_its_length() -> None:
    assert frame(b"ab", PING) == b"\x89\x82\0\0\0\0ab"
    assert frame(b"x" * 126)[:8] == b"\x81\xfe\x00\x7e\0\0\0\0"
    assert frame(b"x", announced=65536)[:10] == b"\x81\xff" + (65536).to_bytes(8, "big")


def test_every_attack_is_described() -> None:
    assert len(ATTACKS) == 11
    assert all(attack.__doc__ for attack in ATTACKS.values())
