"""Short runs of the simulation."""

from typing import Any

from pixelfleet.capacity.arrivals import Players, Source, players, rates, trace
from pixelfleet.capacity.durations import Durations, Fixed
from pixelfleet.capacity.outcome import Outcome
from pixelfleet.capacity.scenario import Nodes, Scenario
from pixelfleet.capacity.simulation import Simulation

NEVER = Fixed(float("inf"))
FULL_NODES = Nodes(gpus=1, minimum=0, start=Fixed(0), image_pull=Fixed(0), scan_seconds=1)
"""Nodes that are there when they are needed."""


def at(*times: float, length: float = 1e6) -> Players:
    """Return players that arrive at these times, the first at 0."""
    return players(trace([(time, length) for time in times]), times[-1] + 1, Fixed(0), NEVER, 1)


def steady(per_hour: float, seconds: float, lengths: Durations, patience: Durations = NEVER, seed: int = 1) -> Players:
    """Return players that arrive at a constant rate."""
    source: Source = rates([per_hour])
    return players(source, seconds, lengths, patience, seed)


def run(found: Players, seconds: float, **chosen: Any) -> Outcome:
    """Return the outcome of a run, by default without an autoscaler and with the nodes that it needs."""
    return simulation(found, seconds, **chosen).run()


def simulation(found: Players, seconds: float, **chosen: Any) -> Simulation:
    values: dict[str, Any] = {
        "autoscaler": None,
        "nodes": FULL_NODES,
        "pod_start": Fixed(0),
        "pod_stop": Fixed(0),
        "in_phase": True,
        "read_seconds": 0,
        **chosen,
    }
    return Simulation(Scenario(seconds=seconds, **values), found)
