"""The software bill of materials (SBOM) of an image, in the JSON format of CycloneDX.

`python -m tools.sbom NAME LOCK PAGE OUTPUT` writes it to OUTPUT, with the Python packages of the lock file LOCK and the
bundled packages of the page in PAGE, the output of `npm sbom`. `make dist` calls it for both images.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement

from tools.version import ROOT, current

_CONTINUED: Final = re.compile(r"\\\n\s*")


def image_python(dockerfile: str) -> str:
    """Return the default Python version of a Dockerfile, such as "3.13"; raise ValueError without one."""
    found = re.search(r"^ARG PYTHON=(\d+\.\d+)$", dockerfile, re.MULTILINE)
    if found is None:
        raise ValueError("the Dockerfile has no ARG PYTHON")
    return found[1]


def locked(lock: str, python: str) -> Iterator[tuple[str, str]]:
    """Yield name and version of the packages in a lock file that apply to Linux and this Python version."""
    environment = {
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "sys_platform": "linux",
        "os_name": "posix",
        "python_version": python,
        # The base image has the newest patch release.
        "python_full_version": f"{python}.99",
    }
    for line in _CONTINUED.sub(" ", lock).splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        pin = Requirement(line.partition(" --hash")[0])
        if pin.marker is None or pin.marker.evaluate(environment):
            yield pin.name, next(iter(pin.specifier)).version


def bill(name: str, version: str, packages: Iterable[tuple[str, str]], page: dict[str, Any]) -> Bom:
    """Return the SBOM of the image `name` from Python packages and the page's SBOM of npm."""
    bom = Bom()
    image = Component(
        name=name,
        version=version,
        type=ComponentType.CONTAINER,
        bom_ref=name,
        licenses=[LicenseFactory().make_from_string("MIT")],
    )
    bom.metadata.component = image
    parts = [_component("pypi", package, pinned) for package, pinned in packages]
    parts += [
        _component("npm", each["name"], each["version"], *(choice for choice in each.get("licenses", [])))
        for each in page["components"]
    ]
    bom.components.update(parts)
    bom.register_dependency(image, parts)
    return bom


def _component(kind: str, name: str, version: str, *licenses: dict[str, Any]) -> Component:
    namespace, _, bare = name.rpartition("/")
    purl = PackageURL(kind, namespace or None, bare, version)
    make = LicenseFactory().make_from_string
    texts = [each.get("expression") or each["license"].get("id") or each["license"]["name"] for each in licenses]
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        bom_ref=str(purl),
        purl=purl,
        licenses=[make(text) for text in texts],
    )


def main(arguments: list[str]) -> None:
    """Write the SBOM of one image."""
    name, lock, page, output = arguments
    python = image_python((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    packages = locked(Path(lock).read_text(encoding="utf-8"), python)
    bom = bill(name, current(), packages, json.loads(Path(page).read_text(encoding="utf-8")))
    JsonV1Dot6(bom).output_to_file(output, allow_overwrite=True, indent=2)


if __name__ == "__main__":
    main(sys.argv[1:])
