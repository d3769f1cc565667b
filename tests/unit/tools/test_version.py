"""The version and its copies."""

import re
from pathlib import Path

import pytest

from pixelfleet.service.version import VERSION
from tests.documents import ROOT
from tools.version import COPIES, change, copies, current, main

WRITTEN = re.compile(
    r"""(?:
        ^Version\  | \bpixelfleet(?:-streamer)?(?::|==|@) | \bnewTag:\  | IMAGE_TAG= | image\.version=" |
        "pixelfleet-player",\s*"version":\ "
    )(\d+\.\d+\.\d+\w*)""",
    re.VERBOSE | re.MULTILINE,
)
"""Any reference to the version of Pixelfleet; wider than the patterns of tools.version."""

READ = (
    "*.md",
    "*.toml",
    "*.yml",
    "Dockerfile",
    "docs/**/*.md",
    "k8s/**/*",
    "player/*.json",
    "telemetry/**/*",
    "unreal/*",
)


def test_all_copies_have_the_same_version() -> None:
    found = {
        (str(path.relative_to(ROOT)), version)
        for glob in READ
        for path in ROOT.glob(glob)
        if path.is_file()
        for version in WRITTEN.findall(path.read_text(encoding="utf-8"))
    }
    assert {version for _, version in found} == {current()}, found
    assert {path for path, _ in found} <= {str(path.relative_to(ROOT)) for path, _ in copies()}


def test_the_installed_distribution_has_the_version() -> None:
    assert current() == VERSION


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the files with a version."""
    for glob in COPIES:
        for path in ROOT.glob(glob):
            copy = tmp_path / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def test_a_change_updates_only_the_copies(tree: Path) -> None:
    old = current()
    before = {path: path.read_text(encoding="utf-8") for path in tree.rglob("*") if path.is_file()}
    places = len(list(copies(tree)))
    change("12.3.45rc1", tree)
    assert current(tree) == "12.3.45rc1"
    assert [version for _, version in copies(tree)] == ["12.3.45rc1"] * places
    for path, text in before.items():
        lines = zip(text.splitlines(), path.read_text(encoding="utf-8").splitlines(), strict=True)
        for was, now in lines:
            assert now == was or now == was.replace(old, "12.3.45rc1")
    change(old, tree)
    assert {path: path.read_text(encoding="utf-8") for path in before} == before


@pytest.mark.parametrize("wrong", ["", "1.2", "v1.2.3", "1.2.3-rc1", "1.2.3 ", "latest"])
def test_an_invalid_version_is_refused(tree: Path, wrong: str) -> None:
    with pytest.raises(ValueError, match="not a version"):
        change(wrong, tree)
    assert current(tree) == current()


def test_the_command_prints_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    assert capsys.readouterr().out == f"{current()}\n"


def test_the_command_refuses_an_invalid_version() -> None:
    with pytest.raises(SystemExit, match="not a version"):
        main(["next"])
