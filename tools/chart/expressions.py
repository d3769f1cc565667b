"""Where the values of the chart go: the expressions of its templates in place of rendered values. No I/O."""

import json
from collections.abc import Mapping
from typing import Any, Final

from pixelfleet.service.version import VERSION
from tools.chart.choices import APPLICATION, NAMESPACE

Path = tuple[str, ...]

OF_APPLICATIONS: Final = (
    "Deployment/stream",
    "PodDisruptionBudget/stream",
    "ConfigMap/signalserver",
    "ConfigMap/streamer",
    "HorizontalPodAutoscaler/stream",
    "ScaledObject/stream",
    "ServiceAccount/image-pull",
    "DaemonSet/image-pull",
)
"""Objects of which each version of an application has its own, with a suffix of its name."""

_SUFFIXED: Final = ("stream", "signalserver", "streamer", "image-pull")
_REFERENCES: Final = (("metadata", "name"), ("configMapRef", "name"), ("scaleTargetRef", "name"))

PODS: Final[Mapping[str, str]] = {
    "Deployment/stream": "$app",
    "DaemonSet/image-pull": "$app",
    "Deployment/matchmaker": "$root.Values.pods.matchmaker",
    "Deployment/router": "$root.Values.pods.router",
    "Deployment/turn-api": "$root.Values.pods.turnApi",
    "DaemonSet/turn": "$root.Values.pods.turn",
    "StatefulSet/redis": "$root.Values.pods.redis",
}
"""The value with annotations, labels, nodeSelector and tolerations of each workload's pods."""

CONTAINERS: Final[Mapping[str, str]] = {
    "streamer": "$app",
    **{name: f"$root.Values.pods.{name}" for name in ("signalserver", "matchmaker", "router", "turn", "redis")},
    "turn-api": "$root.Values.pods.turnApi",
}
"""The value with the resources of each container."""

WHOLE: Final[Mapping[Any, str]] = {
    "chart.example/own/pixelfleet:chart-tag": '{{ include "pixelfleet.image" $root | quote }}',
    "chart.example/own/chart-game:chart-tag": "{{ $app.image | quote }}",
    f"pixelfleet-streamer:{VERSION}": '{{ include "pixelfleet.streamerImage" $root | quote }}',
    "chart-host.example": "{{ $root.Values.ingress.host | quote }}",
    "13": "{{ $root.Values.ingress.trustedProxies | quote }}",
    "chart-class": "{{ $root.Values.ingress.className | quote }}",
    "chart-gateway": "{{ $root.Values.ingress.gatewayClassName | quote }}",
    "chart-issuer": "{{ $root.Values.ingress.tls.issuer | quote }}",
    "/chart-path": "{{ $root.Values.ingress.path | quote }}",
    "https://chart-issuer.example/": "{{ $root.Values.players.jwt.issuer | quote }}",
    "chart-audience": '{{ join "," $root.Values.players.jwt.audience | quote }}',
    "chart-label": '{{ join "," $root.Values.players.labels | quote }}',
    23478: "{{ int $root.Values.turn.port }}",
    "23478": "{{ int $root.Values.turn.port | quote }}",
    29641: "{{ int $root.Values.turn.metricsPort }}",
    "29641": "{{ int $root.Values.turn.metricsPort | quote }}",
    "41000": "{{ int $root.Values.turn.relayPorts.first | quote }}",
    "51999": "{{ int $root.Values.turn.relayPorts.last | quote }}",
    "10.77.0.0": '{{ include "pixelfleet.firstAddress" $root.Values.turn.podNetwork | quote }}',
    "10.77.255.255": '{{ include "pixelfleet.lastAddress" $root.Values.turn.podNetwork | quote }}',
    31: "{{ int $app.min }}",
    977: "{{ int $app.max }}",
    APPLICATION: "{{ $app.name | quote }}",
}
"""Expressions by the value of BASE or of a choice that they replace, wherever it is."""

AT: Final[Mapping[tuple[str, str], str]] = {
    (
        "ConfigMap/matchmaker",
        "PIXELFLEET_MATCHMAKER_APP",
    ): '{{ (include "pixelfleet.streams" $root | fromJsonArray | first).app | quote }}',
    ("ConfigMap/matchmaker", "PIXELFLEET_MATCHMAKER_WARM"): '{{ include "pixelfleet.warm" $root | quote }}',
    ("ConfigMap/signalserver", "PIXELFLEET_SIGNALSERVER_APP"): "{{ $app.app | quote }}",
    ("ConfigMap/signalserver", "PIXELFLEET_SIGNALSERVER_LABELS"): "{{ $app.labels | toJson | quote }}",
    ("Ingress/pixelfleet", "path"): '{{ $root.Values.ingress.path | default "/" | quote }}',
    ("HTTPRoute/pixelfleet", "value"): '{{ $root.Values.ingress.path | default "/" | quote }}',
    ("NetworkPolicy/token-issuer", "port"): '{{ include "pixelfleet.issuerPort" $root }}',
    (
        "NetworkPolicy/prometheus",
        "values",
    ): "{{ $root.Values.monitoring.namespaces | default (list DEFAULT) | toJson }}",
    ("HorizontalPodAutoscaler/stream", "app"): "{{ $app.app | quote }}",
    ("HorizontalPodAutoscaler/stream", "averageValue"): '{{ include "pixelfleet.averageValue" $app | quote }}',
    ("ScaledObject/stream", "query"): '{{ include "pixelfleet.query" (dict "root" $root "app" $app) | quote }}',
    ("ScaledObject/stream", "serverAddress"): "{{ $root.Values.monitoring.prometheus | default DEFAULT | quote }}",
}
"""Expressions by object and last key. DEFAULT is the rendered value."""

IMAGES: Final = ("redis", "turn", "pause")
"""Containers with an image that is not ours, whose rendered name is the default."""


def expression(title: str, path: Path, value: Any) -> str | None:
    """Return the expression in place of a rendered value; None to write that value."""
    if title.startswith("ConfigMap/") and path == ("data",):
        return f'{{{{- include "pixelfleet.config" {config_call(title, title.partition("/")[2])} | nindent 2 }}}}'
    if path[-1:] == ("imagePullSecrets",):
        return '{{ include "pixelfleet.pullSecrets" $root }}'
    if path[-2:] == ("streamer", "args"):
        return "{{ $app.args | toJson }}"
    if found := AT.get((title, path[-1] if path else "")):
        return found.replace("DEFAULT", _literal(value))
    if isinstance(value, dict | list):
        return None
    if _has_suffix(title, path, value):
        return f'{{{{ print "{value}" $app.suffix | quote }}}}'
    if path[-1:] == ("image",) and path[-2] in IMAGES:
        return f"{{{{ $root.Values.images.{path[-2]} | default {_literal(value)} | quote }}}}"
    if path[-3:-2] == ("resources",) and path[-4] in CONTAINERS and path[-1] in ("cpu", "memory"):
        return f'{{{{ dig "resources" "{path[-2]}" "{path[-1]}" {_literal(value)} {CONTAINERS[path[-4]]} | quote }}}}'
    if not isinstance(value, bool) and value in WHOLE:
        return WHOLE[value]
    if isinstance(value, str) and NAMESPACE in value:
        return json.dumps(value).replace(NAMESPACE, "{{ $root.Release.Namespace }}")
    return None


def config_call(title: str, *names: str) -> str:
    """Return the argument of the template's functions for the data of ConfigMaps."""
    app = ' "app" $app' if title in OF_APPLICATIONS else ""
    listed = " ".join(f'"{name}"' for name in names)
    return f'(dict "root" $root{app} "names" (list {listed}))'


def key_of(key: str) -> str:
    """Return a key of a mapping, with the expression for the profile of a GPU's slice."""
    return key.replace("mig-chart", "{{ $app.gpu }}")


def _has_suffix(title: str, path: Path, value: Any) -> bool:
    if title not in OF_APPLICATIONS or value not in _SUFFIXED:
        return False
    return path[-2:] in _REFERENCES or (path[-1] == "serviceAccountName" and value == "image-pull")


def _literal(value: Any) -> str:
    """Return a value as an operand, and a list as several operands."""
    return " ".join(map(json.dumps, value)) if isinstance(value, list) else json.dumps(value)
