"""The files of the chart that are made of the manifests."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from tools.chart.choices import CHOICES
from tools.chart.differences import Document, documents_of
from tools.chart.expressions import OF_APPLICATIONS
from tools.chart.renderings import K8S, lineage, rendering
from tools.chart.text import data_of, lines_of

CHART: Final = K8S / "chart"

HEAD: Final = "{{- /* Made of the manifests in k8s/ by `make manifests ARGS=--write`, which overwrites it. */}}"
EACH: Final = '{{- range $app := include "pixelfleet.streams" $root | fromJsonArray }}'
CONFIG: Final = "_config.tpl"

_KINDS: Final = {
    "NetworkPolicy": "network-policies",
    "Ingress": "ingress",
    "Gateway": "ingress",
    "HTTPRoute": "ingress",
    "PodMonitor": "pod-monitor",
}
_NAMES: Final = {
    "matchmaker": "matchmaker",
    "matchmakers": "matchmaker",
    "router": "router",
    "turn-api": "turn-api",
    "pixelfleet-node-addresses": "turn-api",
    "turn": "turn",
    "turn-config": "turn",
    "redis": "redis",
    "stream": "stream",
    "signalserver": "stream",
    "pixelfleet-pod-marks": "stream",
}
"""The file of each object, by its kind or else by its name."""


def templates() -> dict[str, str]:
    """Return the text of each template by its name; kustomize renders all choices for it, which takes seconds."""
    names = ["", *(choice.name for choice in CHOICES)]
    with ThreadPoolExecutor() as pool:
        renderings = dict(zip(names, pool.map(rendering, names), strict=True))
    documents = documents_of(renderings, CHOICES, lineage)
    grouped: dict[str, list[Document]] = {}
    for each in documents:
        grouped.setdefault(_file_of(each), []).append(each)
    files = {name: _template(name, group) for name, group in grouped.items()}
    configs = [each for each in documents if each.title.startswith("ConfigMap/")]
    return {CONFIG: _joined([HEAD, *(line for each in configs for line in _definition(each))]), **files}


def _file_of(document: Document) -> str:
    if document.title in OF_APPLICATIONS:
        return "applications.yaml"
    kind, _, name = document.title.partition("/")
    return f"{_KINDS.get(kind) or _NAMES[name.removesuffix('-chart-namespace')]}.yaml"


def _template(name: str, documents: list[Document]) -> str:
    body = lines_of(documents)
    if name == "applications.yaml":
        body = [EACH, *body, "{{- end }}"]
    return _joined([HEAD, "{{- $root := . }}", *body])


def _definition(document: Document) -> list[str]:
    name = document.title.partition("/")[2]
    return [
        f'{{{{- define "pixelfleet.config.{name}" }}}}',
        "{{- $root := .root }}",
        *(["{{- $app := .app }}"] if document.title in OF_APPLICATIONS else []),
        *data_of(document),
        "{{- end }}",
    ]


def _joined(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
