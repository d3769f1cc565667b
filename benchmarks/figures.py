"""The figures of a benchmark, for `make bench`, which runs all benchmarks and compares them with an earlier run.

A benchmark records its figures beside its table. Without `make bench` nothing is written.
"""

import os
from pathlib import Path
from typing import Final

import msgspec

VARIABLE: Final = "BENCHMARK_FIGURES"
"""The environment variable with the file to which figures are appended."""

RATIO: Final = "x"
"""The unit of a ratio to a floor that was measured in the same run."""


class Figure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One figure. Less is better."""

    name: str
    value: float
    unit: str
    """`x` for a ratio to a floor of the same run, which is comparable between machines; others are of this machine."""
    goal: float | None = None
    """The highest value that is allowed; None if there is no goal."""

    @property
    def is_missed(self) -> bool:
        """Whether the value is above the goal, or is no number."""
        return self.goal is not None and not self.value <= self.goal


def record(name: str, value: float, unit: str = RATIO, *, goal: float | None = None) -> None:
    """Append a figure to the file of `make bench`, if there is one. Names are unique in a benchmark."""
    if path := os.environ.get(VARIABLE):
        line = msgspec.json.encode(Figure(name=name, value=value, unit=unit, goal=goal))
        with Path(path).open("ab") as file:
            file.write(line + b"\n")


def recorded(path: Path) -> list[Figure]:
    """Return the figures of a file; none if it does not exist."""
    if not path.exists():
        return []
    return [msgspec.json.decode(line, type=Figure) for line in path.read_bytes().splitlines()]
