"""Renders the manifests once for each choice, with kustomize and the overlays of `pixelfleet configure`."""

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from pixelfleet_cli.configure.kubectl import render
from pixelfleet_cli.configure.overlay import overlay_files
from pixelfleet_cli.configure.secret_values import secret_files, secrets_of
from pixelfleet_cli.configure.values import ONLY_WITHOUT_APPS, checked
from tools.chart.choices import APPLICATION, BASE, CHOICES, OPTIONAL, Choice

ROOT: Final = Path(__file__).parents[2]
K8S: Final = ROOT / "k8s"

Object = dict[str, Any]
Rendering = Mapping[str, Object]
"""The objects by their title, such as `Deployment/stream`, without those that the chart's own templates make."""

_BY_NAME: Final = {choice.name: choice for choice in CHOICES}
_HASH: Final = re.compile(r"(?P<name>.+)-[a-z0-9]{10}")
_SUFFIX: Final = f"-{APPLICATION}"


def lineage(name: str) -> list[Choice]:
    """Return a choice and all that it refines, the most special first."""
    found = []
    while name:
        found.append(_BY_NAME[name])
        name = found[-1].over
    return found


def rendering(name: str) -> Rendering:
    """Return the objects of a choice; those of BASE for an empty name."""
    values = _values(name)
    with tempfile.TemporaryDirectory() as folder:
        overlay = Path(folder).resolve()
        texts = {path: json.dumps(document) for path, document in _overlay(name, values, overlay).items()}
        texts |= secret_files(values, secrets_of(values, {}, lambda: "0" * 32)) | {"branding/branding.json": "{}"}
        return _normalized(kustomized(overlay, texts))


def kustomized(folder: Path, texts: Mapping[str, str]) -> Iterator[Object | None]:
    """Write the files of a kustomization into a folder; return the objects that kustomize renders."""
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    rendered: Iterator[Object | None] = yaml.load_all(render(folder), Loader=yaml.CSafeLoader)
    return rendered


def components_of(name: str) -> set[str]:
    """Return the names of the components with which a choice is rendered."""
    documents = _overlay(name, _values(name), K8S / "overlay").values()
    found = {path.rpartition("/")[2] for document in documents for path in document["components"]}
    return found | ({"gateway"} if "gateway-tls" in found else set())


def _values(name: str) -> dict[str, str]:
    environ: dict[str, str] = dict(BASE)
    for choice in reversed(lineage(name)):
        environ |= choice.values
    if "APPS" in environ:
        environ = {key: value for key, value in environ.items() if key not in ONLY_WITHOUT_APPS}
    return checked(environ, {})


def _overlay(name: str, values: Mapping[str, str], overlay: Path) -> dict[str, dict[str, Any]]:
    """Return the kustomizations with the components of OPTIONAL that a choice keeps, and those that it adds."""
    choices = lineage(name)
    kept, added = {choice.keeps for choice in choices}, [choice.adds for choice in choices if choice.adds]
    branding = ["branding.json"] if any(choice.branding for choice in choices) else []
    files = overlay_files(values, os.path.relpath(K8S, overlay), branding)
    documents = {path: yaml.load(text, Loader=yaml.CSafeLoader) for path, text in files.items()}
    for document in documents.values():
        folder = document["components"][0].rpartition("/")[0]
        components = [each for each in document["components"] if _is_chosen(each.rpartition("/")[2], kept)]
        document["components"] = components + [f"{folder}/{each}" for each in added]
    return documents


def _is_chosen(component: str, kept: set[str]) -> bool:
    return component not in OPTIONAL or component in kept


def _normalized(objects: Iterable[Object | None]) -> Rendering:
    """Return the objects by title, without an application's suffix in their names and references."""
    plain = [_translated(each, lambda text: text.removesuffix(_SUFFIX)) for each in unhashed(objects)]
    return {
        f"{each['kind']}/{each['metadata']['name']}": each
        for each in plain
        if each["kind"] != "Secret" and each["metadata"]["name"] != "branding"
    }


def unhashed(objects: Iterable[Object | None]) -> list[Object]:
    """Return objects that kustomize rendered without the hashes in names of ConfigMaps and Secrets."""
    found = [each for each in objects if each]
    named = [each["metadata"]["name"] for each in found if each["kind"] in ("ConfigMap", "Secret")]
    plain = {name: match["name"] for name in named if (match := _HASH.fullmatch(name))}
    return [_translated(each, lambda text: plain.get(text, text)) for each in found]


def _translated(value: Any, translate: Callable[[str], str]) -> Any:
    """Return a copy of a value with another text for each of its texts."""
    if isinstance(value, dict):
        return {key: _translated(each, translate) for key, each in value.items()}
    if isinstance(value, list):
        return [_translated(each, translate) for each in value]
    return translate(value) if isinstance(value, str) else value
