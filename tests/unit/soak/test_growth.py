import pytest

from tests.soak.growth import DESCRIPTORS, MEMORY, Growth

NAME = ("router", MEMORY)


def growth(*values: float, kind: str = MEMORY) -> Growth:
    """Return a run with one sample every 100 s."""
    found = Growth()
    for number, value in enumerate(values):
        found.add(100.0 * number, {("router", kind): value})
    return found


def test_the_slope_leaves_out_the_first_quarter() -> None:
    found = growth(0.0, 900.0, 1000.0, 1010.0, 1020.0, 1030.0, 1040.0, 1050.0, 1060.0)
    assert found.slope(NAME) == pytest.approx(0.1)
    assert found.grown(NAME) == pytest.approx(60.0)


def test_a_leak_is_beyond_the_bound_and_noise_is_not() -> None:
    assert growth(*(80_000.0 + 100 * (number % 2) for number in range(20))).missed() == []
    (missed,) = growth(*(80_000.0 + 1000 * number for number in range(20))).missed()
    assert missed.startswith("router: memory, KiB grew by 14250")


def test_few_lost_descriptors_are_beyond_the_bound() -> None:
    assert growth(*(40.0 + number % 8 for number in range(40)), kind=DESCRIPTORS).missed() == []
    assert len(growth(*(40.0 + number for number in range(20)), kind=DESCRIPTORS).missed()) == 1


def test_a_run_without_samples_proves_nothing() -> None:
    assert Growth().missed() == ["nothing was sampled"]
    assert growth(1.0).slope(NAME) == 0.0


def test_all_samples_are_in_the_file() -> None:
    written = growth(1.0, 2.0, 3.0, 4.0).as_json()
    assert written["series"] == {"router: memory, KiB": {"values": [1.0, 2.0, 3.0, 4.0], "slope_per_hour": 36.0}}
