"""The `behavior` of a HorizontalPodAutoscaler: stabilization windows, and policies that limit the rate of change.

The rules are those of Kubernetes 1.29 to 1.37, `pkg/controller/podautoscaler/horizontal.go`. Times are seconds on any
monotonic clock.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Final

import msgspec


class Unit(StrEnum):
    """The unit of a policy's value."""

    PODS = "Pods"
    PERCENT = "Percent"


class Select(StrEnum):
    """The policy that applies when there are several."""

    MAX = "Max"
    """The policy that allows the largest change."""
    MIN = "Min"
    DISABLED = "Disabled"
    """No change in this direction."""


class Policy(msgspec.Struct, frozen=True):
    """The largest change in a period."""

    unit: Unit
    value: int
    period_seconds: float


class Rules(msgspec.Struct, frozen=True):
    """The rules for one direction."""

    policies: tuple[Policy, ...]
    window_seconds: float = 0
    """The stabilization window."""
    select: Select = Select.MAX


UP: Final = Rules((Policy(Unit.PODS, 4, 15), Policy(Unit.PERCENT, 100, 15)))
"""The default for scaling up."""

DOWN: Final = Rules((Policy(Unit.PERCENT, 100, 15),), window_seconds=300)
"""The default for scaling down."""


class Behavior:
    """Applies the rules to the controller's proposals; has the memory that they need."""

    def __init__(self, up: Rules = UP, down: Rules = DOWN) -> None:
        self.up, self.down = up, down
        self._proposed: deque[tuple[float, int]] = deque()
        self._changes: deque[tuple[float, int]] = deque()

    def apply(self, now: float, current: int, proposed: int, minimum: int, maximum: int) -> int:
        """Return the replicas to set; the caller reports a change with `changed`."""
        steady = self._stabilized(now, current, proposed)
        if steady > current:
            return min(steady, maximum, self._ceiling(now, current))
        if steady < current:
            return max(steady, minimum, self._floor(now, current))
        return steady

    def changed(self, now: float, before: int, after: int) -> None:
        """Record a change, which counts against the policies until their periods end."""
        self._changes.append((now, after - before))
        longest = max((each.period_seconds for each in (*self.up.policies, *self.down.policies)), default=0)
        while self._changes and self._changes[0][0] <= now - longest:
            self._changes.popleft()

    def _stabilized(self, now: float, current: int, proposed: int) -> int:
        """Return the lowest proposal of the window for scaling up, or the highest one of that for scaling down."""
        if not self._proposed:
            # The controller takes the number that it finds as its first proposal: a new autoscaler does not scale down
            # within the window.
            self._proposed.append((now, current))
        self._proposed.append((now, proposed))
        longest = max(self.up.window_seconds, self.down.window_seconds)
        while self._proposed and self._proposed[0][0] <= now - longest:
            self._proposed.popleft()
        lowest = min([proposed, *self._since(now - self.up.window_seconds)])
        highest = max([proposed, *self._since(now - self.down.window_seconds)])
        return min(max(current, lowest), highest)

    def _since(self, cutoff: float) -> list[int]:
        return [replicas for at, replicas in self._proposed if at > cutoff]

    def _ceiling(self, now: float, current: int) -> int:
        limits = [start + _part(policy, start) for policy, start in self._starts(self.up.policies, now, current)]
        return max(current, _selected(self.up.select, limits, (max, min), current))

    def _floor(self, now: float, current: int) -> int:
        limits = [start - _part(policy, start) for policy, start in self._starts(self.down.policies, now, current)]
        return min(current, _selected(self.down.select, limits, (min, max), current))

    def _starts(self, policies: Iterable[Policy], now: float, current: int) -> Iterable[tuple[Policy, int]]:
        """Yield each policy with the replicas at the start of its period."""
        for policy in policies:
            yield policy, current - sum(change for at, change in self._changes if at > now - policy.period_seconds)


def _part(policy: Policy, start: int) -> int:
    """Return the largest change in pods; a part of a pod counts as one."""
    return policy.value if policy.unit is Unit.PODS else math.ceil(start * policy.value / 100)


def _selected(select: Select, limits: list[int], by: tuple[Callable[..., int], Callable[..., int]], none: int) -> int:
    """Return the limit of the policy that applies; `by` has the functions for the largest and the smallest change."""
    if select is Select.DISABLED or not limits:
        return none
    return by[0](limits) if select is Select.MAX else by[1](limits)
