"""The catalogue of findings, its reference, and the tests that make each finding happen."""

import re

import pytest

import pixelfleet_cli.doctor.findings.catalogue as module
from pixelfleet_cli.doctor.findings.model import Kind, Severity
from tests.documents import ROOT, read

KINDS = module.catalogue()
REFERENCE = read(ROOT / "docs" / "reference" / "doctor.md")
TESTS = "\n".join(read(path) for path in sorted((ROOT / "tests" / "integration").glob("test_doctor_*.py")))
ROW = re.compile(r"^\| `([a-z-]+)` \| (warning|error) \|.*$", re.MULTILINE)


def test_the_reference_lists_every_finding_as_it_is() -> None:
    rows = [f"| `{k.name}` | {k.severity.name.lower()} | {k.meaning} | {k.next_step} |" for k in KINDS]
    assert [found[0] for found in ROW.finditer(REFERENCE)] == rows


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_finding_has_a_test_with_a_real_part_and_whole_sentences(kind: Kind) -> None:
    assert f'"{kind.name}"' in TESTS or f'{kind.name}"' in TESTS or f'b"{kind.name}' in TESTS
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", kind.name) or kind.name == "quarantined"
    assert kind.severity in (Severity.WARNING, Severity.ERROR)
    for text in (kind.meaning, kind.next_step):
        assert text.endswith(".")
        assert text[0].isupper()


@pytest.mark.parametrize("guide", ["troubleshooting.md", "operations.md"])
def test_a_guide_names_findings_that_exist(guide: str) -> None:
    text = read(ROOT / "docs" / "how-to" / guide)
    near = [line for line in re.split(r"\n\n|(?<=\|)\n", text) if "doctor" in line or line.startswith("| The page")]
    named = {name for line in near for name in re.findall(r"`([a-z]+(?:-[a-z]+)+)`", line)}
    assert len(named) > 3
    assert named <= {kind.name for kind in KINDS} | {"turn-check"}


def test_a_name_is_defined_once() -> None:
    with pytest.raises(ValueError, match="defined twice"):
        module._define(Severity.ERROR, "no-streamer", "A.", "B.")
