"""A Deployment's rolling update beside its autoscaler, by the rules of Kubernetes' controllers."""

from dataclasses import dataclass, field

from pixelfleet.autoscaling.hpa import Autoscaler
from pixelfleet.autoscaling.replicas import Pods

STEP_SECONDS = 15


@dataclass
class Rollout:
    """Pods of an old and a new revision. Each player of an old pod plays on while the pod drains.

    Without a surge, a new pod is pending until a drained one has ended: there is no GPU for it before.
    """

    autoscaler: Autoscaler
    replicas: int
    """`spec.replicas`."""
    busy: int
    """Old pods with a player, beside `idle` ones."""
    idle: int = 0
    draining: int = 0
    """Terminating old pods, all with a player: an idle one ends at once."""
    ready: int = 0
    """New pods on a GPU, with and without a player."""
    arrived: int = 0
    """Players of new pods."""
    pending: int = 0
    """New pods without a GPU."""
    counts_draining: bool = True
    """Whether the players of draining pods are wanted."""
    now: float = 0
    most_drained: float = field(default=0, init=False)
    """The largest number of draining pods so far."""

    def step(self, leaving: int = 0, *, arriving: bool = True) -> None:
        """Let 15 s pass, in which `leaving` players of draining pods leave, and as many others come if `arriving`."""
        self.now += STEP_SECONDS
        gone = min(leaving, self.draining)
        self.draining -= gone
        started = min(gone, self.pending)
        self.pending, self.ready = self.pending - started, self.ready + started
        self.arrived += gone if arriving else 0
        self.replicas = self.autoscaler.reconcile(self.now, self.pods(), [self.wanted()])
        self._roll()
        self.most_drained = max(self.most_drained, self.draining)

    def wanted(self) -> int:
        """Return the value of `pixelfleet_streams_wanted`, without waiting players and warm slots."""
        return self.busy + self.arrived + (self.draining if self.counts_draining else 0)

    def pods(self) -> Pods:
        """Return the pods as the controllers see them: terminating ones are in none of the numbers."""
        old = self.busy + self.idle
        return Pods(self.replicas, old + self.ready + self.pending, old + self.ready)

    def _roll(self) -> None:
        """Remove old pods while enough pods remain ready, idle ones first; create new ones up to the replicas."""
        unavailable = max(self.replicas * 25 // 100, 1)
        while self.busy + self.idle and self.pods().ready > self.replicas - unavailable:
            if self.idle:
                self.idle -= 1
                self.ready += 1  # its GPU is free at once
                continue
            self.busy -= 1
            self.draining += 1
        self.pending = max(0, self.replicas - self.busy - self.idle - self.ready)
