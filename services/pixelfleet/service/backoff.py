"""Exponential backoff between retries."""

from dataclasses import dataclass
from typing import Final

MAX_DOUBLINGS: Final = 32
"""Keeps the power finite; every `longest` in use is reached earlier."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays that double with each failure in a row, from `first` to `longest` seconds."""

    first: float = 1.0
    longest: float = 30.0

    def delay(self, failures: int, chance: float = 1.0) -> float:
        """Return the seconds until the next attempt after `failures` in a row, 0.0 if there was none.

        `chance`, from 0 to 1, is the jitter: with 0 the delay is half as long. It spreads reconnects of many clients.
        """
        if failures <= 0:
            return 0.0
        return min(self.first * 2.0 ** min(failures - 1, MAX_DOUBLINGS), self.longest) * (0.5 + 0.5 * chance)


DEFAULT_BACKOFF: Final = Backoff()
