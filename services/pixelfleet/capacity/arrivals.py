"""The players of a run: when each arrives, how long it plays, and how long it waits before it gives up.

They are drawn before the run, from one seed, so that runs with different settings have the same players.
"""

import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from random import Random
from typing import Final, Protocol

import msgspec

from pixelfleet.capacity.durations import Durations, checked

MAX_PLAYERS: Final = 5_000_000
"""A player has 24 bytes here, and about ten microseconds of a run."""

HOUR_SECONDS: Final = 3600.0
HOURS_OF_A_CYCLE: Final = (1, 24, 168)
"""Rates are constant, by hour of the day, or by hour of the week."""


class TooManyPlayersError(ValueError):
    """The run would have more than MAX_PLAYERS players."""


class Players(msgspec.Struct, frozen=True):
    """The players in the order of their arrival; the lists have equal lengths, and the values are seconds."""

    arrivals: "array[float]"
    """From the start of the run, in ascending order."""
    lengths: "array[float]"
    """Of their sessions."""
    patience: "array[float]"
    """After this wait a player gives up; infinite for never."""

    def __len__(self) -> int:
        return len(self.arrivals)


class Source(Protocol):
    """Where arrivals come from: rates or a trace."""

    def arrivals(self, seconds: float, random: Random) -> Iterator[tuple[float, float | None]]:
        """Yield each arrival of a run of `seconds`, in ascending order, with its session length or None to draw one."""

    def expected(self, seconds: float) -> float:
        """Return the expected number of arrivals."""


class Rates(msgspec.Struct, frozen=True):
    """Independent arrivals (a Poisson process) at rates by hour, which repeat: 1, 24 or 168 numbers per hour."""

    per_hour: tuple[float, ...]

    def expected(self, seconds: float) -> float:
        """Return the expected number of arrivals."""
        return sum(rate * (end - begin) for rate, begin, end in self._hours(seconds)) / HOUR_SECONDS

    def arrivals(self, seconds: float, random: Random) -> Iterator[tuple[float, float | None]]:
        """Yield the arrivals, without session lengths."""
        draw = random.expovariate
        for rate, begin, end in self._hours(seconds):
            if rate <= 0:
                continue
            per_second = rate / HOUR_SECONDS
            # The process has no memory, so it may begin anew with each hour.
            at = begin + draw(per_second)
            while at < end:
                yield at, None
                at += draw(per_second)

    def _hours(self, seconds: float) -> Iterator[tuple[float, float, float]]:
        for hour in range(math.ceil(seconds / HOUR_SECONDS)):
            begin = hour * HOUR_SECONDS
            yield self.per_hour[hour % len(self.per_hour)], begin, min(begin + HOUR_SECONDS, seconds)


class Trace(msgspec.Struct, frozen=True):
    """Recorded arrivals in ascending order, from 0, each with its session length or None."""

    entries: tuple[tuple[float, float | None], ...]

    def expected(self, seconds: float) -> float:
        """Return the number of arrivals."""
        return sum(1 for at, _ in self.entries if at < seconds)

    def arrivals(self, seconds: float, random: Random) -> Iterator[tuple[float, float | None]]:
        """Yield the arrivals within the run."""
        return (entry for entry in self.entries if entry[0] < seconds)


def rates(numbers: Sequence[float]) -> Rates:
    """Return rates; raise ValueError unless there are 1, 24 or 168 finite numbers that are not negative."""
    if len(numbers) not in HOURS_OF_A_CYCLE:
        raise ValueError(f"must have 1, 24 or 168 numbers, and has {len(numbers)}")
    if not all(0 <= each < MAX_PLAYERS for each in numbers) or not any(numbers):
        raise ValueError(f"must be arrivals per hour from 0 to {MAX_PLAYERS}, not all 0")
    return Rates(tuple(numbers))


def trace(entries: Iterable[tuple[float, float | None]]) -> Trace:
    """Return recorded arrivals, moved so that the first is at 0; raise ValueError for invalid or too many ones."""
    found = sorted(entries, key=lambda entry: entry[0])
    if not found:
        raise ValueError("has no arrivals")
    if len(found) > MAX_PLAYERS:
        raise TooManyPlayersError(f"has more than {MAX_PLAYERS} arrivals")
    first = found[0][0]
    if not math.isfinite(first) or not math.isfinite(found[-1][0]):
        raise ValueError("has a time that is not a number")
    return Trace(tuple((at - first, None if length is None else checked(length)) for at, length in found))


def players(source: Source, seconds: float, lengths: Durations, patience: Durations, seed: int) -> Players:
    """Return the players of a run of `seconds`; raise TooManyPlayersError."""
    if source.expected(seconds) > MAX_PLAYERS:
        raise TooManyPlayersError(
            f"the run would have {source.expected(seconds):.0f} players, and the most are {MAX_PLAYERS}"
        )
    # One stream of numbers for each purpose: another patience changes neither arrivals nor lengths.
    purposes = ("arrivals", "lengths", "patience")
    of_arrivals, of_lengths, of_patience = (Random(f"{seed} {each}") for each in purposes)  # noqa: S311 - no secret
    found = Players(array("d"), array("d"), array("d"))
    for at, length in source.arrivals(seconds, of_arrivals):
        found.arrivals.append(at)
        drawn = lengths.draw(of_lengths)
        found.lengths.append(drawn if length is None else length)
        found.patience.append(patience.draw(of_patience))
    return found
