"""What grows in a fleet: slopes of memory, descriptors, tasks and keys over time, and their bounds. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import linear_regression
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.table import Table

MEMORY, DESCRIPTORS, TASKS, KEYS = "memory, KiB", "descriptors", "tasks", "keys"

BOUNDS: Final[Mapping[str, float]] = {MEMORY: 6 * 1024, DESCRIPTORS: 10, TASKS: 20, KEYS: 40}
"""The largest growth during a run by the slope. Memory of a process without a leak still grows in the first minutes."""

WARM_UP_SHARE: Final = 0.25
"""The first part of the run, which the slopes leave out: buffers and caches grow to what the load needs."""

HOUR: Final = 3600.0


@dataclass
class Growth:
    """The samples of a run."""

    times: list[float] = field(default_factory=list)
    """Seconds since the beginning."""
    samples: list[Mapping[tuple[str, str], float]] = field(default_factory=list)
    """Figures at each time, by the process and the kind."""

    def add(self, time: float, figures: Mapping[tuple[str, str], float]) -> None:
        """Add the figures of a moment."""
        self.times.append(time)
        self.samples.append(figures)

    @property
    def names(self) -> Sequence[tuple[str, str]]:
        """The process and the kind of each series."""
        return list(self.samples[0]) if self.samples else []

    def slope(self, name: tuple[str, str]) -> float:
        """Return the growth of a series for a second, without the warm-up; 0 for too few samples."""
        pairs = [
            (time, each[name])
            for time, each in zip(self.times, self.samples, strict=True)
            if time >= WARM_UP_SHARE * self.times[-1] and name in each
        ]
        if len(pairs) < 2 or pairs[0][0] == pairs[-1][0]:
            return 0.0
        times, values = zip(*pairs, strict=True)
        return linear_regression(times, values).slope

    def grown(self, name: tuple[str, str]) -> float:
        """Return the growth of a series by its slope, over the time after the warm-up."""
        return self.slope(name) * (1 - WARM_UP_SHARE) * self.times[-1]

    def missed(self) -> list[str]:
        """Return a line for each series that grows by more than its bound."""
        if not self.samples:
            return ["nothing was sampled"]
        return [
            f"{process}: {kind} grew by {self.grown((process, kind)):.0f}, the bound is {BOUNDS[kind]:g}"
            for process, kind in self.names
            if self.grown((process, kind)) > BOUNDS[kind]
        ]

    def table(self) -> Table:
        """Return the series for a terminal."""
        shown = Table(box=SIMPLE_HEAD)
        for title in ("process", "figure", "first", "last", "most", "slope an hour", "growth", "bound"):
            shown.add_column(title, justify="left" if title in ("process", "figure") else "right")
        for name in self.names:
            values = [each[name] for each in self.samples if name in each]
            figures = (values[0], values[-1], max(values), HOUR * self.slope(name), self.grown(name), BOUNDS[name[1]])
            shown.add_row(*name, *(f"{each:,.0f}" for each in figures))
        return shown

    def as_json(self) -> dict[str, object]:
        """Return all samples and slopes."""
        return {
            "times": self.times,
            "series": {
                f"{process}: {kind}": {
                    "values": [each.get((process, kind)) for each in self.samples],
                    "slope_per_hour": HOUR * self.slope((process, kind)),
                }
                for process, kind in self.names
            },
        }
