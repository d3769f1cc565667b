"""The settings that `pixelfleet simulate` prints: kubectl renders them, and `configure` accepts them."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.manifests.pods import of_kind
from tests.manifests.rendering import K8S, LEAST, ROOT, configured, objects, require_kubectl, with_component
from tests.unit.pixelfleet_cli.simulate.runs import report

pytestmark = pytest.mark.integration

CASES = [
    {"warm": 3},
    {"warm": 3, "kubernetes": "1.30"},
    {"warm": 3, "autoscaler": "keda", "streams_min": 0},
    {"autoscaler": "hpa-ratio"},
]


def limits(found: Any, autoscaler: str) -> list[int]:
    """Return the limits of the autoscaler in rendered objects."""
    kind, suffix = ("ScaledObject", "ReplicaCount") if autoscaler == "keda" else ("HorizontalPodAutoscaler", "Replicas")
    (scaler,) = (each for each in of_kind(found, kind) if each["metadata"]["name"] == "stream")
    return [scaler["spec"][f"{name}{suffix}"] for name in ("min", "max")]


def warm(found: Any) -> str:
    (settings,) = (
        each["data"]
        for each in of_kind(found, "ConfigMap")
        if each["metadata"]["name"].startswith("matchmaker") and "PIXELFLEET_MATCHMAKER_WARM" in each["data"]
    )
    return str(settings["PIXELFLEET_MATCHMAKER_WARM"])


@pytest.mark.parametrize("chosen", CASES, ids=str)
def test_the_component_and_configure_have_the_same_effect(tmp_path: Path, chosen: dict[str, Any]) -> None:
    require_kubectl()
    made = report(**chosen)
    manifests = tmp_path / "k8s"
    shutil.copytree(K8S, manifests, ignore=shutil.ignore_patterns("overlay"))
    shutil.copytree(ROOT / "turn", tmp_path / "turn")
    scaling = manifests / "components" / "scaling"
    scaling.mkdir()
    (scaling / "kustomization.yaml").write_text(made.component)
    (tmp_path / "overlay").mkdir()
    by_component = tuple(objects(with_component(tmp_path / "overlay", "scaling", manifests)))
    (tmp_path / "configured").mkdir()
    by_configure = tuple(objects(configured(tmp_path / "configured", {**LEAST, **made.values}, manifests)))
    autoscaler = made.values["AUTOSCALING"]
    expected = [int(made.values["STREAMS_MIN"]), made.run.most_streams]
    assert limits(by_component, autoscaler) == limits(by_configure, autoscaler) == expected
    if "STREAMS_WARM" in made.values:
        assert warm(by_component) == warm(by_configure) == '{"default": 3}'
