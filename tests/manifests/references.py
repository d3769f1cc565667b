"""References between objects: selectors, ports, keys, accounts, targets."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from tests.manifests.pods import Workload, of_kind, picked, title, workloads
from tests.manifests.rendering import Object

CLUSTER_WIDE = (
    "ClusterIssuer",
    "ClusterRole",
    "ClusterRoleBinding",
    "Namespace",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
)
GIVEN_BY_KUBERNETES = {"kube-root-ca.crt"}


def reference_problems(objects: Sequence[Object]) -> list[str]:
    """Return the broken references, one line each."""
    pods = workloads(objects)
    return [
        *_names(objects),
        *_selectors(objects, pods),
        *_policies(objects, pods),
        *_keys(objects, pods),
        *_accounts(objects, pods),
        *_ways_in(objects),
        *_routers(objects, pods),
        *_scaling(objects, pods),
        *_scraping(objects, pods),
    ]


def _names(objects: Sequence[Object]) -> Iterator[str]:
    for (kind, name), times in Counter((each["kind"], each["metadata"]["name"]) for each in objects).items():
        if times > 1:
            yield f"{kind}/{name} exists {times} times"
    for each in objects:
        if each["kind"] in CLUSTER_WIDE and "namespace" in each["metadata"]:
            yield f"{title(each)} has a namespace"
    spaces = {each["metadata"].get("namespace") for each in objects if each["kind"] not in CLUSTER_WIDE}
    if len(spaces) > 1:
        yield f"objects of several namespaces: {spaces}"


def _selectors(objects: Sequence[Object], pods: Sequence[Workload]) -> Iterator[str]:
    for pod in pods:
        selectors = [pod.thing["spec"]["selector"]]
        selectors += [each["labelSelector"] for each in pod.spec.get("topologySpreadConstraints", [])]
        for selector in selectors:
            if picked(selector, pods) != [pod]:
                yield f"{title(pod.thing)}: its selector {selector} matches other pods, or not its own"
    for service in of_kind(objects, "Service"):
        behind = picked({"matchLabels": service["spec"]["selector"]}, pods)
        if len({pod.labels["app.kubernetes.io/name"] for pod in behind}) != 1:
            yield f"{title(service)} selects {[pod.name for pod in behind]}"
        for port in service["spec"]["ports"]:
            if not all(pod.has_port(port.get("targetPort", port["port"])) for pod in behind):
                yield f"{title(service)}: no container has the port {port['targetPort']}"
    for budget in of_kind(objects, "PodDisruptionBudget"):
        if len(picked(budget["spec"]["selector"], pods)) != 1:
            yield f"{title(budget)} does not select one workload"


def _policies(objects: Sequence[Object], pods: Sequence[Workload]) -> Iterator[str]:
    for policy in of_kind(objects, "NetworkPolicy"):
        spec = policy["spec"]
        subjects = picked(spec["podSelector"], pods)
        if not subjects:
            yield f"{title(policy)} selects no pod"
        for rule in spec.get("ingress", []):
            yield from _peers(policy, rule.get("from", []), pods)
            for port in _tcp(rule):
                if not any(pod.has_port(port) for pod in subjects):
                    yield f"{title(policy)}: no container listens on {port}"
        for rule in spec.get("egress", []):
            yield from _peers(policy, rule.get("to", []), pods)
            for peer in rule.get("to", []):
                if "podSelector" not in peer:
                    continue
                for port in _tcp(rule):
                    if not all(pod.has_port(port) for pod in picked(peer["podSelector"], pods)):
                        yield f"{title(policy)}: the peer does not listen on {port}"


def _peers(policy: Object, peers: Iterable[Object], pods: Sequence[Workload]) -> Iterator[str]:
    for peer in peers:
        if "podSelector" in peer and not picked(peer["podSelector"], pods):
            yield f"{title(policy)} names a peer that does not exist: {peer['podSelector']}"


def _tcp(rule: Object) -> list[int | str]:
    return [port["port"] for port in rule.get("ports", []) if port.get("protocol") == "TCP"]


def _keys(objects: Sequence[Object], pods: Sequence[Workload]) -> Iterator[str]:
    config = {each["metadata"]["name"]: set(each.get("data", {})) for each in of_kind(objects, "ConfigMap")}
    secrets = {each["metadata"]["name"]: set(each.get("data", {})) for each in of_kind(objects, "Secret")}
    used = set()
    for pod in pods:
        for kind, name, key in _uses(pod):
            known = (config if kind == "ConfigMap" else secrets).get(name)
            used.add((kind, name))
            if name in GIVEN_BY_KUBERNETES:
                continue
            if known is None:
                yield f"{title(pod.thing)} uses {kind}/{name}, which does not exist"
            elif key is not None and key not in known:
                yield f"{title(pod.thing)} uses the key {key} of {kind}/{name}, which does not exist"
    for name in config:
        if ("ConfigMap", name) not in used:
            yield f"ConfigMap/{name} is not used"


def _uses(pod: Workload) -> Iterator[tuple[str, str, str | None]]:
    for container in pod.containers:
        for source in container.get("envFrom", []):
            yield "ConfigMap", source["configMapRef"]["name"], None
        for variable in container.get("env", []):
            reference = variable.get("valueFrom", {}).get("secretKeyRef")
            if reference:
                yield "Secret", reference["name"], reference["key"]
    for volume in pod.spec.get("volumes", []):
        for source in (volume, *volume.get("projected", {}).get("sources", [])):
            if "configMap" in source:
                yield "ConfigMap", source["configMap"]["name"], None
            if "secret" in source:
                yield "Secret", source["secret"]["secretName"], None
    mounted = {mount["name"] for container in pod.containers for mount in container.get("volumeMounts", [])}
    if mounted != {volume["name"] for volume in pod.spec.get("volumes", [])}:
        raise AssertionError(f"{title(pod.thing)}: volumes and their mounts differ")


def _accounts(objects: Sequence[Object], pods: Sequence[Workload]) -> Iterator[str]:
    accounts = {each["metadata"]["name"] for each in of_kind(objects, "ServiceAccount")}
    roles = {(each["kind"], each["metadata"]["name"]) for each in of_kind(objects, "Role", "ClusterRole")}
    for pod in pods:
        if pod.spec.get("serviceAccountName") not in accounts:
            yield f"{title(pod.thing)} has no service account of its own"
    for binding in of_kind(objects, "RoleBinding", "ClusterRoleBinding"):
        if (binding["roleRef"]["kind"], binding["roleRef"]["name"]) not in roles:
            yield f"{title(binding)} binds a role that does not exist"
        for subject in binding["subjects"]:
            if subject["name"] not in accounts or not subject.get("namespace"):
                yield f"{title(binding)} binds {subject}, which does not exist"


def _ways_in(objects: Sequence[Object]) -> Iterator[str]:
    services = {each["metadata"]["name"]: each["spec"]["ports"] for each in of_kind(objects, "Service")}
    backends: list[tuple[Object, str, int | str]] = []
    for ingress in of_kind(objects, "Ingress"):
        for rule in ingress["spec"]["rules"]:
            found = [path["backend"]["service"] for path in rule["http"]["paths"]]
            backends += [(ingress, each["name"], next(iter(each["port"].values()))) for each in found]
    listeners = {
        (each["metadata"]["name"], listener["name"]): listener.get("hostname")
        for each in of_kind(objects, "Gateway")
        for listener in each["spec"]["listeners"]
    }
    for route in of_kind(objects, "HTTPRoute"):
        for parent in route["spec"]["parentRefs"]:
            names = {name for name in listeners if parent.get("sectionName", name[1]) == name[1]}
            if parent["name"] not in {gateway for gateway, _ in names}:
                yield f"{title(route)} refers to a gateway that does not exist"
            if {listeners[name] for name in names} != set(route["spec"]["hostnames"]):
                yield f"{title(route)} has other hosts than its gateway"
        found = [each for rule in route["spec"]["rules"] for each in rule.get("backendRefs", [])]
        backends += [(route, each["name"], each["port"]) for each in found]
    for thing, name, port in backends:
        if not any(port in (known["port"], known["name"]) for known in services.get(name, [])):
            yield f"{title(thing)} routes to {name}:{port}, which does not exist"


def _routers(objects: Sequence[Object], pods: Sequence[Workload]) -> Iterator[str]:
    """The routers' settings: one name that resolves to every matchmaker, and the number of proxies in front of them."""
    (settings,) = (
        each["data"] for each in of_kind(objects, "ConfigMap") if "PIXELFLEET_ROUTER_MATCHMAKER" in each["data"]
    )
    url = urlsplit(settings["PIXELFLEET_ROUTER_MATCHMAKER"])
    services = {each["metadata"]["name"]: each["spec"] for each in of_kind(objects, "Service")}
    found = services.get(url.hostname or "", {})
    if found.get("clusterIP") != "None":
        yield f"{url.hostname} does not resolve to each matchmaker"
    elif not all(url.port in pod.port_numbers() for pod in picked({"matchLabels": found["selector"]}, pods)):
        yield f"no matchmaker listens on {url.port}"
    has_proxy = any(of_kind(objects, "Ingress", "Gateway"))
    if has_proxy is not (int(settings.get("PIXELFLEET_ROUTER_TRUSTED_PROXIES", "0")) > 0):
        yield "routers take the proxy in front of them for a player, or players for a proxy"


def _scaling(objects: Sequence[Object], pods: Sequence[Workload]) -> Iterator[str]:
    by_name = {(pod.thing["kind"], pod.name): pod for pod in pods}
    services = {each["metadata"]["name"] for each in of_kind(objects, "Service")}
    scaled: list[tuple[str, str]] = []
    for scaler in of_kind(objects, "HorizontalPodAutoscaler", "ScaledObject"):
        target = (scaler["spec"]["scaleTargetRef"]["kind"], scaler["spec"]["scaleTargetRef"]["name"])
        scaled.append(target)
        if target not in by_name:
            yield f"{title(scaler)} scales a target that does not exist"
        elif "replicas" in by_name[target].thing["spec"]:
            yield f"{title(scaler)}: its target sets replicas, so applying it again would reset the scaling"
        for described in _described(scaler):
            if described["kind"] != "Service" or described["name"] not in services:
                yield f"{title(scaler)} reads {described}, which does not exist"
    for target, times in Counter(scaled).items():
        if times > 1:
            yield f"{target} has {times} autoscalers"


def _described(scaler: Object) -> list[Any]:
    return [each["object"]["describedObject"] for each in scaler["spec"].get("metrics", []) if each["type"] == "Object"]


def _scraping(objects: Sequence[Object], pods: Sequence[Workload]) -> Iterator[str]:
    for pod in pods:
        annotations = pod.template["metadata"].get("annotations", {})
        numbers = {
            port["containerPort"]
            for each in pod.containers
            for port in each.get("ports", [])
            if port["name"] == "metrics"
        }
        annotated = {int(annotations["prometheus.io/port"])} if "prometheus.io/port" in annotations else set()
        if numbers != annotated:
            yield f"{title(pod.thing)}: the port of its metrics is {numbers}, and its annotation has {annotated}"
        service = pod.labels["app.kubernetes.io/component"]
        if annotated and pod.thing["kind"] != "DaemonSet" and service not in _names_of(objects, "Service"):
            yield f"{title(pod.thing)}: its component {service} is not a Service, by which the adapter finds its series"
    for monitor in of_kind(objects, "PodMonitor"):
        found = picked(monitor["spec"]["selector"], pods)
        ports = {endpoint["port"] for endpoint in monitor["spec"]["podMetricsEndpoints"]}
        if not found or ports != {"metrics"}:
            yield f"{title(monitor)} selects no pod"


def _names_of(objects: Sequence[Object], kind: str) -> set[str]:
    return {each["metadata"]["name"] for each in of_kind(objects, kind)}
