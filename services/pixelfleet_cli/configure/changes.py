"""Changes of an installation in a cluster, with kubectl: apply, switch, delete.

No step changes the number of streams, and nothing is left behind.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

import orjson

from pixelfleet.service.errors import warn
from pixelfleet_cli.configure.installation import (
    AUTOSCALERS,
    KINDS,
    Object,
    labels_of,
    left_over,
    selector_of,
    title,
    used_by,
    without_replicas,
)

OURS: Final = "app.kubernetes.io/part-of=pixelfleet"
STREAMS: Final = f"{OURS},app.kubernetes.io/name=stream"


class Kubectl(Protocol):
    """Runs kubectl and returns its output; raises UsageError with its message when it fails."""

    def __call__(self, *arguments: str, stdin: bytes = b"") -> str:
        """Run a command with this standard input."""


def apply(kubectl: Kubectl, namespace: str, manifests: str, least: Mapping[str, int]) -> str:
    """Apply the manifests and delete what an earlier configuration left; return the output of kubectl.

    `least` is the number of pods that a new Deployment starts with. A Secret or ConfigMap that a pod still uses stays,
    with a warning, until the next run.
    """
    stdin = manifests.encode()
    wanted = set(kubectl("apply", "--filename=-", "--dry-run=client", "--output=name", stdin=stdin).split())
    output = release(kubectl, namespace)
    before = {each["metadata"]["name"]: each["spec"]["replicas"] for each in _streams(kubectl, namespace)}
    kinds = _known_kinds(kubectl)
    # Before the apply: KEDA refuses a ScaledObject beside another autoscaler, and two autoscalers scale nothing.
    scalers = _found(kubectl, namespace, [kind for kind in AUTOSCALERS if kind in kinds], OURS)
    replaced = left_over(scalers, wanted)
    output += _deleted(kubectl, namespace, replaced)
    output += kubectl("apply", "--filename=-", stdin=stdin)
    for deployment, number in least.items():
        # A new Deployment has one pod. At zero, where KEDA may leave it, an autoscaler of Kubernetes does nothing.
        if deployment not in before or (replaced and not before[deployment]):
            scale = ("scale", f"deployment/{deployment}", f"--namespace={namespace}", f"--replicas={number}")
            output += kubectl(*scale)
    found = _found(kubectl, namespace, kinds, selector_of(labels_of(namespace)))
    leftovers = left_over(found, wanted)
    in_use = used_by(_found(kubectl, namespace, ["pods"], OURS))
    kept = [each for each in leftovers if title(each) in in_use]
    if kept:
        warn(f"{', '.join(map(title, kept))}: still in use by pods that end; the next run deletes them")
    return output + _deleted(kubectl, namespace, [each for each in leftovers if each not in kept])


def delete(kubectl: Kubectl, namespace: str) -> str:
    """Delete all objects of the installation; return the output of kubectl."""
    found = _found(kubectl, namespace, _known_kinds(kubectl), selector_of(labels_of(namespace)))
    return _deleted(kubectl, namespace, left_over(found, ()))


def release(kubectl: Kubectl, namespace: str) -> str:
    """Remove `spec.replicas` from the last applied manifests of streams, which changes no pod."""
    manifests = [without_replicas(each) for each in _streams(kubectl, namespace)]
    return "".join(kubectl("apply", "set-last-applied", "--filename=-", stdin=each) for each in manifests if each)


def held(kubectl: Kubectl, namespace: str) -> dict[str, int]:
    """Return the number of pods of each Deployment of streams that was last applied with `spec.replicas`."""
    return {
        each["metadata"]["name"]: each["spec"]["replicas"]
        for each in _streams(kubectl, namespace)
        if without_replicas(each)
    }


def _streams(kubectl: Kubectl, namespace: str) -> list[Object]:
    return _found(kubectl, namespace, ["deployments.apps"], STREAMS)


def _known_kinds(kubectl: Kubectl) -> list[str]:
    known = set(kubectl("api-resources", "--output=name").split())
    return [kind for kind in KINDS if kind in known]


def _found(kubectl: Kubectl, namespace: str, kinds: Sequence[str], selector: str) -> list[Object]:
    if not kinds:
        return []
    arguments = (f"--namespace={namespace}", f"--selector={selector}", "--output=json")
    found: list[Object] = orjson.loads(kubectl("get", ",".join(kinds), *arguments))["items"]
    return found


def _deleted(kubectl: Kubectl, namespace: str, things: Iterable[Object]) -> str:
    names = [title(each) for each in things]
    if not names:
        return ""
    return kubectl("delete", *names, f"--namespace={namespace}", "--ignore-not-found", "--wait=false")
