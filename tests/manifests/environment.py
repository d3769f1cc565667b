"""The settings of containers, read from their environment as the service reads them."""

import base64
import importlib
from collections.abc import Iterator, Sequence

import pytest

from pixelfleet.service.catalogue import names_of
from pixelfleet.service.settings import ServiceSettings
from pixelfleet_cli.cli import WITH_SETTINGS
from tests.manifests.pods import of_kind, workloads
from tests.manifests.rendering import Object

FIELDS = {
    "status.podIP": "10.244.1.7",
    "metadata.uid": "5d1c1a0e-6b1f-4b4e-9a53-0c6f6f1c1d2e",
    "metadata.name": "stream-7d9f8-x2x4z",
    "metadata.namespace": "pixel",
    "spec.nodeName": "gpu-1.example.internal",
}


def services(objects: Sequence[Object]) -> Iterator[tuple[str, Object, dict[str, str]]]:
    """Yield the containers that run a `pixelfleet` command: the command, the container, its environment."""
    for pod in workloads(objects):
        for container in pod.containers:
            command = container.get("command", [])
            if command[:1] == ["pixelfleet"]:
                yield command[1], container, environment(container, objects)


def environment(container: Object, objects: Sequence[Object]) -> dict[str, str]:
    """Return a container's environment as Kubernetes makes it."""
    data = {(each["kind"], each["metadata"]["name"]): each["data"] for each in of_kind(objects, "ConfigMap", "Secret")}
    environ: dict[str, str] = {}
    for source in container.get("envFrom", []):
        environ |= data["ConfigMap", source["configMapRef"]["name"]]
    for variable in container.get("env", []):
        value = variable.get("value", "")
        for name, known in environ.items():
            value = value.replace(f"$({name})", known)
        origin = variable.get("valueFrom", {})
        if "secretKeyRef" in origin:
            encoded = data["Secret", origin["secretKeyRef"]["name"]][origin["secretKeyRef"]["key"]]
            value = base64.b64decode(encoded).decode()
        elif "fieldRef" in origin:
            value = FIELDS[origin["fieldRef"]["fieldPath"]]
        environ[variable["name"]] = value
    return environ


def unknown_names(command: str, environ: dict[str, str]) -> set[str]:
    """Return variables with a settings prefix that are not settings; the service itself would ignore them."""
    cls = settings_class(command)
    prefix = cls.model_config["env_prefix"]
    known = {f"{prefix}{name.upper()}" for name in names_of(cls)}
    return {name for name in environ if name.startswith("PIXELFLEET_")} - known


def load(command: str, environ: dict[str, str], patch: pytest.MonkeyPatch) -> ServiceSettings:
    """Return the settings of a command in this environment; raises pydantic's error for an invalid value."""
    with patch.context() as context:
        for name, value in environ.items():
            context.setenv(name, value)
        return settings_class(command)()


def settings_class(command: str) -> type[ServiceSettings]:
    """Return the settings class of a command."""
    module = importlib.import_module(f"{WITH_SETTINGS[command].package}.settings")
    cls: type[ServiceSettings] = module.Settings
    return cls
