"""How long to wait before something that failed is tried again."""

from typing import Final

FIRST_RETRY_SECONDS: Final = 1.0
LONGEST_RETRY_SECONDS: Final = 30.0


def retry_delay(failures: int, chance: float) -> float:
    """Return the seconds until the next attempt after `failures` in a row, at least one; `chance` is 0 to 1."""
    longest = min(FIRST_RETRY_SECONDS * 2.0 ** min(failures - 1, 16), LONGEST_RETRY_SECONDS)
    return longest * (0.5 + 0.5 * chance)
