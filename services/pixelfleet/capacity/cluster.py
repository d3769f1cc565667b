"""GPU nodes: the scheduler places pods on them, and the cluster autoscaler adds and removes them."""

from collections import OrderedDict
from collections.abc import Callable
from random import Random

from pixelfleet.capacity.agenda import Agenda
from pixelfleet.capacity.scenario import Nodes


class Node:
    """A GPU node."""

    __slots__ = ("active", "empty_since", "has_image", "image_at", "pods")

    def __init__(self) -> None:
        self.has_image = False
        self.image_at = 0.0
        self.pods = 0
        """Pods that hold one of its slots, terminating ones included."""
        self.active = 0
        """Pods that are not terminating."""
        self.empty_since = 0.0


class Cluster:
    """The nodes of a run."""

    def __init__(self, nodes: Nodes, agenda: Agenda, random: Random, room: Callable[[], None], initial: int) -> None:
        """`room` is called when a node becomes ready. There are `initial` nodes with the image at the start."""
        self.settings = nodes
        self.count = 0
        """Nodes that exist or are ordered."""
        self.most = 0
        """The largest such number so far."""
        self.starting = 0
        """Ordered nodes that are not ready."""
        self._seconds = 0.0
        self._changed = 0.0
        self._agenda, self._random, self._room = agenda, random, room
        self._capacity = nodes.streams
        # Ready nodes by their number of pods: the scheduler takes the emptiest.
        self._by_pods: list[OrderedDict[Node, None]] = [OrderedDict() for _ in range(self._capacity + 1)]
        self._added_at = float("-inf")
        for _ in range(initial):
            node = Node()
            self._count(1)
            self._join(node)
            node.has_image = True

    @property
    def is_full(self) -> bool:
        """Whether no further node may be added."""
        return self.count >= self.settings.maximum

    def node_seconds(self) -> float:
        """Return the seconds of all nodes together until now, from the order of each to its removal."""
        self._count(0)
        return self._seconds

    def place(self) -> Node | None:
        """Return the node for one more pod, which now holds one of its slots; None if all are full."""
        for number, nodes in enumerate(self._by_pods[:-1]):
            if nodes:
                node, _ = nodes.popitem(last=False)
                node.pods = number + 1
                node.active += 1
                self._by_pods[number + 1][node] = None
                return node
        return None

    def release(self, node: Node) -> None:
        """Free the slot of one pod."""
        del self._by_pods[node.pods][node]
        node.pods -= 1
        self._by_pods[node.pods][node] = None
        if not node.pods:
            node.empty_since = self._agenda.now

    def scan(self, pending: int) -> None:
        """Run the cluster autoscaler once; `pending` is the number of pods without a node."""
        missing = pending - self.starting * self._capacity
        wanted = max(-(-missing // self._capacity), self.settings.minimum - self.count, 0)
        for _ in range(min(wanted, self.settings.maximum - self.count)):
            self._order()
        if not wanted and not self.starting:
            self._remove_empty()

    def _order(self) -> None:
        agenda = self._agenda
        self._count(1)
        self.starting += 1
        self._added_at = agenda.now
        agenda.at(agenda.now + self.settings.start.draw(self._random), self._is_ready, Node())

    def _is_ready(self, node: Node) -> None:
        agenda = self._agenda
        self.starting -= 1
        node.image_at = agenda.now + self.settings.image_pull.draw(self._random)
        agenda.at(node.image_at, self._has_image, node)
        self._join(node)
        self._room()

    @staticmethod
    def _has_image(node: Node) -> None:
        node.has_image = True

    def _join(self, node: Node) -> None:
        node.empty_since = self._agenda.now
        self._by_pods[0][node] = None

    def _remove_empty(self) -> None:
        now = self._agenda.now
        if now - self._added_at < self.settings.after_add_seconds:
            return
        idle = [node for node in self._by_pods[0] if now - node.empty_since >= self.settings.idle_seconds]
        for node in idle[: max(0, self.count - self.settings.minimum)]:
            del self._by_pods[0][node]
            self._count(-1)

    def _count(self, change: int) -> None:
        now = self._agenda.now
        self._seconds += self.count * (now - self._changed)
        self._changed = now
        self.count += change
        self.most = max(self.most, self.count)
