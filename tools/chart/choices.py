"""The choices of the chart: each is a condition in its templates, and the values of `configure` that render it.

A choice without `over` is compared with BASE alone. Its difference is what the templates contain under its condition.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

NAMESPACE: Final = "chart-namespace"
APPLICATION: Final = "chart-application"
"""The name of the application in the choice `named`."""

USERS: Final = "ada:$apr1$rA8yVbN4$k0Hnb6BNRrq3UKlCMJ9wp1"

BASE: Final[Mapping[str, str]] = {
    "NAMESPACE": NAMESPACE,
    "REPO": "chart.example/own",
    "IMAGE_TAG": "chart-tag",
    "UNREAL_IMAGE_NAME": "chart-game",
    "UNREAL_IMAGE_TAG": "chart-tag",
    "INGRESS_HOST": "chart-host.example",
    "TRUSTED_PROXIES": "13",
    "TURN_PORT": "23478",
    "TURN_METRICS_PORT": "29641",
    "TURN_RELAY_PORTS": "41000-51999",
    "TURN_NODE_ADDRESS": "internal",
    "POD_NETWORK": "10.77.0.0/16",
    "STREAMS_MIN": "31",
    "STREAMS_MAX": "977",
    "KUBERNETES": "1.35",
    "AUTOSCALING": "none",
}
"""Values that occur nowhere else in the manifests, so that the generator finds where each of them ends up."""

OPTIONAL: Final = ("ingress", "gateway", "gateway-tls", "hpa-services", "image-pull")
"""Components that `configure` always adds, and that the chart leaves to a choice."""

_OLDER: Final = '(not (semverCompare ">=1.35-0" $root.Capabilities.KubeVersion.Version))'
_GATEWAY: Final = "(and $root.Values.ingress.enabled $root.Values.ingress.gatewayClassName)"
_INGRESS: Final = "(and $root.Values.ingress.enabled (not $root.Values.ingress.gatewayClassName))"
_ISSUER: Final = "$root.Values.ingress.tls.issuer"
_OF_NAMESPACE: Final = '(eq $root.Values.ingress.tls.issuerKind "Issuer")'


_NAMED: Final = {"APPS": APPLICATION, "CHART_APPLICATION_IMAGE": "chart.example/own/chart-game:chart-tag"}


@dataclass(frozen=True)
class Choice:
    """One condition of the templates."""

    name: str
    when: str
    """The condition, an operand of Go's templates: a value, or a call in parentheses. That of `over` must hold, too."""
    values: Mapping[str, str] = field(default_factory=dict)
    """The values of `configure` that differ from those of `over` or BASE."""
    over: str = ""
    """The choice that this one refines, and with which it is compared."""
    keeps: str = ""
    """The component of OPTIONAL that belongs to it."""
    adds: str = ""
    """A component that `configure` never adds."""
    branding: bool = False


CHOICES: Final = (
    Choice("ingress", _INGRESS, keeps="ingress"),
    Choice("class", "$root.Values.ingress.className", {"INGRESS_CLASS": "chart-class"}, over="ingress"),
    Choice("tls", _ISSUER, {"INGRESS_TLS_ISSUER": "chart-issuer"}, over="ingress"),
    Choice("issuer", _OF_NAMESPACE, {"INGRESS_TLS_ISSUER_KIND": "Issuer"}, over="tls"),
    Choice("gateway", _GATEWAY, {"GATEWAY_CLASS": "chart-gateway"}, keeps="gateway"),
    Choice("gateway tls", _ISSUER, {"INGRESS_TLS_ISSUER": "chart-issuer"}, "gateway", "gateway-tls"),
    Choice("gateway issuer", _OF_NAMESPACE, {"INGRESS_TLS_ISSUER_KIND": "Issuer"}, over="gateway tls"),
    Choice("path", "$root.Values.ingress.path", {"INGRESS_PATH": "/chart-path"}),
    Choice("services", "$root.Values.autoscaling.services", keeps="hpa-services"),
    Choice("image pull", "$root.Values.imagePull", keeps="image-pull"),
    Choice("registry", "$root.Values.imagePullSecrets", {"REPO_SECRET": "chart-secret"}),
    Choice("registry of image pull", "$root.Values.imagePullSecrets", {"REPO_SECRET": "chart-secret"}, "image pull"),
    Choice("nodes", '(eq $root.Values.turn.nodeAddress "external")', {"TURN_NODE_ADDRESS": "external"}),
    Choice("monitor", '(eq $root.Values.monitoring.kind "podmonitor")', {"MONITORING": "podmonitor"}),
    Choice("redis", "(not $root.Values.redis.bundled)", {"REDIS_URL": "redis://chart-redis:6379/0"}),
    Choice("proxy", "$root.Values.users.proxy", {"PROXY_ENABLE": "true", "PROXY_AUTH_USERS": USERS}),
    Choice("dashboard", "$root.Values.users.dashboard", {"DASHBOARD_ENABLE": "true", "PROXY_AUTH_USERS": USERS}),
    Choice(
        "tokens",
        '(eq $root.Values.players.auth "jwt")',
        {"PLAYER_AUTH": "jwt", "JWT_ISSUER": "https://chart-issuer.example/", "JWT_AUDIENCE": "chart-audience"},
    ),
    Choice("links", '(eq $root.Values.players.auth "link")', {"PLAYER_AUTH": "link"}),
    Choice("labels", '(ne (join "," $root.Values.players.labels) "region,version")', {"PLAYER_LABELS": "chart-label"}),
    Choice("branding", "$root.Values.branding", branding=True),
    Choice(
        "no marks", '(not (semverCompare ">=1.30-0" $root.Capabilities.KubeVersion.Version))', {"KUBERNETES": "1.29"}
    ),
    Choice("hpa", '(eq $root.Values.autoscaling.kind "hpa")', {"AUTOSCALING": "hpa"}),
    Choice("hpa older", _OLDER, {"KUBERNETES": "1.34"}, over="hpa"),
    Choice("ratio", '(eq $root.Values.autoscaling.kind "hpa-ratio")', {"AUTOSCALING": "hpa-ratio"}),
    Choice("keda", '(eq $root.Values.autoscaling.kind "keda")', {"AUTOSCALING": "keda"}),
    Choice("keda older", _OLDER, {"KUBERNETES": "1.34"}, over="keda"),
    Choice("test streamer", "$app.testStreamer", adds="test-streamer"),
    Choice("share", '(eq $app.gpu "share")', {"GPU": "share"}),
    Choice("mig", '(hasPrefix "mig-" $app.gpu)', {"GPU": "mig-chart"}),
    Choice("arguments", "$app.args", {"UNREAL_ARGS": "-chart-argument"}),
    Choice("named", "$app.name", _NAMED),
    Choice("image pull of named", "$app.name", _NAMED, over="image pull"),
)

COVERED_OTHERWISE: Final[Mapping[str, str]] = {
    "fresh-app": "not in the chart",
    "fresh-pod": "not in the chart",
    "registry-secret": "the choice `registry` names any secrets",
}
"""Components of the manifests that are in no choice, with the reason."""
