"""Views of rendered objects for the checks: pod templates, their containers, ports and labels."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.manifests.rendering import Object

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


@dataclass(frozen=True)
class Workload:
    """A Deployment, StatefulSet or DaemonSet."""

    thing: Object

    @property
    def name(self) -> str:
        return str(self.thing["metadata"]["name"])

    @property
    def template(self) -> Object:
        template: Object = self.thing["spec"]["template"]
        return template

    @property
    def spec(self) -> Object:
        spec: Object = self.template["spec"]
        return spec

    @property
    def labels(self) -> dict[str, str]:
        labels: dict[str, str] = self.template["metadata"]["labels"]
        return labels

    @property
    def containers(self) -> list[Object]:
        """All containers; the init containers first."""
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    @property
    def running(self) -> list[Object]:
        """The containers that keep running, including sidecars."""
        return [each for each in self.containers if each in self.spec["containers"] or "restartPolicy" in each]

    def port_numbers(self) -> set[int]:
        return {port["containerPort"] for each in self.containers for port in each.get("ports", [])}

    def port_names(self) -> set[str]:
        """Names that Services and policies can use; not every cluster resolves those of a sidecar."""
        return {port["name"] for each in self.spec["containers"] for port in each.get("ports", [])}

    def has_port(self, port: int | str) -> bool:
        return port in self.port_numbers() or port in self.port_names()


def workloads(objects: Iterable[Object]) -> list[Workload]:
    return [Workload(each) for each in objects if each["kind"] in WORKLOADS]


def of_kind(objects: Iterable[Object], *kinds: str) -> Iterator[Object]:
    return (each for each in objects if each["kind"] in kinds)


def title(thing: Object) -> str:
    return f"{thing['kind']}/{thing['metadata']['name']}"


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Return whether a label selector matches these labels."""
    wanted = selector.get("matchLabels", {})
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_holds(expression, labels) for expression in selector.get("matchExpressions", []))


def picked(selector: Mapping[str, Any], all_workloads: Sequence[Workload]) -> list[Workload]:
    return [each for each in all_workloads if matches(selector, each.labels)]


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    if expression["operator"] != "In":
        raise AssertionError(f"the checks do not support the operator {expression['operator']}")
    return labels.get(expression["key"]) in expression["values"]
