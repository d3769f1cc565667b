"""Rules, dashboard and values as files: checks by promtool, for Grafana and for the operator."""

import json
import shutil
import subprocess
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.parts import PATIENCE_SECONDS, require_part
from tests.telemetry.prometheus import compose_configuration, kubernetes_configuration
from tests.telemetry.promql import selectors
from tests.telemetry.shipped import DASHBOARDS, KUBERNETES, ROOT, TELEMETRY, alerts, panels, read, rules


def promtool(*arguments: object, text: str | None = None) -> str:
    command = [require_part("promtool"), *map(str, arguments)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_promtool_accepts_rules_and_configurations(tmp_path: Any) -> None:
    output = promtool("check", "rules", "--lint=all", "--lint-fatal", TELEMETRY / "rules.yml")
    assert f"{len(rules())} rules found" in output
    promtool("check", "config", "--lint=all", "--lint-fatal", TELEMETRY / "prometheus.yml")
    for name, configuration in (("compose", compose_configuration({})), ("kubernetes", kubernetes_configuration({}))):
        file = tmp_path / f"{name}.yml"
        file.write_text(yaml.safe_dump(configuration))
        promtool("check", "config", file)


def test_the_alerts_pass_their_unit_tests() -> None:
    promtool("test", "rules", ROOT / "tests" / "telemetry" / "alerts.yml")


def test_every_alert_has_a_unit_test_a_severity_and_a_runbook() -> None:
    tested = {
        rule["alertname"]
        for test in read(ROOT / "tests" / "telemetry" / "alerts.yml")["tests"]
        for rule in test["alert_rule_test"]
        if rule.get("exp_alerts")
    }
    assert tested == set(alerts())
    headings = {
        line.removeprefix("### ").strip()
        for line in (ROOT / "docs" / "how-to" / "operations.md").read_text().splitlines()
        if line.startswith("### ")
    }
    for rule in rules():
        if name := rule.get("alert"):
            assert rule["labels"]["severity"] in ("warning", "critical"), name
            assert rule["annotations"]["runbook_url"] == f"https://runbooks.example.com/operations.md#{name.lower()}"
            assert name in headings, f"{name} has no runbook"


def test_every_runbook_has_the_address_that_the_operator_sets(tmp_path: Path) -> None:
    kubectl = require_part("kubectl")
    shutil.copytree(TELEMETRY, tmp_path / "telemetry")
    (tmp_path / "telemetry" / "runbooks.env").write_text("RUNBOOKS_URL=https://wiki.example.org/ops?page=1\n")
    command = [kubectl, "kustomize", str(tmp_path / "telemetry")]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    made = {each["kind"]: each for each in yaml.safe_load_all(text)}
    assert set(made) == {"PrometheusRule", "ConfigMap"}
    assert made["ConfigMap"]["metadata"]["name"] == "pixelfleet-dashboard"
    every = [rule for group in made["PrometheusRule"]["spec"]["groups"] for rule in group["rules"] if "alert" in rule]
    links = {rule["alert"]: rule["annotations"]["runbook_url"] for rule in every}
    assert links == {name: f"https://wiki.example.org/ops?page=1#{name.lower()}" for name in alerts()}


def test_the_operators_rules_are_up_to_date() -> None:
    made = subprocess.run([ROOT / "scripts" / "prometheus-rule"], capture_output=True, text=True, check=True).stdout
    assert (KUBERNETES / "prometheus-rule.yaml").read_text() == made, "run `make generated`"
    assert yaml.safe_load(made)["spec"] == read(TELEMETRY / "rules.yml")


def test_the_dashboards_panels_are_distinct_and_do_not_overlap() -> None:
    every = panels()
    assert max(Counter(panel["id"] for panel in every).values()) == 1
    for panel in every:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        for target in panel.get("targets", ()):
            assert target["datasource"] == panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    for one, other in combinations(every, 2):
        assert not _overlap(one["gridPos"], other["gridPos"]), (one["title"], other["title"])


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    apart = (
        one["x"] + one["w"] <= other["x"]
        or other["x"] + other["w"] <= one["x"]
        or one["y"] + one["h"] <= other["y"]
        or other["y"] + other["h"] <= one["y"]
    )
    return not apart


@pytest.mark.parametrize(
    "subject", ["Players", "Streams", "Utilisation", "wait", "GPU", "GPU and players", "Sent by", "TURN"]
)
def test_the_dashboard_covers_a_subject(subject: str) -> None:
    assert any(subject in panel["title"] for panel in panels())


def test_every_panel_shows_only_the_selected_namespaces() -> None:
    read_series = [
        (panel["title"], selector)
        for panel in panels()
        for target in panel.get("targets", ())
        for selector in selectors(target["expr"])
    ]
    assert len(read_series) > 50
    assert [each for each in read_series if 'namespace=~"$namespace"' not in each[1]] == []


def test_every_variable_of_the_dashboard_is_defined() -> None:
    board = json.loads((DASHBOARDS / "pixelfleet.json").read_text())
    names = {variable["name"] for variable in board["templating"]["list"]}
    assert names == {"datasource", "namespace", "app"}
