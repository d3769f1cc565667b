"""The objects of one installation in a cluster: the label by which they are found, and what is left over. No I/O."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

import orjson

Object = Mapping[str, Any]
"""An object of Kubernetes."""

Title = str
"""Kind, group and name of an object as `kubectl --output=name` prints them, such as `deployment.apps/stream`."""

AUTOSCALERS: Final = ("horizontalpodautoscalers.autoscaling", "scaledobjects.keda.sh")

KINDS: Final = (
    *AUTOSCALERS,
    "ingresses.networking.k8s.io",
    "gateways.gateway.networking.k8s.io",
    "httproutes.gateway.networking.k8s.io",
    "deployments.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "services",
    "configmaps",
    "secrets",
    "serviceaccounts",
    "roles.rbac.authorization.k8s.io",
    "rolebindings.rbac.authorization.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
    "clusterrolebindings.rbac.authorization.k8s.io",
    "networkpolicies.networking.k8s.io",
    "poddisruptionbudgets.policy",
    "podmonitors.monitoring.coreos.com",
    "validatingadmissionpolicies.admissionregistration.k8s.io",
    "validatingadmissionpolicybindings.admissionregistration.k8s.io",
)
"""The kinds of which an installation may have objects, as `kubectl api-resources --output=name` prints them. They are
deleted in this order: first what brings players and pods."""

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"


def labels_of(namespace: str) -> dict[str, str]:
    """Return the labels of all objects of an installation; selectors, which cannot be changed, do not contain them."""
    return {"app.kubernetes.io/part-of": "pixelfleet", "app.kubernetes.io/instance": namespace}


def selector_of(labels: Mapping[str, str]) -> str:
    """Return a selector for `kubectl --selector`."""
    return ",".join(f"{name}={value}" for name, value in labels.items())


def title(thing: Object) -> Title:
    """Return kind, group and name of an object; an installation has one namespace."""
    group = thing["apiVersion"].rpartition("/")[0]
    kind = thing["kind"].lower()
    return f"{kind}.{group}/{thing['metadata']['name']}" if group else f"{kind}/{thing['metadata']['name']}"


def left_over(found: Iterable[Object], wanted: Collection[Title]) -> list[Object]:
    """Return the found objects that are not wanted, without those of an owner, such as KEDA's autoscaler."""
    return [each for each in found if title(each) not in wanted and not each["metadata"].get("ownerReferences")]


def used_by(pods: Iterable[Object]) -> set[Title]:
    """Return the Secrets and ConfigMaps of pods; a container that starts again reads them again."""
    return {each for pod in pods for each in _references(pod["spec"])}


def _references(value: Any) -> Iterable[Title]:
    """Yield the references in a pod's specification, at any depth."""
    if isinstance(value, list):
        for each in value:
            yield from _references(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key in ("secretKeyRef", "secretRef"):
                yield f"secret/{each['name']}"
            elif key in ("configMapKeyRef", "configMapRef"):
                yield f"configmap/{each['name']}"
            elif key == "secret" and "secretName" in each:
                yield f"secret/{each['secretName']}"
            elif key == "configMap" and "name" in each:
                yield f"configmap/{each['name']}"
            else:
                yield from _references(each)


def without_replicas(deployment: Object) -> bytes | None:
    """Return a Deployment's last applied manifest without `spec.replicas`; None if it had none.

    While the last applied manifest has the number, an apply without it removes the field, and the API server sets 1.
    """
    text = deployment["metadata"].get("annotations", {}).get(LAST_APPLIED)
    applied: dict[str, Any] = orjson.loads(text) if text else {}
    if applied.get("spec", {}).pop("replicas", None) is None:
        return None
    return orjson.dumps(applied)
