"""The bill of materials: what is installed in the image and bundled in the page, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.model.bom import Bom
from cyclonedx.model.license import License, LicenseExpression

from tests.documents import ROOT, read
from tools.sbom import bill, image_python, locked, main
from tools.version import current

LOCK = """\
# made by a tool
plain==1.2 \\
    --hash=sha256:00 \\
    --hash=sha256:01
older-pythons==3.4 ; python_full_version < '3.12' \\
    --hash=sha256:02
windows==5.6 ; sys_platform == 'win32' \\
    --hash=sha256:03
linux==7.8 ; sys_platform != 'win32' \\
    --hash=sha256:04
"""
PAGE: dict[str, Any] = {
    "components": [
        {"name": "@scope/library", "version": "0.1.5", "licenses": [{"license": {"id": "MIT"}}]},
        {"name": "sdp", "version": "3.2.2", "licenses": [{"expression": "(Apache-2.0 AND BSD-3-Clause)"}]},
        {"name": "odd", "version": "1.0.0", "licenses": [{"license": {"name": "see the file"}}]},
        {"name": "silent", "version": "1.0.0"},
    ]
}


def test_only_packages_for_linux_and_this_python_are_listed() -> None:
    assert list(locked(LOCK, "3.13")) == [("plain", "1.2"), ("linux", "7.8")]
    assert list(locked(LOCK, "3.11")) == [("plain", "1.2"), ("older-pythons", "3.4"), ("linux", "7.8")]


def test_the_python_version_is_that_of_the_dockerfile() -> None:
    assert image_python("ARG NODE=24\nARG PYTHON=3.13\n") == "3.13"
    assert f'requires-python = ">=3.11,<3.{int(image_python(read(ROOT / "Dockerfile"))[2:]) + 1}"' in read(
        ROOT / "pyproject.toml"
    )
    with pytest.raises(ValueError, match="ARG PYTHON"):
        image_python("FROM python:3.13\n")


def text_of(licence: License) -> str | None:
    """Return a licence as an expression, an SPDX id or a free name."""
    return licence.value if isinstance(licence, LicenseExpression) else licence.id or licence.name


def test_an_sbom_has_each_package_with_its_url_and_licence() -> None:
    bom = bill("image", "1.0.0", [("plain", "1.2")], PAGE)
    urls = {str(each.purl): [text_of(licence) for licence in each.licenses] for each in bom.components}
    assert urls == {
        "pkg:pypi/plain@1.2": [],
        "pkg:npm/%40scope/library@0.1.5": ["MIT"],
        "pkg:npm/sdp@3.2.2": ["(Apache-2.0 AND BSD-3-Clause)"],
        "pkg:npm/odd@1.0.0": ["see the file"],
        "pkg:npm/silent@1.0.0": [],
    }
    image = bom.metadata.component
    assert image is not None
    assert (image.name, image.version) == ("image", "1.0.0")
    [depends] = [each for each in bom.dependencies if each.ref == image.bom_ref]
    assert len(depends.dependencies) == 5


def test_the_written_file_is_valid(tmp_path: Path) -> None:
    page, output = tmp_path / "page.json", tmp_path / "image.cdx.json"
    page.write_text(json.dumps(PAGE))
    main(["pixelfleet", str(ROOT / "requirements" / "runtime.txt"), str(page), str(output)])
    written = json.loads(output.read_text())
    assert (written["bomFormat"], written["specVersion"]) == ("CycloneDX", "1.6")
    assert written["metadata"]["component"]["version"] == current()
    names = {each["name"] for each in written["components"]}
    assert names > {"aiohttp", "redis", "uvloop", "sdp"}
    assert not names & {"pytest", "async-timeout", "aiortc"}
    read_again = Bom.from_json(written)  # type: ignore[attr-defined]  # the method is added by a decorator
    assert len(read_again.components) == len(written["components"])
