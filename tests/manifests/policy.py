"""Security rules of the manifests: no root, no missing limits, no unneeded rights."""

import json
import re
from collections.abc import Iterator, Sequence

from tests.manifests.pods import Workload, of_kind, picked, title, workloads
from tests.manifests.rendering import Object

WRITES = {("stream", "streamer")}
"""Containers that may write to their own file system: Unreal's."""

ADDED = {("turn", "turn"): ["NET_BIND_SERVICE"]}
"""Capabilities without which a program does not start."""

ON_HOST_NETWORK = {"turn"}
WITH_TOKEN = {"turn-api"}
RIGHTS = {
    ("Role", "stream"): [("", ["pods"], ["patch"])],
    ("Role", "stream-deletion"): [("", ["pods"], ["delete"])],
    ("Role", "turn-api"): [("", ["pods"], ["list", "watch"])],
    ("ClusterRole", "pixelfleet-node-addresses"): [("", ["nodes"], ["list", "watch"])],
}
"""By the name without the namespace, with which an overlay ends the name of a cluster-wide object."""
SECRET_WORDS = ("SECRET", "TOKEN", "PASSWORD", "REDIS_URL", "SESSION_KEY", "CREDENTIAL")
DRAIN_MARGIN_SECONDS = 60


def policy_problems(objects: Sequence[Object]) -> list[str]:
    """Return the violations, one line each."""
    pods = workloads(objects)
    found = [*_rights(objects), *_network(objects, pods), *_secrets(objects, pods)]
    for pod in pods:
        found += [
            f"{title(pod.thing)}: {problem}" for problem in (*_pod(pod, objects), *_probes(pod), *_drain(pod, objects))
        ]
        for container in pod.containers:
            found += [f"{title(pod.thing)}/{container['name']}: {problem}" for problem in _container(pod, container)]
    return found


def _pod(pod: Workload, objects: Sequence[Object]) -> Iterator[str]:
    spec = pod.spec
    security = spec.get("securityContext", {})
    if security.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "no seccomp profile"
    if spec.get("hostNetwork", False) is not (pod.name in ON_HOST_NETWORK):
        yield "is on the host network, or must be and is not"
    if spec.get("hostPID") or spec.get("hostIPC") or any("hostPath" in volume for volume in spec.get("volumes", [])):
        yield "shares a namespace with the host"
    if spec.get("automountServiceAccountToken") is not (pod.name in WITH_TOKEN):
        yield "mounts a token that it does not need, or lacks one that it needs"
    if spec.get("enableServiceLinks") is not False:
        yield "has environment variables for every Service of the namespace"
    if not pod.name.startswith("image-pull") and not any(
        picked(each["spec"]["selector"], [pod]) for each in of_kind(objects, "PodDisruptionBudget")
    ):
        yield "has no disruption budget"
    for budget in of_kind(objects, "PodDisruptionBudget"):
        counted = isinstance(budget["spec"].get("minAvailable"), int)
        if pod.thing["kind"] == "DaemonSet" and picked(budget["spec"]["selector"], [pod]) and not counted:
            yield "its disruption budget is of a kind that Kubernetes does not support for it"
    if pod.thing["kind"] != "DaemonSet" and not spec.get("topologySpreadConstraints"):
        yield "has no topology spread"
    if pod.name.startswith("stream") and pod.thing["spec"]["strategy"]["rollingUpdate"]["maxSurge"] != 0:
        yield "a rollout needs additional GPUs"


def _container(pod: Workload, container: Object) -> Iterator[str]:
    security = {**pod.spec.get("securityContext", {}), **container.get("securityContext", {})}
    if security.get("runAsNonRoot") is not True or not security.get("runAsUser"):
        yield "may run as root"
    if security.get("allowPrivilegeEscalation") is not False or security.get("privileged"):
        yield "may gain privileges"
    capabilities = security.get("capabilities", {})
    if capabilities.get("drop") != ["ALL"] or capabilities.get("add", []) != ADDED.get(
        (pod.name, container["name"]), []
    ):
        yield "has capabilities"
    workload = pod.labels["app.kubernetes.io/name"]
    if security.get("readOnlyRootFilesystem") is not True and (workload, container["name"]) not in WRITES:
        yield "may write to its file system"
    resources = container.get("resources", {})
    for bound in ("requests", "limits"):
        if not {"cpu", "memory"} <= set(resources.get(bound, {})):
            yield f"has no {bound}"
    if ":" not in container["image"].rpartition("/")[2]:
        yield f"its image {container['image']} has no tag"


def _probes(pod: Workload) -> Iterator[str]:
    for container in pod.running:
        if container["name"] in ("streamer", "pause"):
            continue  # the sidecar's readiness counts for both
        probes = {kind: container.get(f"{kind}Probe", {}) for kind in ("startup", "liveness", "readiness")}
        if not all(probes.values()):
            yield f"{container['name']} lacks a probe"
        if container.get("command", [""])[0] == "pixelfleet":
            paths = {kind: probe.get("httpGet", {}).get("path") for kind, probe in probes.items()}
            if paths != {"startup": "/livez", "liveness": "/livez", "readiness": "/readyz"}:
                yield f"{container['name']} is probed at {paths}"
        names = {port["name"] for port in container.get("ports", [])}
        asked = {
            how["port"] for probe in probes.values() for key, how in probe.items() if key in ("httpGet", "tcpSocket")
        }
        if not asked <= names:
            yield f"{container['name']} is probed on ports {asked}, and has {names}"


def _drain(pod: Workload, objects: Sequence[Object]) -> Iterator[str]:
    if not pod.name.startswith("stream"):
        return
    config = {each["metadata"]["name"]: each["data"] for each in of_kind(objects, "ConfigMap")}
    (source,) = pod.spec["initContainers"][0]["envFrom"]
    seconds = float(config[source["configMapRef"]["name"]]["PIXELFLEET_SIGNALSERVER_DRAIN_SECONDS"])
    if pod.spec["terminationGracePeriodSeconds"] < seconds + DRAIN_MARGIN_SECONDS:
        yield "its grace period is not longer than the drain"
    sidecar = pod.spec["initContainers"][0]
    streamer = pod.spec["containers"][0]
    if sidecar.get("restartPolicy") != "Always" or sidecar["name"] != "signalserver":
        yield "the sidecar is not a native one"
    hook = streamer.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", [""])
    if "/drain?wait=1" not in hook[-1]:
        yield "the application is stopped before its players have left"
    if any("serviceaccount" in mount["mountPath"] for mount in streamer.get("volumeMounts", [])):
        yield "the application has a token"


def _rights(objects: Sequence[Object]) -> Iterator[str]:
    spaces = {each["metadata"]["namespace"] for each in objects if "namespace" in each["metadata"]}
    for role in of_kind(objects, "Role", "ClusterRole"):
        rules = [(*rule["apiGroups"], rule["resources"], rule["verbs"]) for rule in role["rules"]]
        name = role["metadata"]["name"]
        for space in spaces:
            name = name.removesuffix(f"-{space}")
        if rules != RIGHTS.get((role["kind"], name)):
            yield f"{title(role)} grants rights that are not listed in the check: {rules}"


def _network(objects: Sequence[Object], pods: Sequence[Workload]) -> Iterator[str]:
    policies = [each["spec"] for each in of_kind(objects, "NetworkPolicy")]
    for pod in pods:
        closed = [
            spec
            for spec in policies
            if picked(spec["podSelector"], [pod])
            and not spec.get("ingress")
            and not spec.get("egress")
            and spec["policyTypes"] == ["Ingress", "Egress"]
        ]
        if not closed:
            yield f"{title(pod.thing)}: traffic is not denied by default"


def _secrets(objects: Sequence[Object], pods: Sequence[Workload]) -> Iterator[str]:
    shown = [(title(each), name) for each in of_kind(objects, "ConfigMap") for name in each["data"]]
    for pod in pods:
        env = [variable for container in pod.containers for variable in container.get("env", [])]
        shown += [(title(pod.thing), variable["name"]) for variable in env if "value" in variable]
    for where, name in shown:
        if any(word in name for word in SECRET_WORDS):
            yield f"{where}: {name} is a secret in plain text"
    for pod in pods:
        for container in pod.containers:
            secret = {each["name"] for each in container.get("env", []) if "secretKeyRef" in each.get("valueFrom", {})}
            # Kubernetes writes the value of $(NAME) into the command line, which every process of the node can read.
            for name in re.findall(r"\$\((\w+)\)", json.dumps([container.get("command"), container.get("args")])):
                if name in secret:
                    yield f"{title(pod.thing)}: {name} is a secret on a command line"
