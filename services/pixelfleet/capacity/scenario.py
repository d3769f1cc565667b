"""The settings of a run: the cluster, its start times, and its autoscalers."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from pixelfleet.autoscaling.hpa import SYNC_SECONDS
from pixelfleet.capacity.durations import Durations, Fixed

MAX_STREAMS: Final = 10_000
MAX_NODES: Final = 10_000
MAX_DAYS: Final = 92


class Nodes(msgspec.Struct, frozen=True, kw_only=True):
    """The GPU nodes and the cluster autoscaler that adds and removes them.

    The rules are those of the Kubernetes project's cluster autoscaler with its defaults, for empty nodes only: it never
    moves a pod to empty a node.
    """

    gpus: int = 1
    """GPUs of a node."""
    streams_per_gpu: int = 1
    minimum: int = 0
    maximum: int = MAX_NODES
    start: Durations = Fixed(180)
    """From the order of a node to its readiness."""
    image_pull: Durations = Fixed(120)
    """From the readiness of a node to the presence of the application's image."""
    scan_seconds: float = 10
    idle_seconds: float = 600
    """A node that is empty for this time is removed."""
    after_add_seconds: float = 600
    """No node is removed for this time after one was added."""

    @property
    def streams(self) -> int:
        """Streams of a node."""
        return self.gpus * self.streams_per_gpu


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """One fleet of streamers with one slot each, of one application."""

    seconds: float
    """The length of the run."""
    autoscaler: Mapping[str, Any] | None
    """A HorizontalPodAutoscaler or a ScaledObject; without one the number of streams is `replicas`."""
    replicas: int = 1
    """The number of streams at the start."""
    warm: int = 0
    """Warm slots, which are part of the demand."""
    nodes: Nodes = Nodes()
    pod_start: Durations = Fixed(30)
    """From a pod's place on a node with the image to its readiness."""
    pod_stop: Durations = Fixed(5)
    """From the end of the last session of a removed pod to the release of its GPU."""
    drain_seconds: float = 3600
    """A session on a removed pod may last for this time, and is then ended."""
    deletion_cost: bool = True
    """Whether pods are marked, so that idle pods are removed first."""
    sync_seconds: float = SYNC_SECONDS
    """The period of the HorizontalPodAutoscaler."""
    scrape_seconds: float = 15
    """The period of Prometheus."""
    read_seconds: float = 1
    """The period in which a matchmaker reads the store: what Prometheus reads is up to this old."""
    in_phase: bool = False
    """Whether all periods begin at 0; otherwise each has a random phase."""
    seed: int = 1
