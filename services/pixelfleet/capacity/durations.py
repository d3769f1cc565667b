"""Random durations in seconds: session lengths, patience, and the start times of pods and nodes."""

import math
from collections.abc import Sequence
from random import Random
from typing import Final, Protocol

import msgspec

MAX_SECONDS: Final = 30 * 86_400.0
"""A longer duration is taken for an error in the unit."""

MAX_SAMPLES: Final = 1_000_000


class Durations(Protocol):
    """A distribution of durations in seconds."""

    @property
    def mean(self) -> float:
        """The mean."""

    def draw(self, random: Random) -> float:
        """Return one duration."""


class Fixed(msgspec.Struct, frozen=True):
    """The same duration each time; an infinite one never ends."""

    seconds: float

    @property
    def mean(self) -> float:
        """The duration."""
        return self.seconds

    def draw(self, random: Random) -> float:
        """Return the duration."""
        return self.seconds


class Exponential(msgspec.Struct, frozen=True):
    """Durations whose end is equally likely at any moment."""

    mean: float

    def draw(self, random: Random) -> float:
        """Return one duration."""
        return random.expovariate(1 / self.mean)


class Lognormal(msgspec.Struct, frozen=True):
    """Durations that scatter by a factor about a median: few short ones, and a long tail."""

    median: float
    sigma: float
    """The standard deviation of the logarithm: 0.5 is a factor of 1.65."""

    @property
    def mean(self) -> float:
        """The mean, which is above the median."""
        return self.median * math.exp(self.sigma**2 / 2)

    def draw(self, random: Random) -> float:
        """Return one duration."""
        return random.lognormvariate(math.log(self.median), self.sigma)


class Uniform(msgspec.Struct, frozen=True):
    """Durations that are equally likely between two bounds."""

    least: float
    most: float

    @property
    def mean(self) -> float:
        """The middle."""
        return (self.least + self.most) / 2

    def draw(self, random: Random) -> float:
        """Return one duration."""
        return random.uniform(self.least, self.most)


class Samples(msgspec.Struct, frozen=True):
    """Measured durations, of which one is drawn each time."""

    seconds: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Their mean."""
        return sum(self.seconds) / len(self.seconds)

    def draw(self, random: Random) -> float:
        """Return one of the durations."""
        return self.seconds[int(random.random() * len(self.seconds))]


FORMS: Final = "SECONDS, exponential:MEAN, lognormal:MEDIAN:SIGMA, uniform:LEAST:MOST or samples:A:B:…"
"""The texts that `parsed` accepts."""


def parsed(text: str) -> Durations:
    """Return the distribution that a text describes; raise ValueError for another text."""
    name, *values = text.split(":")
    if name not in ("exponential", "lognormal", "uniform", "samples"):
        name, values = "fixed", [name, *values]
    try:
        numbers = [float(value) for value in values]
    except ValueError:
        raise ValueError(f"must be {FORMS}") from None
    match name, numbers:
        case "fixed", [seconds]:
            return Fixed(checked(seconds))
        case "exponential", [mean] if mean > 0:
            return Exponential(checked(mean))
        case "lognormal", [median, sigma] if median > 0 and 0 <= sigma <= 3:
            return Lognormal(checked(median), sigma)
        case "uniform", [least, most] if least <= most:
            return Uniform(checked(least), checked(most))
        case "samples", [_, *_]:
            return samples(numbers)
    raise ValueError(f"must be {FORMS}")


def samples(seconds: Sequence[float]) -> Samples:
    """Return measured durations as a distribution; raise ValueError without any, with too many or with invalid ones."""
    if not 0 < len(seconds) <= MAX_SAMPLES:
        raise ValueError(f"must have 1 to {MAX_SAMPLES} durations")
    return Samples(tuple(checked(each) for each in seconds))


def checked(seconds: float) -> float:
    """Return a duration in seconds; raise ValueError if it is negative or longer than MAX_SECONDS."""
    if not 0 <= seconds <= MAX_SECONDS:
        raise ValueError(f"must be from 0 to {MAX_SECONDS:.0f} seconds")
    return seconds
