"""Two installations in one cluster, and namespaces with limits and with Pod Security Standards."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from pixelfleet_cli.configure.turn import MIN_RELAY_PORTS
from tests.manifests.environment import environment
from tests.manifests.pods import Workload, of_kind, title, workloads
from tests.manifests.references import CLUSTER_WIDE
from tests.manifests.rendering import LEAST, RENDERINGS, Object, configured, objects, rendered, require_kubectl

PORTS: Final = {"TURN_PORT": "3578", "TURN_RELAY_PORTS": "40000-49151", "TURN_METRICS_PORT": "9741"}

MOST_RATIO: Final = 10
"""The limit of a container is at most this multiple of its request, which a LimitRange may bound."""


@pytest.fixture(autouse=True)
def _kubectl() -> None:
    require_kubectl()


@pytest.fixture
def neighbours(tmp_path: Path) -> tuple[list[Object], list[Object]]:
    """Return two installations in one cluster."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    one = configured(first, {**LEAST, "NAMESPACE": "one"})
    return objects(one), objects(configured(second, {**LEAST, "NAMESPACE": "two", **PORTS}))


def turn(found: Sequence[Object]) -> Workload:
    (pod,) = (each for each in workloads(found) if each.name == "turn")
    return pod


def test_two_installations_share_no_object(neighbours: tuple[list[Object], list[Object]]) -> None:
    one, two = ({title(each) for each in found if each["kind"] in CLUSTER_WIDE} for found in neighbours)
    assert len(one) == len(two) == 4
    assert one.isdisjoint(two)
    for found, namespace in zip(neighbours, ("one", "two"), strict=True):
        assert {each["metadata"].get("namespace", namespace) for each in found} == {namespace}


def test_two_installations_may_have_turn_servers_on_the_same_nodes(
    neighbours: tuple[list[Object], list[Object]],
) -> None:
    used: list[set[int]] = []
    for found in neighbours:
        (container,) = turn(found).containers
        environ = environment(container, found)
        ports = {each["name"]: each for each in container["ports"]}
        assert all(each["containerPort"] == each["hostPort"] for each in ports.values())
        assert ports["turn-udp"]["hostPort"] == ports["turn-tcp"]["hostPort"] == int(environ["TURN_PORT"])
        assert ports["metrics"]["hostPort"] == int(environ["METRICS_PORT"])
        assert turn(found).template["metadata"]["annotations"]["prometheus.io/port"] == environ["METRICS_PORT"]
        relays = range(int(environ["RELAYS_FIRST"]), int(environ["RELAYS_LAST"]) + 1)
        assert len(relays) >= MIN_RELAY_PORTS
        used.append({each["hostPort"] for each in ports.values()} | set(relays))
    assert used[0].isdisjoint(used[1])


def test_streamers_may_reach_the_turn_servers_at_their_port(neighbours: tuple[list[Object], list[Object]]) -> None:
    for found, port in zip(neighbours, (3478, 3578), strict=True):
        (policy,) = (each for each in of_kind(found, "NetworkPolicy") if each["metadata"]["name"] == "stream")
        open_ports = [each for rule in policy["spec"]["egress"] for each in rule["ports"]]
        assert {"protocol": "TCP", "port": port} in open_ports


def test_turn_api_watches_the_turn_servers_of_its_own_namespace() -> None:
    for name in RENDERINGS:
        found = rendered(name)
        (api,) = (each for each in workloads(found) if each.name == "turn-api")
        environ = environment(api.containers[0], found)
        labels = dict(pair.split("=") for pair in environ["PIXELFLEET_TURN_API_POD_LABEL"].split(","))
        assert labels.items() <= turn(found).labels.items()
        (variable,) = (each for each in api.containers[0]["env"] if each["name"].endswith("POD_NAMESPACE"))
        assert variable["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.namespace"}}
        external = environ["PIXELFLEET_TURN_API_NODE_ADDRESS"] == "external"
        assert any(of_kind(found, "ClusterRole")) is external, "only external addresses need a cluster-wide right"


def test_a_turn_server_runs_where_the_label_has_the_value_that_turn_api_requests() -> None:
    found = rendered("configure least")
    affinity = turn(found).spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    (term,) = affinity["nodeSelectorTerms"]
    assert term["matchExpressions"] == [{"key": "app.pixel/turn", "operator": "In", "values": ["true"]}]
    (api,) = (each for each in workloads(found) if each.name == "turn-api")
    assert environment(api.containers[0], found)["PIXELFLEET_TURN_API_NODE_LABEL"] == "app.pixel/turn=true"


@pytest.mark.parametrize("name", RENDERINGS)
def test_a_limit_range_admits_every_container(name: str) -> None:
    for pod in workloads(rendered(name)):
        for container in pod.containers:
            requests, limits = container["resources"]["requests"], container["resources"]["limits"]
            where = f"{title(pod.thing)}/{container['name']}"
            assert _cores(requests["cpu"]) >= 0.01, where
            assert _bytes(requests["memory"]) >= 16 * 2**20, where
            assert _cores(limits["cpu"]) <= MOST_RATIO * _cores(requests["cpu"]), where
            assert _bytes(limits["memory"]) <= MOST_RATIO * _bytes(requests["memory"]), where


def _cores(quantity: str) -> float:
    return float(quantity.removesuffix("m")) / (1000 if quantity.endswith("m") else 1)


def _bytes(quantity: str) -> int:
    return int(quantity[:-2]) * {"Mi": 2**20, "Gi": 2**30}[quantity[-2:]]


@pytest.mark.parametrize("name", RENDERINGS)
def test_only_turn_needs_a_namespace_that_admits_privileged_pods(name: str) -> None:
    found = {pod.name: list(_not_restricted(pod)) for pod in workloads(rendered(name))}
    assert found.pop("turn") == ["host network", "host ports"]
    assert set(map(tuple, found.values())) == {()}


def _not_restricted(pod: Workload) -> Iterator[str]:
    """Yield what the Pod Security Standard `restricted` does not admit."""
    if pod.spec.get("hostNetwork"):
        yield "host network"
    if any("hostPort" in port for container in pod.containers for port in container.get("ports", [])):
        yield "host ports"
    if any("hostPath" in volume for volume in pod.spec.get("volumes", [])):
        yield "host paths"
    for container in pod.containers:
        security = {**pod.spec.get("securityContext", {}), **container.get("securityContext", {})}
        capabilities = security.get("capabilities", {})
        confined = security.get("seccompProfile", {}).get("type") in ("RuntimeDefault", "Localhost")
        if not (
            security.get("runAsNonRoot") is True
            and security.get("allowPrivilegeEscalation") is False
            and "ALL" in capabilities.get("drop", [])
            and set(capabilities.get("add", [])) <= {"NET_BIND_SERVICE"}
            and confined
        ):
            yield f"security context of {container['name']}"
