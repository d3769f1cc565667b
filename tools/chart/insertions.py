"""Lines that the chart adds to rendered objects: what operators add to pods, and checksums. No I/O.

A checksum of what a pod reads restarts it after a change, as the hashed names of kustomize do.
"""

from collections.abc import Iterator
from typing import Any, Final

from tools.chart.expressions import PODS, config_call

Path = tuple[str, ...]

_TEMPLATE: Final = ("spec", "template", "metadata")
_POD: Final = ("spec", "template", "spec")
_UNHASHED: Final = ("router-users", "kube-root-ca.crt")
"""A Secret whose changes routers read without a restart, and a ConfigMap of Kubernetes."""


def insertions(title: str, content: dict[str, Any], path: Path, indent: str) -> Iterator[str]:
    """Yield the lines at the end of the mapping or the list at this path of a rendered object."""
    if title == "Ingress/pixelfleet" and path == ("metadata", "annotations"):
        yield from _entries("$root.Values.ingress.annotations", indent)
    values = PODS.get(title)
    if values is None:
        return
    if path == (*_TEMPLATE, "labels"):
        yield from _entries(f"{values}.{_of(values, 'labels')}", indent)
    elif path == (*_TEMPLATE, "annotations"):
        yield from checksums(title, content, indent)
        yield from _entries(f"{values}.{_of(values, 'annotations')}", indent)
    elif path == _TEMPLATE and "annotations" not in content["spec"]["template"]["metadata"]:
        yield from _annotations(title, content, f"{values}.{_of(values, 'annotations')}", indent)
    elif path == (*_POD, "tolerations"):
        yield from _entries(f"{values}.tolerations", indent)
    elif path == _POD:
        yield from _block("nodeSelector", f"{values}.nodeSelector", indent)
        if "tolerations" not in content["spec"]["template"]["spec"]:
            yield from _block("tolerations", f"{values}.tolerations", indent)


def checksums(title: str, content: dict[str, Any], indent: str) -> Iterator[str]:
    """Yield annotations with the checksums of the ConfigMaps and Secrets that a pod reads."""
    read = sorted(set(_references(content["spec"]["template"]["spec"])))
    configs = [name for kind, name in read if kind == "config"]
    if title == "Deployment/router":
        configs.append("branding")
    secrets = [name for kind, name in read if kind == "secret"]
    if configs:
        yield f'{indent}checksum/config: {{{{ include "pixelfleet.configSum" {config_call(title, *configs)} }}}}'
    if secrets:
        yield f'{indent}checksum/secrets: {{{{ include "pixelfleet.secretSum" {config_call("", *secrets)} }}}}'


def _of(values: str, key: str) -> str:
    """Return the key of an application's value, which has other labels than those of pods, or of another workload."""
    return f"pod{key.title()}" if values == "$app" else key


def _references(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for each in value:
            yield from _references(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key in ("configMapRef", "configMap") and each["name"] not in _UNHASHED:
                yield "config", each["name"]
            elif key == "secretKeyRef":
                yield "secret", each["name"]
            else:
                yield from _references(each)


def _annotations(title: str, content: dict[str, Any], values: str, indent: str) -> Iterator[str]:
    sums = list(checksums(title, content, f"{indent}  "))
    if not sums:
        yield from _block("annotations", values, indent)
        return
    yield f"{indent}annotations:"
    yield from sums
    yield from _entries(values, f"{indent}  ")


def _entries(values: str, indent: str) -> Iterator[str]:
    yield f"{{{{- with {values} }}}}"
    yield f"{{{{- toYaml . | nindent {len(indent)} }}}}"
    yield "{{- end }}"


def _block(key: str, values: str, indent: str) -> Iterator[str]:
    yield f"{{{{- with {values} }}}}"
    yield f"{indent}{key}: {{{{- toYaml . | nindent {len(indent) + 2} }}}}"
    yield "{{- end }}"
