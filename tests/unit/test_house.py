"""The rules of the house that no linter knows: which way imports point, and what a lock file may hold."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ROOT / "services"
PACKAGES = sorted(folder.name for folder in SERVICES.iterdir() if (folder / "__init__.py").exists())
KNOW_ALL = ("pixelfleet.cli", "pixelfleet.demo")
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def name_of(module: Path) -> str:
    parts = module.relative_to(SERVICES).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(module: Path) -> set[str]:
    """Return the full names of all that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_one_way(package: str) -> None:
    """Services import pixelfleet, never each other; only the command line and the demo know all of them."""
    for module in (SERVICES / package).rglob("*.py"):
        name = name_of(module)
        if any(is_within(name, knows_all) for knows_all in KNOW_ALL):
            continue
        others = {other for other in PACKAGES if other not in {package, "pixelfleet"}}
        wrong = {used for used in imports_of(module) if used.split(".")[0] in others}
        assert not wrong, f"{name} imports {wrong}"


def test_the_wire_imports_nothing_else_of_ours() -> None:
    for module in (SERVICES / "pixelfleet" / "wire").rglob("*.py"):
        ours = {used for used in imports_of(module) if used.split(".")[0] in PACKAGES}
        wrong = {used for used in ours if not is_within(used, "pixelfleet.wire")}
        assert not wrong, f"{name_of(module)} imports {wrong}"


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_holds_versions_and_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    entries = re.sub(r"\\\n\s+", "", re.sub(r"#.*\n", "", text)).splitlines()
    assert entries
    for entry in entries:
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+ ?(;[^;@/]+?)?(--hash=sha256:[0-9a-f]{64} ?)+", entry), entry


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = {
        "runtime": project["project"]["dependencies"],
        "streamer": project["project"]["optional-dependencies"]["streamer"],
        "dev": [each for each in project["dependency-groups"]["dev"] if isinstance(each, str)],
        "build": project["dependency-groups"]["build"],
        "node": project["dependency-groups"]["node"],
    }
    for lock, requirements in wanted.items():
        pins = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
        for requirement in requirements:
            name = re.split(r"[\[<>=;! ]", requirement)[0].lower()
            assert f"\n{name}==" in pins, f"{name} is not in {lock}: run make lock"
