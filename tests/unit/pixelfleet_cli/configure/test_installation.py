import json
from typing import Any

import pytest

from pixelfleet_cli.configure.installation import (
    LAST_APPLIED,
    labels_of,
    left_over,
    selector_of,
    title,
    used_by,
    without_replicas,
)


def thing(kind: str, name: str, api_version: str = "v1", **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, **metadata}}


def test_a_selector_has_all_labels() -> None:
    assert selector_of(labels_of("pixel")) == ("app.kubernetes.io/part-of=pixelfleet,app.kubernetes.io/instance=pixel")


@pytest.mark.parametrize(
    ("kind", "api_version", "written"),
    [
        ("Secret", "v1", "secret/a"),
        ("Deployment", "apps/v1", "deployment.apps/a"),
        ("ScaledObject", "keda.sh/v1alpha1", "scaledobject.keda.sh/a"),
        ("Gateway", "gateway.networking.k8s.io/v1", "gateway.gateway.networking.k8s.io/a"),
    ],
)
def test_a_title_is_what_kubectl_prints(kind: str, api_version: str, written: str) -> None:
    assert title(thing(kind, "a", api_version)) == written


def test_what_is_not_wanted_and_has_no_owner_is_left_over() -> None:
    wanted, old = thing("Secret", "new"), thing("Secret", "old")
    owned = thing("Secret", "owned", ownerReferences=[{"kind": "ScaledObject"}])
    assert left_over([wanted, old, owned], {"secret/new"}) == [old]


def test_a_pod_uses_what_its_containers_and_volumes_name() -> None:
    env = [
        {"name": "A", "value": "a"},
        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "key", "key": "a"}}},
        {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "setting", "key": "a"}}},
    ]
    sources = [{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "secrets"}}]
    volumes = [
        {"name": "a", "secret": {"secretName": "mounted"}},
        {"name": "b", "configMap": {"name": "files"}},
        {"name": "c", "projected": {"sources": [{"configMap": {"name": "projected"}}]}},
        {"name": "d", "emptyDir": {}},
    ]
    spec = {"initContainers": [{"env": env}], "containers": [{"envFrom": sources}], "volumes": volumes}
    assert used_by([{"spec": spec}]) == {
        "secret/key",
        "secret/secrets",
        "secret/mounted",
        "configmap/setting",
        "configmap/settings",
        "configmap/files",
        "configmap/projected",
    }


def test_only_an_applied_number_is_removed() -> None:
    applied: dict[str, Any] = {"metadata": {"name": "stream"}, "spec": {"replicas": 0, "paused": False}}
    found = without_replicas(thing("Deployment", "stream", annotations={LAST_APPLIED: json.dumps(applied)}))
    assert found is not None
    assert json.loads(found) == {"metadata": {"name": "stream"}, "spec": {"paused": False}}
    del applied["spec"]["replicas"]
    assert without_replicas(thing("Deployment", "stream", annotations={LAST_APPLIED: json.dumps(applied)})) is None
    assert without_replicas(thing("Deployment", "stream", annotations={})) is None
    assert without_replicas(thing("Deployment", "stream")) is None
