"""The figures of a soak: judged, as a table, and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.table import Table

from tests.soak.attacks import MARK
from tests.soak.watch import Watch

WITHOUT: Final = "without"
"""The name of the parts without the hostile client."""

MAX_RATIO: Final = 1.5
"""The highest p99 wait of honest players with the hostile client, as a multiple of that without it."""

MAX_GROWTH_KIB: Final = 8 * 1024
"""The highest growth of a process from the second round of attacks to the last one, as medians.

In the first round all buffers grow to what the attacks need, and the allocator keeps most of it. After that a process
without a leak has the same median in each round; that of Redis changes with the time of its background tasks.
"""
MAX_PEAK_KIB: Final = 128 * 1024
"""The highest memory of a process above that at rest, at any time."""

MAX_SERIES_GROWTH: Final = 150
"""The highest number of series that the attacks may add: fixed reasons and codes, whatever the client sends."""

MAX_DEMAND: Final = 2.0
"""The highest demand ratio: the fleet has free streamers all the time."""


@dataclass(slots=True)
class Part:
    """One attack, or the time without the hostile client before a round of attacks."""

    name: str
    round: int
    seconds: float
    waits: list[float]
    """Seconds from the dial to `config`, of the honest players that were matched in this time."""
    outcomes: Mapping[str, int] = field(default_factory=dict)
    """What the hostile client has counted."""
    cpu_seconds: float = 0.0
    """CPU time of all services, in user and kernel mode."""
    samples: tuple[int, int] = (0, 0)
    """The first and the next sample of memory after this part."""

    @property
    def hostile(self) -> bool:
        return self.name != WITHOUT


@dataclass(slots=True)
class Report:
    """All figures of a run."""

    parts: list[Part]
    watch: Watch
    refused: int
    unmatched: int
    series_at_rest: int
    series_at_end: int
    invented_labels: Sequence[str]
    errors: Sequence[str]
    """Lines of level error in the logs."""

    @property
    def rounds(self) -> int:
        return max(part.round for part in self.parts)

    def waits(self, *, hostile: bool) -> list[float]:
        """Return the waits with or without the hostile client, in ascending order."""
        return sorted(wait for part in self.parts if part.hostile is hostile for wait in part.waits)

    @property
    def ratio(self) -> float:
        return p99_ms(self.waits(hostile=True)) / p99_ms(self.waits(hostile=False))

    def memory(self, name: str, of_round: int) -> float:
        """Return the median memory of a process in a round of attacks in KiB; round 0 is the time before the first."""
        parts = [part for part in self.parts if part.hostile and part.round == of_round] or self.parts[:1]
        samples = self.watch.memory[parts[0].samples[0] : parts[-1].samples[1]]
        return median(sample[name] for sample in samples)

    def growth(self, name: str) -> float:
        """Return the growth of a process in KiB between the medians of the second (else first) and last round."""
        return self.memory(name, self.rounds) - self.memory(name, min(2, self.rounds - 1) or 1)

    def peak(self, name: str) -> float:
        """Return the highest memory of a process above that at rest, in KiB."""
        return max(sample[name] for sample in self.watch.memory) - self.memory(name, 0)

    @property
    def invented_alerts(self) -> list[str]:
        return sorted(f"{name} {state} {labels}" for name, state, labels in self.watch.alerts if MARK in labels)

    def missed(self) -> list[str]:
        """Return the goals that this run misses."""
        found = []
        if not self.ratio <= MAX_RATIO:
            found.append(f"the p99 wait is x{self.ratio:.2f} with the hostile client, the goal is x{MAX_RATIO} or less")
        if self.refused or self.unmatched:
            found.append(f"{self.refused} honest players refused, {self.unmatched} unmatched")
        for name in self.watch.memory[0]:
            if self.growth(name) > MAX_GROWTH_KIB:
                found.append(f"{name} grew by {mib(self.growth(name))} MiB between rounds")
            if self.peak(name) > MAX_PEAK_KIB:
                found.append(f"{name} had {mib(self.peak(name))} MiB more than at rest")
        found += [f"alert with an invented name: {alert}" for alert in self.invented_alerts]
        found += [f"label with an invented name: {value}" for value in self.invented_labels[:5]]
        if self.series_at_end > self.series_at_rest + MAX_SERIES_GROWTH:
            found.append(f"{self.series_at_end} series, {self.series_at_rest} at rest")
        if max(self.watch.demand, default=0.0) > MAX_DEMAND:
            found.append(f"the demand ratio was {max(self.watch.demand):.1f}")
        if self.watch.operator_failures:
            failures, kinds = self.watch.operator_failures, sorted(set(self.watch.operator_failures))
            requests = f"{len(failures)} of {self.watch.operator_requests} requests of an operator"
            found.append(f"{requests} failed: {', '.join(kinds)}")
        found += [f"logged: {line}" for line in self.errors[:5]]
        return found

    def tables(self) -> list[Table]:
        """Return the figures of each attack, and of each process."""
        return [self._attacks(), self._processes()]

    def _attacks(self) -> Table:
        table = _table(
            "Honest players", "", "joined", "p50 ms", "p99 ms", "slowest ms", "CPU", "the hostile client counted"
        )
        for name in dict.fromkeys(part.name for part in self.parts):
            parts = [part for part in self.parts if part.name == name]
            waits = sorted(wait for part in parts for wait in part.waits)
            table.add_row(name, *_waits(waits), _cpu(parts), _outcomes(parts))
        attacks = [part for part in self.parts if part.hostile]
        table.add_row("all attacks", *_waits(self.waits(hostile=True)), _cpu(attacks), f"p99 x{self.ratio:.2f}")
        return table

    def _processes(self) -> Table:
        rounds = range(self.rounds + 1)
        table = _table("Memory in MiB", "", "at rest", *(f"round {number}" for number in rounds[1:]), "growth", "peak")
        for name in self.watch.memory[0]:
            medians = [mib(self.memory(name, number)) for number in rounds]
            peak = max(sample[name] for sample in self.watch.memory)
            table.add_row(name, *medians, mib(self.growth(name)), mib(peak))
        return table

    def summary(self) -> list[str]:
        """Return the figures that are in no table."""
        watch = self.watch
        without, with_it = (p99_ms(self.waits(hostile=hostile)) for hostile in (False, True))
        return [
            f"p99 wait: {without:.1f} ms without, {with_it:.1f} ms with the hostile client (x{self.ratio:.2f}); "
            f"{self.refused} refused, {self.unmatched} unmatched",
            f"series: {self.series_at_rest} at rest, {self.series_at_end} at the end; "
            f"{len(self.invented_labels)} labels and {len(self.invented_alerts)} alerts with an invented name",
            f"alerts seen: {', '.join(sorted({f'{name} ({state})' for name, state, _ in watch.alerts})) or 'none'}",
            f"demand ratio: {max(watch.demand, default=0.0):.2f} at most; requests of an operator: "
            f"{watch.operator_requests}, {len(watch.operator_failures)} failed",
        ]

    def as_json(self) -> dict[str, Any]:
        """Return all figures, with the waits as percentiles in milliseconds."""
        parts = [
            {
                **asdict(part),
                "waits": len(part.waits),
                "p50_ms": quantile_ms(part.waits, 0.5),
                "p99_ms": p99_ms(part.waits),
            }
            for part in self.parts
        ]
        names = self.watch.memory[0]
        return {
            "ratio": self.ratio,
            "p99_ms": {"without": p99_ms(self.waits(hostile=False)), "with": p99_ms(self.waits(hostile=True))},
            "refused": self.refused,
            "unmatched": self.unmatched,
            "series": {"at_rest": self.series_at_rest, "at_end": self.series_at_end},
            "alerts": sorted(self.watch.alerts),
            "operator": {"requests": self.watch.operator_requests, "failures": self.watch.operator_failures},
            "memory_kib": {name: [self.memory(name, each) for each in range(self.rounds + 1)] for name in names},
            "parts": parts,
            "missed": self.missed(),
        }


def quantile_ms(waits: Sequence[float], share: float) -> float:
    """Return a quantile of waits in milliseconds; NaN without waits."""
    ordered = sorted(waits)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 if ordered else float("nan")


def p99_ms(waits: Sequence[float]) -> float:
    return quantile_ms(waits, 0.99)


def mib(kib: float) -> str:
    return f"{kib / 1024:.1f}"


def _waits(waits: Sequence[float]) -> tuple[str, str, str, str]:
    shares = (0.5, 0.99, 1.0)
    p50, p99, slowest = (f"{quantile_ms(waits, share):.1f}" for share in shares)
    return f"{len(waits):,}", p50, p99, slowest


def _cpu(parts: Sequence[Part]) -> str:
    """Return the share of one core that the services used."""
    return f"{sum(part.cpu_seconds for part in parts) / sum(part.seconds for part in parts):.0%}"


def _outcomes(parts: Sequence[Part]) -> str:
    total: dict[str, int] = {}
    for part in parts:
        for what, count in part.outcomes.items():
            total[what] = total.get(what, 0) + count
    return ", ".join(f"{what}: {count:,}" for what, count in sorted(total.items()))


def _table(title: str, *columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left")
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if number == 0 or name.startswith("the ") else "right")
    return table
