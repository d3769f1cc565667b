"""The shipped files for Prometheus, Grafana and autoscalers, parsed for tests."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tests.telemetry.promql import filled_in

ROOT: Final = Path(__file__).parents[2]
TELEMETRY: Final = ROOT / "telemetry"
DASHBOARDS: Final = TELEMETRY / "grafana"
KUBERNETES: Final = TELEMETRY / "kubernetes"


@dataclass(frozen=True)
class Expression:
    """A PromQL expression and where it is evaluated."""

    where: str
    text: str


def read(path: Path) -> Any:
    """Return a YAML file's only document."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def rules() -> list[dict[str, Any]]:
    return [rule for group in read(TELEMETRY / "rules.yml")["groups"] for rule in group["rules"]]


def alerts() -> list[str]:
    return [rule["alert"] for rule in rules() if "alert" in rule]


def panels() -> list[dict[str, Any]]:
    return [
        panel
        for path in sorted(DASHBOARDS.glob("*.json"))
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]
    ]


def adapter_rules() -> list[dict[str, Any]]:
    custom: list[dict[str, Any]] = read(KUBERNETES / "prometheus-adapter.values.yaml")["rules"]["custom"]
    return custom


def adapter_query(rule: dict[str, Any], **labels: str) -> str:
    """Return the adapter's query for objects with these labels."""
    series = rule["seriesQuery"].partition("{")[0]
    grouped = next(name for name in rule["resources"]["overrides"] if name != "namespace")
    matchers = ",".join(f'{name}="{value}"' for name, value in labels.items())
    query: str = rule["metricsQuery"]
    known = {"<<.Series>>": series, "<<.LabelMatchers>>": matchers, "<<.GroupBy>>": grouped}
    known |= {f'<<index .LabelValuesByName "{name}">>': value for name, value in labels.items()}
    for name, value in known.items():
        query = query.replace(name, value)
    return query


def expressions() -> Iterator[Expression]:
    """Return all evaluated expressions: rules, panels, the adapter's series, and KEDA's queries."""
    for rule in rules():
        yield Expression(f"rule {rule.get('alert') or rule['record']}", rule["expr"])
    for panel in panels():
        for target in panel.get("targets", ()):
            yield Expression(f"panel {panel['title']}", filled_in(target["expr"]))
    for rule in adapter_rules():
        yield Expression(f"adapter {rule['name']['as']}", rule["seriesQuery"])
    for path in sorted((ROOT / "k8s").rglob("*.yaml")):
        if path.is_relative_to(ROOT / "k8s" / "chart" / "templates"):
            continue  # made of the other files, and no YAML
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            for trigger in _triggers(document):
                yield Expression(f"trigger in {path.name}", trigger)


def _triggers(document: Any) -> Iterator[str]:
    """Return the queries of a ScaledObject's Prometheus triggers."""
    if isinstance(document, dict) and document.get("kind") == "ScaledObject":
        for trigger in document.get("spec", {}).get("triggers", ()):
            if trigger["type"] == "prometheus":
                yield trigger["metadata"]["query"]
