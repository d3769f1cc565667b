"""The settings of a run for a cluster; tests/manifests renders them."""

from typing import Any

import pytest
import yaml

from pixelfleet_cli.configure.values import NAMES
from tests.unit.pixelfleet_cli.simulate.runs import report


@pytest.mark.parametrize("autoscaler", ["hpa", "hpa-ratio", "keda", "none"])
def test_the_values_are_those_of_configure(autoscaler: str) -> None:
    number: dict[str, Any] = {"hpa": {"warm": 2}, "keda": {"warm": 2}, "none": {"streams": 20}}.get(autoscaler, {})
    found = report(autoscaler=autoscaler, **number).values
    assert found["AUTOSCALING"] == autoscaler
    for name, value in found.items():
        assert NAMES[name].check(value) == value


def test_the_maximum_is_what_the_run_needed() -> None:
    found = report(warm=2)
    assert int(found.values["STREAMS_MAX"]) == found.run.most_streams < 100
    assert report(warm=2, streams_max=4).values["STREAMS_MAX"] == "4"
    assert report(warm=2, streams_min=60).values["STREAMS_MAX"] == "60"


@pytest.mark.parametrize(
    ("chosen", "components"),
    [
        ({"warm": 2}, ["../hpa-stream"]),
        ({"warm": 2, "kubernetes": "1.30"}, ["../hpa-stream", "../before-1-35"]),
        ({"autoscaler": "keda", "warm": 2}, ["../keda-stream"]),
        ({"autoscaler": "hpa-ratio"}, ["../hpa-ratio"]),
    ],
)
def test_the_component_has_the_limits_and_the_warm_slots(chosen: dict[str, Any], components: list[str]) -> None:
    found = report(**chosen)
    document = yaml.safe_load(found.component)
    assert document["components"] == components
    (patch,) = document["patches"]
    operations = {each["path"]: each["value"] for each in yaml.safe_load(patch["patch"])}
    assert found.run.most_streams in operations.values()
    literals = [each for made in document.get("configMapGenerator", []) for each in made["literals"]]
    assert literals == (['PIXELFLEET_MATCHMAKER_WARM={"default": 2}'] if "warm" in chosen else [])
