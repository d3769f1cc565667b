"""Files for the hosting service: workflows, templates, policies. They refer only to what exists."""

import re
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.documents import ROOT, read

GITHUB: Final = ROOT / ".github"
WORKFLOWS: Final = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS: Final = sorted(path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")
TARGETS: Final = set(re.findall(r"^([a-z-]+):", read(ROOT / "Makefile"), re.MULTILINE))
QUESTIONS: Final = {"textarea", "input", "dropdown", "checkboxes"}


def name_of(path: Path) -> str:
    return path.stem


def steps(workflow: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(read(workflow))["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


def targets_of(text: str) -> set[str]:
    """Return the make targets that a script calls."""
    return set(re.findall(r"\bmake (?:--[a-z-]+ )*([a-z-]+)", re.sub(r"^\s*#.*", "", text, flags=re.MULTILINE)))


def test_there_are_workflows_and_forms() -> None:
    assert [path.stem for path in WORKFLOWS] == ["ci", "release"]
    assert [path.stem for path in FORMS] == ["bug", "feature"]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=name_of)
def test_a_workflow_calls_only_targets_that_exist(workflow: Path) -> None:
    called = {target for step in steps(workflow) for target in targets_of(step.get("run", ""))}
    assert called
    assert called <= TARGETS


def test_ci_calls_the_targets_of_the_local_script() -> None:
    called = {target for step in steps(GITHUB / "workflows" / "ci.yml") for target in targets_of(step.get("run", ""))}
    assert called == targets_of(read(ROOT / ".ci" / "run"))


def test_ci_runs_every_python_that_is_supported() -> None:
    matrix = yaml.safe_load(read(GITHUB / "workflows" / "ci.yml"))["jobs"]["test"]["strategy"]["matrix"]
    supported = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', read(ROOT / "pyproject.toml"))
    assert matrix["python"] == supported


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=name_of)
def test_a_workflow_pins_actions_and_limits_its_time_and_permissions(workflow: Path) -> None:
    parsed = yaml.safe_load(read(workflow))
    for step in steps(workflow):
        assert "uses" not in step or re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step["uses"]), step
    assert all(job["timeout-minutes"] <= 90 for job in parsed["jobs"].values())
    assert set(parsed["permissions"]) == {"contents"}


@pytest.mark.parametrize("form", FORMS, ids=name_of)
def test_a_form_has_the_required_fields(form: Path) -> None:
    parsed = yaml.safe_load(read(form))
    assert parsed["name"]
    assert parsed["description"]
    asked = [part for part in parsed["body"] if part["type"] != "markdown"]
    assert {part["type"] for part in asked} <= QUESTIONS
    ids = [part["id"] for part in asked]
    assert len(set(ids)) == len(ids)
    assert all(part["attributes"]["label"] for part in asked)
    assert any(part.get("validations", {}).get("required") for part in asked)


def test_the_pull_request_template_names_targets_that_exist() -> None:
    called = targets_of(read(GITHUB / "pull_request_template.md"))
    assert called
    assert called <= TARGETS


def test_the_modules_that_must_be_covered_completely_exist() -> None:
    complete = tomllib.loads(read(ROOT / "pyproject.toml"))["tool"]["pixelfleet"]["coverage"]["complete"]
    assert complete
    assert [path for path in complete if not (ROOT / path).is_file()] == []


def test_the_changelog_has_its_format() -> None:
    headings = re.findall(r"^## (.+)$", read(ROOT / "CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", heading) for heading in headings[1:])
    kinds = set(re.findall(r"^### (.+)$", read(ROOT / "CHANGELOG.md"), re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
