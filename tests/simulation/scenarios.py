"""Five small fleets that the simulation and real services run alike, in accelerated time.

Periods, windows and start times are a tenth or less of real ones, and sessions last for seconds. The real services have
their own constants (heartbeats, the reading of the store each second), which are not accelerated: the simulation has
them, too, so that nothing is converted.

The scenarios are such that a median says something: simulated with other phases of the periods, it varies by less than
a tenth. A median between players that wait and players that do not would depend on milliseconds.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from pixelfleet.capacity.arrivals import Players, Source, players, trace
from pixelfleet.capacity.durations import Durations, Fixed, Lognormal, Uniform
from pixelfleet.capacity.scalers import shipped
from pixelfleet.capacity.scenario import Nodes, Scenario

FACTOR: Final = 10
"""The shipped autoscalers' windows and periods are divided by this."""

POLLING_SECONDS: Final = 1
SYNC_SECONDS: Final = 1.5
SCRAPE_SECONDS: Final = 1.5
NEVER: Final = Fixed(float("inf"))
ENOUGH_NODES: Final = Nodes(start=Fixed(0), image_pull=Fixed(0), scan_seconds=0.5)


class Case(msgspec.Struct, frozen=True):
    """A scenario with its players."""

    name: str
    scenario: Scenario
    players: Players


def accelerated(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return an autoscaler with its times divided by FACTOR."""

    def changed(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: changed(each, key) for key, each in value.items()}
        if isinstance(value, list):
            return [changed(each) for each in value]
        if name == "pollingInterval":
            return POLLING_SECONDS
        return value / FACTOR if name.endswith(("Seconds", "cooldownPeriod")) else value

    found: dict[str, Any] = changed(manifest)
    return found


def growing(first: float, last: float, seconds: float) -> Source:
    """Return arrivals at equal steps of a rate that grows evenly, in players per second."""
    entries, at = [], 0.0
    while at < seconds:
        entries.append((at, None))
        at += 1 / (first + (last - first) * at / seconds)
    return trace(entries)


def bursts(size: int, gap: float, every: float, count: int) -> Source:
    """Return arrivals in groups: `size` players with `gap` seconds between them, every `every` seconds."""
    return trace([(group * every + each * gap, None) for group in range(count) for each in range(size)])


def _case(
    name: str, seconds: float, source: Source, lengths: Durations, patience: Durations = NEVER, **chosen: Any
) -> Case:
    values: dict[str, Any] = {
        "seconds": seconds,
        "nodes": ENOUGH_NODES,
        "pod_start": Uniform(4, 7),
        "pod_stop": Fixed(1),
        "sync_seconds": SYNC_SECONDS,
        "scrape_seconds": SCRAPE_SECONDS,
        "in_phase": True,
        **chosen,
    }
    scenario = Scenario(**values)
    return Case(name, scenario, players(source, seconds, lengths, patience, scenario.seed))


def cases() -> list[Case]:
    """Return the five cases."""
    day = 240.0
    return [
        _case(
            "fixed fleet, more players than slots",
            day,
            growing(1.6, 2.2, day),
            Lognormal(10, 0.5),
            Lognormal(10, 0.7),
            autoscaler=None,
            replicas=16,
        ),
        _case(
            "hpa, waves of players",
            day,
            bursts(48, 0.15, 110, 2),
            Lognormal(10, 0.6),
            autoscaler=accelerated(shipped("hpa", 1, 50)),
            replicas=1,
            pod_start=Uniform(8, 12),
        ),
        _case(
            "keda, from zero and back",
            day,
            bursts(36, 0.25, 80, 3),
            Uniform(5, 15),
            autoscaler=accelerated(shipped("keda", 0, 50)),
            replicas=0,
        ),
        _case(
            "hpa-ratio, waves of players",
            day,
            bursts(48, 0.2, 110, 2),
            Lognormal(10, 0.6),
            autoscaler=accelerated(shipped("hpa-ratio", 2, 50)),
            replicas=2,
            pod_start=Uniform(8, 12),
        ),
        _case(
            "hpa before 1.35, nodes of four GPUs",
            day,
            bursts(60, 0.25, 110, 2),
            Lognormal(16, 0.6),
            Lognormal(30, 0.5),
            autoscaler=accelerated(shipped("hpa", 1, 50, exact=False)),
            replicas=1,
            warm=2,
            nodes=Nodes(
                gpus=4,
                maximum=8,
                start=Fixed(8),
                image_pull=Fixed(4),
                scan_seconds=1,
                idle_seconds=10,
                after_add_seconds=10,
            ),
        ),
    ]
