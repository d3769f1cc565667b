"""The queries for clusters before 1.35, evaluated by Prometheus' own tool."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pixelfleet.autoscaling.demand import beyond_tolerance
from tests.manifests.pods import of_kind
from tests.manifests.rendering import rendered
from tests.parts import require_part
from tests.telemetry.shipped import adapter_query, adapter_rules

pytestmark = pytest.mark.integration

CASES = [(0, 0), (1, 0), (1, 1), (3, 3), (2, 3), (11, 10), (12, 10), (22, 20), (101, 100), (150, 100), (1001, 1000)]
"""Wanted streams and existing pods."""


def adapter() -> str:
    (rule,) = [rule for rule in adapter_rules() if rule["name"]["as"] == "pixelfleet_streams_wanted_beyond_tolerance"]
    return adapter_query(rule, namespace="two", service_name="matchmaker", app="default")


def keda() -> str:
    (scaled,) = of_kind(rendered("configure most"), "ScaledObject")
    return str(scaled["spec"]["triggers"][0]["metadata"]["query"])


def evaluated(folder: Path, query: str, wanted: int, pods: int | None, expected: float) -> str:
    """Return promtool's complaint about a value of the query; empty when it is the expected one."""
    labels = 'namespace="two",service_name="matchmaker",app="default"'
    series = {f'pixelfleet_streams_wanted{{{labels},pod="{pod}"}}': f"{wanted}" for pod in ("one", "two")}
    series['pixelfleet_streams_wanted{namespace="one",service_name="matchmaker",app="default"}'] = "900"
    series['kube_deployment_status_replicas{namespace="one",deployment="stream"}'] = "700"
    if pods is not None:
        series['kube_deployment_status_replicas{namespace="two",deployment="stream"}'] = f"{pods}"
    shown = '{service_name="matchmaker"}' if "by (service_name)" in query else "{}"
    case = {
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {"expr": query, "eval_time": "0", "exp_samples": [{"labels": shown, "value": expected}]},
        ],
    }
    file = folder / "tests.yml"
    file.write_text(json.dumps({"tests": [case]}))
    done = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""


@pytest.mark.parametrize("query", [adapter, keda], ids=["adapter", "keda"])
@pytest.mark.parametrize(("wanted", "pods"), CASES)
def test_a_demand_above_the_pods_is_raised_beyond_the_tolerance(
    tmp_path: Path, query: Callable[[], str], wanted: int, pods: int
) -> None:
    require_part("promtool")
    assert evaluated(tmp_path, query(), wanted, pods, beyond_tolerance(wanted, pods)) == ""


@pytest.mark.parametrize("query", [adapter, keda], ids=["adapter", "keda"])
def test_without_kube_state_metrics_the_demand_is_read_as_it_is(tmp_path: Path, query: Callable[[], str]) -> None:
    require_part("promtool")
    assert evaluated(tmp_path, query(), 11, None, 11) == ""
