"""Finds the smallest number that meets a target: of warm slots, or of streams of a fixed fleet."""

from collections.abc import Callable


def smallest(meets: Callable[[int], bool], first: int, last: int) -> int | None:
    """Return the smallest number from `first` to `last` that meets the target; None if `last` does not.

    It supposes that a larger number meets the target, too. `meets` is called for few numbers, mostly for small ones,
    and at most once for each.
    """
    below, number = first - 1, first
    while not meets(number):
        if number >= last:
            return None
        below, number = number, min(last, first + 2 * (number - first) + 1)
    while number - below > 1:
        middle = (below + number) // 2
        if meets(middle):
            number = middle
        else:
            below = middle
    return number
