"""Objects of an installation that belong to no namespace. No I/O.

Their names contain the namespace, so that two installations in one cluster do not share them.
"""

import json
from collections.abc import Mapping
from typing import Final

from pixelfleet_cli.configure.patches import Patches, replace

ADMISSION_SINCE: Final = (1, 30)
"""The first Kubernetes with ValidatingAdmissionPolicies, which limit a sidecar to the marks of its own pod."""

WITHOUT_NAMESPACE: Final = json.dumps(
    {
        "apiVersion": "builtin",
        "kind": "PatchTransformer",
        "metadata": {"name": "without-namespace"},
        "target": {"group": "admissionregistration.k8s.io"},
        "patch": json.dumps([{"op": "remove", "path": "/metadata/namespace"}]),
    }
)
"""A transformer of kustomize, which adds the namespace to these objects too."""

_MARKS: Final = "pixelfleet-pod-marks"
_ADDRESSES: Final = "pixelfleet-node-addresses"


def marks_pods(values: Mapping[str, str]) -> bool:
    """Return whether sidecars may mark their pods; an unknown version counts as one that cannot limit that right."""
    return tuple(int(part) for part in values["KUBERNETES"].split(".") if part) >= ADMISSION_SINCE


def reads_nodes(values: Mapping[str, str]) -> bool:
    """Return whether turn-api must read the cluster's nodes: pods do not show external addresses."""
    return values["TURN_NODE_ADDRESS"] == "external"


def cluster_wide_components(values: Mapping[str, str]) -> list[str]:
    """Return the components with objects that belong to no namespace."""
    chosen = {"node-addresses": reads_nodes(values), "pod-marks": marks_pods(values)}
    return [name for name, wanted in chosen.items() if wanted]


def cluster_wide_patches(values: Mapping[str, str]) -> Patches:
    """Return the patches that put the namespace into the objects of these components."""
    namespace = values["NAMESPACE"]
    marks, named = f"{_MARKS}-{namespace}", "/metadata/name"
    labels = "/spec/matchResources/namespaceSelector/matchLabels"
    patches: Patches = []
    if reads_nodes(values):
        for kind in ("ClusterRole", "ClusterRoleBinding"):
            patches.append(({"kind": kind, "name": _ADDRESSES}, [replace(named, f"{_ADDRESSES}-{namespace}")]))
    if marks_pods(values):
        policy, binding = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"
        selected = [replace("/spec/policyName", marks), replace(f"{labels}/kubernetes.io~1metadata.name", namespace)]
        patches.append(({"kind": policy, "name": _MARKS}, [replace(named, marks)]))
        patches.append(({"kind": binding, "name": _MARKS}, [replace(named, marks), *selected]))
    return patches
