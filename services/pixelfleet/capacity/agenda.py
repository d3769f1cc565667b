"""Future events of a run, by time."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Any

Event = tuple[float, int, Callable[[Any], object], Any]
"""The time, a number that makes the order of simultaneous events that of their entry, an action and its argument."""


class Agenda:
    """The events that are still to come, and the present time in seconds since the start of the run."""

    __slots__ = ("_number", "events", "now")

    def __init__(self) -> None:
        self.now = 0.0
        self.events: list[Event] = []
        self._number = count().__next__

    def at(self, time: float, action: Callable[[Any], object], argument: object = None) -> None:
        """Call `action` with the argument at that time."""
        heappush(self.events, (time, self._number(), action, argument))

    def advance(self, until: float) -> None:
        """Perform all events before that time, in their order."""
        events = self.events
        while events and events[0][0] < until:
            self.now, _, action, argument = heappop(events)
            action(argument)
        self.now = until
