"""The order in which a ReplicaSet removes pods when its number is reduced.

The rules are those of Kubernetes 1.29 to 1.37, `pkg/controller/controller_utils.go`.
"""

import math
from enum import IntEnum
from typing import Final

NANOSECONDS: Final = 1e9


class Stage(IntEnum):
    """How far a pod has come; the controller removes the lowest first, whatever their deletion cost."""

    UNSCHEDULED = 0
    PENDING = 1
    """On a node, and its containers have not started: the image is being pulled."""
    RUNNING = 2
    """Running and not ready."""
    READY = 3


def removal_key(stage: Stage, cost: int, on_node: int, seconds: float, name: str | float) -> tuple[float | str, ...]:
    """Return a pod's place in the order: the pods with the lowest keys are removed.

    `cost` is the pod's deletion cost, `on_node` the number of pods of the ReplicaSet on its node, `seconds` the time
    since it became ready, or of a pod that is not ready since its creation. Times of the same power of two (of
    nanoseconds) are equal, and then `name` decides, which is random.
    """
    age = int(math.log2(seconds * NANOSECONDS)) if seconds * NANOSECONDS >= 1 else -1
    return (stage, cost, -on_node, age, name)
