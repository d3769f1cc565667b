"""The version: `python -m tools.version` prints it, `python -m tools.version 0.2.0` sets it.

The source is pyproject.toml. The copies in image tags and in the page's package are rewritten together with it.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]

NUMBER: Final = re.compile(r"\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?")
"""A final release or a pre-release, as PEP 440 writes it."""

_IMAGES: Final = (r"\bpixelfleet(?:-streamer)?:", r"\bnewName: registry\.example\.com/pixelfleet, newTag: ")
COPIES: Final[dict[str, tuple[str, ...]]] = {
    "pyproject.toml": (r'^version = "',),
    "player/package.json": (r'\A\{\s*"name": "pixelfleet-player",\s*"version": "',),
    "player/package-lock.json": (
        r'\A\{\s*"name": "pixelfleet-player",\s*"version": "',
        r'"": \{\s*"name": "pixelfleet-player",\s*"version": "',
    ),
    "Dockerfile": (*_IMAGES, r'image\.version="'),
    "docker-compose.yml": _IMAGES,
    "k8s/**/*.yaml": _IMAGES,
    "k8s/chart/Chart.yaml": (r"^version: ", r"^appVersion: "),
    "docs/**/*.md": (*_IMAGES, r"\bIMAGE_TAG="),
    "README.md": (r"^Version ",),
}
"""Patterns of the text before the version, by file or glob."""


def current(root: Path = ROOT) -> str:
    """Return the version in pyproject.toml."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])


def copies(root: Path = ROOT) -> Iterator[tuple[Path, str]]:
    """Yield the file and the version of each copy."""
    for path, pattern in _patterns(root):
        for found in pattern.finditer(path.read_text(encoding="utf-8")):
            yield path, found["version"]


def change(version: str, root: Path = ROOT) -> list[Path]:
    """Write a version to pyproject.toml and all copies; return the changed files.

    Raises ValueError for an invalid version.
    """
    if not NUMBER.fullmatch(version):
        raise ValueError(f"{version!r} is not a version such as 1.2.3 or 1.2.3rc1")
    changed = []
    for path, pattern in _patterns(root):
        text = path.read_text(encoding="utf-8")
        new = pattern.sub(lambda found: found["before"] + version, text)
        if new != text:
            path.write_text(new, encoding="utf-8")
            changed.append(path)
    return changed


def _patterns(root: Path) -> Iterator[tuple[Path, re.Pattern[str]]]:
    for glob, prefixes in COPIES.items():
        for prefix in prefixes:
            pattern = re.compile(rf"(?P<before>{prefix})(?P<version>{NUMBER.pattern})", re.MULTILINE)
            for path in sorted(root.glob(glob)):
                yield path, pattern


def main(arguments: list[str]) -> None:
    """Print the version, or set it to the first argument."""
    if not arguments:
        sys.stdout.write(f"{current()}\n")
        return
    try:
        changed = change(arguments[0])
    except ValueError as error:
        sys.exit(f"tools.version: {error}")
    for path in dict.fromkeys(changed):
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
