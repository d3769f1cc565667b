"""Distributions of durations."""

from random import Random

import pytest

from pixelfleet.capacity.durations import MAX_SAMPLES, Fixed, parsed, samples


@pytest.mark.parametrize(
    ("text", "mean"),
    [
        ("90", 90),
        ("exponential:600", 600),
        ("lognormal:600:0.5", 679.9),
        ("uniform:10:30", 20),
        ("samples:10:20:60", 30),
        ("lognormal:5:0", 5),
    ],
)
def test_draws_have_the_mean(text: str, mean: float) -> None:
    found, random = parsed(text), Random(1)
    assert found.mean == pytest.approx(mean, rel=0.001)
    draws = [found.draw(random) for _ in range(50_000)]
    assert sum(draws) / len(draws) == pytest.approx(mean, rel=0.02)
    assert min(draws) >= 0


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "-1", "nan", "inf", "1e9", "1:2", "exponential", "exponential:0", "exponential:x", "normal:3"),
        *("uniform:3:2", "uniform:3", "lognormal:3", "lognormal:0:1", "lognormal:3:9", "samples", "samples:-1"),
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        parsed(text)


def test_the_number_of_samples_is_limited() -> None:
    with pytest.raises(ValueError, match="1 to 1000000"):
        samples([1.0] * (MAX_SAMPLES + 1))
    with pytest.raises(ValueError, match="1 to 1000000"):
        samples([])


def test_a_fixed_duration_may_be_infinite() -> None:
    assert Fixed(float("inf")).draw(Random(1)) == float("inf")
