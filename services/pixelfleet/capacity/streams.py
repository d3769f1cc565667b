"""The pods of the streams: a Deployment with its ReplicaSet, and the slots that players take."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from operator import itemgetter
from random import Random
from typing import Final

from pixelfleet.autoscaling.replicas import Pods
from pixelfleet.autoscaling.scale_down import Stage, removal_key
from pixelfleet.capacity.agenda import Agenda
from pixelfleet.capacity.cluster import Cluster, Node
from pixelfleet.capacity.scenario import Scenario

BUSY_COST: Final = 100
"""The deletion cost that a signalling server writes while it has a player; 0 otherwise."""


class Pod:
    """A pod with one streamer."""

    __slots__ = ("busy", "created", "name", "node", "ready_at", "removed", "session")

    def __init__(self, now: float, name: float) -> None:
        self.created = now
        self.name = name
        self.node: Node | None = None
        self.ready_at: float | None = None
        self.busy = False
        self.removed = False
        self.session = 0
        """Counts its sessions, so that the end of one that was ended before is recognised."""


class Streams:
    """All pods of a run."""

    def __init__(self, scenario: Scenario, agenda: Agenda, random: Random, free: Callable[[], None]) -> None:
        """`free` is called when a pod has become ready. The first pods are ready at once."""
        self.wanted = 0
        """`spec.replicas`."""
        self.busy = 0
        self.draining = 0
        """Removed pods with a player."""
        self.most = 0
        """The largest number of pods on nodes so far."""
        self.starts = 0
        self.cut = 0
        """Sessions that the end of a drain has ended."""
        self._scenario, self._agenda, self._random, self._free = scenario, agenda, random, free
        self._pending: OrderedDict[Pod, None] = OrderedDict()
        self._starting: dict[Pod, None] = {}
        self.idle: OrderedDict[Pod, None] = OrderedDict()
        """Ready pods without a player; the next player takes the first."""
        self._occupied: dict[Pod, None] = {}
        self._placed = 0
        self._seconds = 0.0
        self._changed = 0.0
        capacity = scenario.nodes.streams
        nodes = max(scenario.nodes.minimum, min(-(-scenario.replicas // capacity), scenario.nodes.maximum))
        self.cluster = Cluster(scenario.nodes, agenda, random, self._schedule, nodes)
        self._create(scenario.replicas)
        for pod in list(self._starting):
            self._is_ready(pod)

    # -- observed by autoscalers ----------------------------------------------------------------------

    @property
    def ready(self) -> int:
        """Ready pods."""
        return len(self.idle) + self.busy

    @property
    def starting(self) -> int:
        """Pods on a node that are not ready."""
        return len(self._starting)

    @property
    def pulling(self) -> int:
        """Pods on a node that does not have the image yet."""
        return sum(1 for pod in self._starting if pod.node is not None and not pod.node.has_image)

    @property
    def pending(self) -> int:
        """Pods without a node."""
        return len(self._pending)

    def pods(self) -> Pods:
        """Return the numbers that an autoscaler reads."""
        return Pods(self.wanted, self.ready + len(self._starting) + len(self._pending), self.ready)

    def stream_seconds(self) -> float:
        """Return the seconds of all pods on nodes together until now."""
        self._count(0)
        return self._seconds

    # -- players ---------------------------------------------------------------------------------------

    def take(self) -> Pod | None:
        """Return a pod for one player, or None if no pod is free."""
        if not self.idle:
            return None
        pod, _ = self.idle.popitem(last=False)
        pod.busy = True
        pod.session += 1
        self.busy += 1
        self._occupied[pod] = None
        return pod

    def leave(self, pod: Pod) -> None:
        """Free a pod's slot, or let the pod go if it was removed."""
        pod.busy = False
        if pod.removed:
            self.draining -= 1
            self._stop(pod)
        else:
            self.busy -= 1
            del self._occupied[pod]
            self.idle[pod] = None

    # -- replicas --------------------------------------------------------------------------------------

    def scale(self, wanted: int) -> None:
        """Set `spec.replicas`."""
        if wanted == self.wanted:
            return
        difference = wanted - self.pods().existing
        if difference > 0:
            self._create(difference)
        else:
            self._remove(-difference)
        self.wanted = wanted

    def _create(self, count: int) -> None:
        self.wanted += count
        for _ in range(count):
            self._pending[Pod(self._agenda.now, self._random.random())] = None
        self.starts += count
        self._schedule()

    def _schedule(self) -> None:
        """Place pending pods on nodes, the oldest first."""
        now = self._agenda.now
        while self._pending:
            node = self.cluster.place()
            if node is None:
                return
            pod, _ = self._pending.popitem(last=False)
            pod.node = node
            self._starting[pod] = None
            self._count(1)
            begun = max(now, node.image_at)
            self._agenda.at(begun + self._scenario.pod_start.draw(self._random), self._is_ready, pod)

    def _is_ready(self, pod: Pod) -> None:
        if pod not in self._starting:  # removed since, or ready at the start of the run
            return
        del self._starting[pod]
        pod.ready_at = self._agenda.now
        self.idle[pod] = None
        self._free()

    # -- removal ---------------------------------------------------------------------------------------

    def _remove(self, count: int) -> None:
        """Remove pods in the order of a ReplicaSet."""
        groups: list[Iterable[Pod]] = [self._pending, self._starting]
        groups += [self.idle, self._occupied] if self._scenario.deletion_cost else [[*self.idle, *self._occupied]]
        for group in groups:
            pods = list(group)
            if len(pods) > count:
                pods = self._first(pods, count)
            for pod in pods:
                self._remove_one(pod)
            count -= len(pods)
            if not count:
                return

    def _first(self, pods: list[Pod], count: int) -> list[Pod]:
        """Return the first `count` pods in the order of removal."""
        keyed = sorted(((self._key(pod), pod) for pod in pods), key=itemgetter(0))
        return [pod for _, pod in keyed[:count]]

    def _key(self, pod: Pod) -> tuple[float | str, ...]:
        now = self._agenda.now
        node = pod.node
        if node is None:
            return removal_key(Stage.UNSCHEDULED, 0, 0, now - pod.created, pod.name)
        if pod.ready_at is None:
            stage = Stage.RUNNING if node.has_image else Stage.PENDING
            return removal_key(stage, 0, node.active, now - pod.created, pod.name)
        cost = BUSY_COST if pod.busy and self._scenario.deletion_cost else 0
        return removal_key(Stage.READY, cost, node.active, now - pod.ready_at, pod.name)

    def _remove_one(self, pod: Pod) -> None:
        pod.removed = True
        if pod.node is None:
            del self._pending[pod]
            return
        pod.node.active -= 1
        if pod.ready_at is None:
            del self._starting[pod]
            self._stop(pod)
        elif not pod.busy:
            del self.idle[pod]
            self._stop(pod)
        else:
            del self._occupied[pod]
            self.busy -= 1
            self.draining += 1
            self._agenda.at(self._agenda.now + self._scenario.drain_seconds, self._end_drain, pod)

    def _end_drain(self, pod: Pod) -> None:
        if pod.busy:
            self.cut += 1
            pod.session += 1
            self.leave(pod)

    def _stop(self, pod: Pod) -> None:
        self._agenda.at(self._agenda.now + self._scenario.pod_stop.draw(self._random), self._is_gone, pod)

    def _is_gone(self, pod: Pod) -> None:
        assert pod.node is not None
        self._count(-1)
        self.cluster.release(pod.node)
        self._schedule()

    def _count(self, change: int) -> None:
        now = self._agenda.now
        self._seconds += self._placed * (now - self._changed)
        self._changed = now
        self._placed += change
        self.most = max(self.most, self._placed)
