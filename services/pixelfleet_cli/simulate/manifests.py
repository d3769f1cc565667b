"""The settings of a run as values of `pixelfleet configure`, and as a component for k8s/. No I/O."""

import json
from typing import Any

from pixelfleet_cli.configure.streams import Streams, components_of, patches_of
from pixelfleet_cli.simulate.plan import Plan


def values_of(plan: Plan, number: int, most: int) -> dict[str, str]:
    """Return the values of the `.env` file for `number` warm slots or streams.

    `most` is the largest number of streams that the run had at once; it is the maximum, unless one was reached. The
    result is empty for an autoscaler of a file.
    """
    settings = plan.settings
    if settings.autoscaler_file is not None:
        return {}
    if plan.manifest is None:
        return {"AUTOSCALING": "none"}
    values = {
        "AUTOSCALING": settings.autoscaler,
        "KUBERNETES": settings.kubernetes,
        "STREAMS_MIN": str(settings.streams_min),
        "STREAMS_MAX": str(max(settings.streams_min, min(most, settings.streams_max), 1)),
    }
    return values | ({"STREAMS_WARM": str(number)} if plan.varied == "warm" else {})


def component_of(values: dict[str, str]) -> str:
    """Return a kustomize component for the folder k8s/components/scaling, as YAML; empty without an autoscaler."""
    if "STREAMS_MAX" not in values:
        return ""
    # One application without a name; the values that only `configure` knows do not matter for its autoscaler.
    inputs = {"NAMESPACE": "", "UNREAL_ARGS": "", **values}
    streams = Streams("default", "", "", "limit", int(values["STREAMS_MIN"]), int(values["STREAMS_MAX"]))
    components = [each for each in components_of(streams, inputs) if each != "image-pull"]
    lines = ["# k8s/components/scaling/kustomization.yaml: list this component in place of the autoscaler's."]
    lines += ["apiVersion: kustomize.config.k8s.io/v1alpha1", "kind: Component"]
    lines += ["components:", *(f"  - ../{name}" for name in components)]
    lines.append("patches:")
    for target, operations in patches_of(streams, inputs):
        lines += [f"  - target: {_flow(target)}", "    patch: |-"]
        # The query has the namespace, which the component does not need.
        lines += [f"      - {_flow(each)}" for each in operations if "/query" not in each["path"]]
    if "STREAMS_WARM" in values:
        warm = json.dumps({"default": int(values["STREAMS_WARM"])})
        lines += ["configMapGenerator:", "  - name: matchmaker", "    behavior: merge", "    literals:"]
        lines.append(f"      - 'PIXELFLEET_MATCHMAKER_WARM={warm}'")
    return "\n".join(lines) + "\n"


def _flow(value: dict[str, Any]) -> str:
    """Return a mapping of texts and numbers in YAML's flow style."""
    pairs = (f"{key}: {value if isinstance(value, int) else _scalar(value)}" for key, value in value.items())
    return "{" + ", ".join(pairs) + "}"


def _scalar(text: str) -> str:
    return text if text.replace("/", "").replace("-", "").isalnum() and not text.isdigit() else json.dumps(text)
