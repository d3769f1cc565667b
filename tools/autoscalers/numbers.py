"""The numbers behind the plots: what each shipped autoscaler does with fleets of 1 to 1,000 streams."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from pixelfleet.autoscaling.demand import beyond_tolerance, demand_ratio
from pixelfleet.autoscaling.hpa import SYNC_SECONDS, Autoscaler
from pixelfleet.autoscaling.manifests import autoscaler_of, scaled_object_of
from pixelfleet.autoscaling.replicas import Pods, Tolerance

COMPONENTS: Final = Path(__file__).parents[2] / "k8s" / "components"

SIZES: Final = (1, 10, 20, 100, 1000)
WARM: Final = 1
START_SECONDS: Final = 120
"""The time from the order of a pod to its readiness in the plot over time."""
QUEUE: Final = 100
RUN_SECONDS: Final = 900
PART: Final = 0.1
"""The change of the players over which a range is taken: as large as the controllers' tolerance."""
MOST: Final = 5000

Value = Callable[[int, int], float]
"""Returns the metric for numbers of players and of ready pods."""


@dataclass(frozen=True)
class Scaler:
    """One way to scale the streams."""

    name: str
    make: Callable[[], Autoscaler]
    value: Value


@dataclass(frozen=True)
class Range:
    """The least and the most of pods minus players while the players change by PART. Negative: players wait."""

    least: int
    most: int


def _loaded(path: str) -> Mapping[str, Any]:
    spec: Mapping[str, Any] = yaml.safe_load((COMPONENTS / path).read_text(encoding="utf-8"))["spec"]
    return spec


def _unlimited(found: Autoscaler, tolerance: Tolerance | None = None) -> Autoscaler:
    return Autoscaler(1, MOST, found.metrics, found.behavior, tolerance or found.tolerance)


def _exact() -> Autoscaler:
    return _unlimited(autoscaler_of(_loaded("hpa-stream/hpa.yaml")))


def _tolerant() -> Autoscaler:
    """Return hpa-stream as Kubernetes before 1.35 has it: with the controller's own tolerance."""
    return _unlimited(autoscaler_of(_loaded("hpa-stream/hpa.yaml")), Tolerance())


def _by_ratio() -> Autoscaler:
    return _unlimited(autoscaler_of(_loaded("hpa-ratio/hpa.yaml")))


def _keda() -> Autoscaler:
    return _unlimited(scaled_object_of(_loaded("keda-stream/scaled-object.yaml")).autoscaler)


EXACT: Final = Scaler("hpa-stream and keda-stream", _exact, lambda players, pods: players + WARM)
RAISED: Final = Scaler(
    "the same with before-1-35", _tolerant, lambda players, pods: beyond_tolerance(players + WARM, pods)
)
BY_RATIO: Final = Scaler("hpa-ratio", _by_ratio, demand_ratio)
TOLERANT: Final = Scaler(
    "hpa-stream without before-1-35 on an older cluster", _tolerant, lambda players, pods: players + WARM
)
KEDA: Final = Scaler("keda-stream", _keda, EXACT.value)
"""Not drawn: it proposes what hpa-stream proposes."""
DRAWN: Final = (EXACT, RAISED, BY_RATIO, TOLERANT)


def settled(scaler: Scaler, autoscaler: Autoscaler, players: int, pods: int) -> int:
    """Return the pods at which the autoscaler rests, when all are ready."""
    while True:
        proposed = autoscaler.proposed(Pods(pods, pods, pods), [scaler.value(players, pods)])
        assert proposed is not None
        if max(proposed, 1) == pods:
            return pods
        pods = max(proposed, 1)


def surplus(scaler: Scaler) -> tuple[dict[int, int], dict[int, int]]:
    """Return pods minus players by players, while these grow one by one, and while they fall."""
    autoscaler, pods, most = scaler.make(), 1, round(max(SIZES) * (1 + 2 * PART))
    growing: dict[int, int] = {}
    falling: dict[int, int] = {}
    for found, sequence in ((growing, range(most + 1)), (falling, range(most, -1, -1))):
        for players in sequence:
            pods = settled(scaler, autoscaler, players, pods)
            found[players] = pods - players
    return growing, falling


def ranges(scaler: Scaler) -> tuple[list[Range], list[Range]]:
    """Return the range near each of SIZES, while the players grow and while they fall."""
    growing, falling = surplus(scaler)
    return (
        [_range(growing, range(size, size + _tenth(size) + 1)) for size in SIZES],
        [_range(falling, range(size - _tenth(size), size + 1)) for size in SIZES],
    )


def ready_over_time(scaler: Scaler) -> list[tuple[float, int]]:
    """Return seconds and ready pods, from one starting pod and QUEUE waiting players; at the autoscaler's period."""
    autoscaler, started, found = scaler.make(), [0.0], []
    for step in range(round(RUN_SECONDS / SYNC_SECONDS) + 1):
        now = step * SYNC_SECONDS
        ready = sum(at + START_SECONDS <= now for at in started)
        found.append((now, ready))
        # The raised demand compares with all pods, the ratio counts the slots of those that are ready.
        value = scaler.value(QUEUE, len(started) if scaler is RAISED else ready)
        wanted = autoscaler.reconcile(now, Pods(len(started), len(started), ready), [value])
        started = started[:wanted] + [now] * (wanted - len(started))
    return found


def fingerprint() -> str:
    """Return a checksum of all numbers that the plots show."""
    numbers = {
        scaler.name: ([[asdict(each) for each in part] for part in ranges(scaler)], ready_over_time(scaler))
        for scaler in DRAWN
    }
    return hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()


def _tenth(size: int) -> int:
    return max(1, round(size * PART)) if size > 1 else 0


def _range(found: Mapping[int, int], players: Iterable[int]) -> Range:
    values = [found[each] for each in players]
    return Range(min(values), max(values))
