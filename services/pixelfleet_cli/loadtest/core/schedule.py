"""When players arrive, how long each stays, and when its connection drops. No I/O."""

from collections.abc import Iterator
from random import Random
from typing import Final, NamedTuple

from pixelfleet.capacity.arrivals import Rates, Source
from pixelfleet.capacity.durations import Durations

HOUR_SECONDS: Final = 3600.0
MINUTE_SECONDS: Final = 60.0


class Arrival(NamedTuple):
    """A player that is going to arrive."""

    at: float
    """In seconds from the start of the test."""
    hold: float
    """The time for which it stays after it got its streamer."""
    patience: float
    """The time for which it waits for a streamer."""


class Ramp:
    """A source of arrivals whose rate rises evenly from 0, and is constant after the ramp."""

    def __init__(self, per_second: float, ramp_seconds: float) -> None:
        self._rate, self._ramp = per_second, ramp_seconds

    def expected(self, seconds: float) -> float:
        """Return the expected number of arrivals."""
        within = min(seconds, self._ramp)
        risen = within * within / (2 * self._ramp) if self._ramp else 0.0
        return self._rate * (risen + max(0.0, seconds - self._ramp))

    def arrivals(self, seconds: float, random: Random) -> Iterator[tuple[float, float | None]]:
        """Yield the arrivals, without session lengths."""
        # A Poisson process of rate 1, whose time is stretched so that it has the wanted rate.
        done, risen = 0.0, self._rate * self._ramp / 2
        while True:
            done += random.expovariate(1.0)
            if done < risen:
                at = (2 * self._ramp * done / self._rate) ** 0.5
            else:
                at = self._ramp + (done - risen) / self._rate
            if at >= seconds:
                return
            yield at, None


def source_of(per_second: float, ramp_seconds: float) -> Source:
    """Return arrivals at a rate."""
    return Ramp(per_second, ramp_seconds) if ramp_seconds else Rates((per_second * HOUR_SECONDS,))


def schedule(
    source: Source, *, seconds: float, most: int, hold: Durations, patience: Durations, seed: int
) -> Iterator[Arrival]:
    """Yield at most `most` arrivals of a test of `seconds`, in order. The same seed gives the same players."""
    of_arrivals, of_holds, of_patience = _streams(seed, "arrivals", "lengths", "patience")
    for number, (at, length) in enumerate(source.arrivals(seconds, of_arrivals)):
        if number >= most:
            return
        drawn = hold.draw(of_holds)
        yield Arrival(at, drawn if length is None else length, patience.draw(of_patience))


class Drops:
    """The times between the drops of a connection."""

    def __init__(self, per_minute: float, seed: int) -> None:
        """`per_minute` is the mean number of drops of one player; 0 is none."""
        self._per_minute = per_minute
        (self._random,) = _streams(seed, "drops")

    def next(self) -> float:
        """Return the seconds until a player's next drop; infinite without drops."""
        if not self._per_minute:
            return float("inf")
        return self._random.expovariate(self._per_minute / MINUTE_SECONDS)


def _streams(seed: int, *purposes: str) -> Iterator[Random]:
    """Return one stream of random numbers for each purpose, so that none shifts another."""
    return (Random(f"{seed} {each}") for each in purposes)  # noqa: S311 - no secret
