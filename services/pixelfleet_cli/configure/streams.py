"""The streams of an installation: one Deployment with its autoscaler for each version of each application. No I/O."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pixelfleet_cli.configure.images import joined, split
from pixelfleet_cli.configure.patches import Patches, add, remove, replace
from pixelfleet_cli.configure.values import prefix

AUTOSCALERS: Final = {"hpa": ["hpa-stream"], "hpa-ratio": ["hpa-ratio"], "keda": ["keda-stream"], "none": []}
"""The components of each kind of autoscaling."""

EXACT_SINCE: Final = (1, 35)
"""The first Kubernetes whose autoscalers can be told to follow the demand exactly."""

APPLICATION_LABEL: Final = "app.pixel/application"
"""Distinguishes the pods of several applications, in selectors, too."""

WHOLE: Final = 100
MAX_LABEL_LENGTH: Final = 63


@dataclass(frozen=True, slots=True)
class Streams:
    """The pods of one version of an application."""

    app: str
    """The name by which players request it."""
    suffix: str
    """Ends the names of its objects, such as `-game`; empty for the only application without a name."""
    image: str
    gpu: str
    minimum: int
    maximum: int
    percent: int = WHOLE
    """The part of the application's streams that have this version."""
    arguments: str = ""
    labels: str = ""

    @property
    def warm_name(self) -> str:
        """The name of the value with the application's number of warm slots."""
        return f"{prefix(self.app)}WARM" if self.suffix else "STREAMS_WARM"

    @property
    def deployment(self) -> str:
        """The name of the Deployment."""
        return f"stream{self.suffix}"


def streams_of(values: Mapping[str, str]) -> list[Streams]:
    """Return the versions of all applications; one with an empty suffix if APPS is empty."""
    if not values["APPS"]:
        image = joined(f"{values['UNREAL_REPO']}/{values['UNREAL_IMAGE_NAME']}", values["UNREAL_IMAGE_TAG"])
        minimum, maximum = int(values["STREAMS_MIN"]), int(values["STREAMS_MAX"])
        arguments, labels = values["UNREAL_ARGS"], values["UNREAL_LABELS"]
        return [Streams("default", "", image, values["GPU"], minimum, maximum, WHOLE, arguments, labels)]
    return [each for app in values["APPS"].split(",") for each in _versions(values, app)]


def _versions(values: Mapping[str, str], app: str) -> list[Streams]:
    own = {key: values[prefix(app) + key] for key in ("IMAGE", "ARGS", "LABELS", "GPU", "CANARY_IMAGE")}
    minimum, maximum = int(values[f"{prefix(app)}MIN"]), int(values[f"{prefix(app)}MAX"])
    if not own["CANARY_IMAGE"]:
        return [Streams(app, f"-{app}", own["IMAGE"], own["GPU"], minimum, maximum, WHOLE, own["ARGS"], own["LABELS"])]
    percent = int(values[f"{prefix(app)}CANARY_PERCENT"])
    fewest, most = _share(minimum, percent), max(_share(maximum, percent), 1)
    new, old = own["CANARY_IMAGE"], own["IMAGE"]
    return [
        Streams(
            app, f"-{app}", old, own["GPU"], minimum, maximum, WHOLE - percent, own["ARGS"], _labels(own["LABELS"], old)
        ),
        Streams(
            app, f"-{app}-canary", new, own["GPU"], fewest, most, percent, own["ARGS"], _labels(own["LABELS"], new)
        ),
    ]


def _share(number: int, percent: int) -> int:
    return -(-number * percent // WHOLE)


def _labels(labels: str, image: str) -> str:
    """Return labels with the version, which is the image's tag, unless they have one."""
    if any(pair.startswith("version=") for pair in labels.split(",")):
        return labels
    _, tag, digest = split(image)
    version = (tag or digest.removeprefix("sha256:"))[:MAX_LABEL_LENGTH]
    return ",".join(filter(None, [labels, f"version={version}"]))


def scales_in_excess(values: Mapping[str, str]) -> bool:
    """Return whether the cluster's version requires more streams than wanted; so does an unknown version."""
    version = tuple(int(part) for part in values["KUBERNETES"].split(".") if part)
    return values["AUTOSCALING"] in ("hpa", "keda") and version < EXACT_SINCE


def components_of(streams: Streams, values: Mapping[str, str]) -> list[str]:
    """Return the names of the components for the streams' autoscaler, GPU and image."""
    chosen = list(AUTOSCALERS[values["AUTOSCALING"]])
    if scales_in_excess(values):
        chosen.append("before-1-35")
    if streams.gpu != "limit":
        chosen.append("gpu-share" if streams.gpu == "share" else "gpu-mig")
    return [*chosen, "image-pull"]


def settings_of(streams: Streams) -> dict[str, str]:
    """Return the settings of the sidecar that differ from those of base."""
    settings = {}
    if streams.suffix:
        settings["PIXELFLEET_SIGNALSERVER_APP"] = streams.app
    if streams.labels:
        pairs = dict(pair.split("=", 1) for pair in streams.labels.split(","))
        settings["PIXELFLEET_SIGNALSERVER_LABELS"] = json.dumps(pairs)
    return settings


def patches_of(streams: Streams, values: Mapping[str, str]) -> Patches:
    """Return the targets with their patches."""
    patches = [*_scaling(streams, values), *_selectors(streams)]
    container = "/spec/template/spec/containers/0"
    changes = [add(f"{container}/args", shlex.split(streams.arguments))] if streams.arguments else []
    if streams.gpu.startswith("mig-"):
        limits = f"{container}/resources/limits"
        changes += [remove(f"{limits}/nvidia.com~1mig-1g.5gb"), add(f"{limits}/nvidia.com~1{streams.gpu}", 1)]
    if changes:
        patches.append(({"kind": "Deployment", "name": "stream"}, changes))
    return patches


def _selectors(streams: Streams) -> Patches:
    """Return the patches that keep the pods of several applications apart."""
    if not streams.suffix:
        return []
    label = APPLICATION_LABEL.replace("/", "~1")

    def labelled(*paths: str) -> list[dict[str, Any]]:
        return [add(f"{path}/{label}", streams.suffix[1:]) for path in paths]

    own = ("/spec/selector/matchLabels", "/spec/template/metadata/labels")
    spread = "/spec/template/spec/topologySpreadConstraints/0/labelSelector/matchLabels"
    return [
        ({"kind": "Deployment", "name": "stream"}, labelled(*own, spread)),
        ({"kind": "DaemonSet", "name": "image-pull"}, labelled(*own)),
        ({"kind": "PodDisruptionBudget", "name": "stream"}, labelled(own[0])),
    ]


def _scaling(streams: Streams, values: Mapping[str, str]) -> Patches:
    if values["AUTOSCALING"] == "keda":
        patch = [
            replace("/spec/scaleTargetRef/name", streams.deployment),
            replace("/spec/minReplicaCount", streams.minimum),
            replace("/spec/maxReplicaCount", streams.maximum),
            replace("/spec/triggers/0/metadata/query", _query(streams, values)),
        ]
        return [({"kind": "ScaledObject", "name": "stream"}, patch)]
    if values["AUTOSCALING"] == "none":
        return []
    patch = [replace("/spec/minReplicas", streams.minimum), replace("/spec/maxReplicas", streams.maximum)]
    if values["AUTOSCALING"] == "hpa" and streams.suffix:
        metric = "/spec/metrics/0/object"
        patch.append(replace(f"{metric}/metric/selector/matchLabels/app", streams.app))
        if streams.percent < WHOLE:
            # Each version serves its part of the demand: with 10 % there is one pod for ten slots.
            patch.append(replace(f"{metric}/target/averageValue", f"{1000 * WHOLE // streams.percent}m"))
    return [({"kind": "HorizontalPodAutoscaler", "name": "stream"}, patch)]


def _query(streams: Streams, values: Mapping[str, str]) -> str:
    """Return KEDA's query for one application, as in the components keda-stream and before-1-35."""
    wanted = f'avg(pixelfleet_streams_wanted{{app="{streams.app}",namespace="{values["NAMESPACE"]}"}})'
    part = wanted if streams.percent == WHOLE else f"{streams.percent / WHOLE:g} * {wanted}"
    if not scales_in_excess(values):
        return part
    labels = f'deployment="{streams.deployment}",namespace="{values["NAMESPACE"]}"'
    pods = f"max(kube_deployment_status_replicas{{{labels}}})"
    return f"clamp_min({part} > scalar({pods}), scalar(floor(1.1 * {pods}) + 1)) or {part}"
