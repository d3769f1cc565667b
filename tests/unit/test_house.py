"""Project rules that no linter checks: directions of imports, and contents of lock files."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pixelfleet_cli.cli import WITH_SETTINGS

ROOT = Path(__file__).parents[2]
SERVICES = ROOT / "services"
PACKAGES = sorted(folder.name for folder in SERVICES.iterdir() if (folder / "__init__.py").exists())
FLOORS: dict[str, tuple[str, ...]] = {
    "pixelfleet.protocol": (),
    "pixelfleet.service": (),
    "pixelfleet.autoscaling": (),
    "pixelfleet.capacity": ("pixelfleet.autoscaling",),
    "pixelfleet.net": ("pixelfleet.protocol", "pixelfleet.service"),
    "pixelfleet.fleet": ("pixelfleet.net", "pixelfleet.protocol", "pixelfleet.service"),
    "pixelfleet.kube": ("pixelfleet.net", "pixelfleet.protocol", "pixelfleet.service"),
    "pixelfleet.auth": ("pixelfleet.fleet", "pixelfleet.net", "pixelfleet.protocol", "pixelfleet.service"),
    **{service: ("pixelfleet",) for service in PACKAGES if service not in ("pixelfleet", "pixelfleet_cli")},
    "pixelfleet_cli": tuple(PACKAGES),
}
"""The packages that each package may import, lowest first. Services never import each other."""

NO_IO = (
    "pixelfleet.autoscaling",
    "pixelfleet.capacity",
    "pixelfleet_cli.doctor.findings",
    "pixelfleet_cli.loadtest.core",
    "signalserver.core",
)
"""Packages that contain only logic, without I/O."""

IO_MODULES = ("asyncio", "aiohttp", "picows", "redis", "socket", "time", "uvloop", "websockets")
HEAVY = (
    "aiohttp",
    "aioice",
    "aiortc",
    "cryptography",
    "jwt",
    "picows",
    "prometheus_client",
    "redis",
    "rich",
    "structlog",
)
SETTINGS = [f"{command.package}.settings" for command in WITH_SETTINGS.values()]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def name_of(module: Path) -> str:
    parts = module.relative_to(SERVICES).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(module: Path) -> set[str]:
    """Return the full names of all modules that a module imports, at any level."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def modules_of(package: str) -> list[Path]:
    return sorted((SERVICES / package.replace(".", "/")).rglob("*.py"))


def test_every_package_is_in_the_import_table() -> None:
    parts = {f"pixelfleet.{folder.parent.name}" for folder in (SERVICES / "pixelfleet").glob("*/__init__.py")}
    assert set(FLOORS) == parts | set(PACKAGES) - {"pixelfleet"}


def test_every_http_port_is_a_server() -> None:
    """The bounds of connections and responses are in `Server`, so no module may serve HTTP in another way."""
    forbidden = ("AppRunner(", "TCPSite(", "SockSite(", "run_app(")
    found = {
        name_of(module)
        for module in SERVICES.rglob("*.py")
        if any(text in module.read_text(encoding="utf-8") for text in forbidden)
    }
    assert found == {"pixelfleet.net.server"}


@pytest.mark.parametrize("package", FLOORS)
def test_imports_point_downwards(package: str) -> None:
    modules = modules_of(package)
    assert modules
    for module in modules:
        ours = {used for used in imports_of(module) if used.split(".")[0] in PACKAGES}
        wrong = {used for used in ours if not any(is_within(used, allowed) for allowed in (package, *FLOORS[package]))}
        assert not wrong, f"{name_of(module)} imports {wrong}"


@pytest.mark.parametrize("package", NO_IO)
def test_a_core_has_no_io(package: str) -> None:
    for module in modules_of(package):
        wrong = {used for used in imports_of(module) if used.split(".")[0] in IO_MODULES}
        assert not wrong, f"{name_of(module)} imports {wrong}"


@pytest.mark.parametrize("module", ["pixelfleet_cli.cli", *SETTINGS])
def test_settings_import_neither_sockets_nor_logs(module: str) -> None:
    """A mistake in an option must be reported without delay."""
    code = f"import sys, {module}; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.split() == []


def test_the_command_line_imports_neither_pydantic_nor_asyncio() -> None:
    code = "import sys, pixelfleet_cli.cli; print('pydantic' in sys.modules, 'asyncio' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_has_only_versions_and_hashes(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    entries = re.sub(r"\\\n\s+", "", re.sub(r"#.*\n", "", text)).splitlines()
    assert entries
    for entry in entries:
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+ ?(;[^;@/]+?)?(--hash=sha256:[0-9a-f]{64} ?)+", entry), entry


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = {
        "runtime": project["project"]["dependencies"] + project["project"]["optional-dependencies"]["otel"],
        "streamer": project["project"]["optional-dependencies"]["streamer"],
        "dev": [each for each in project["dependency-groups"]["dev"] if isinstance(each, str)],
        "build": project["dependency-groups"]["build"],
        "node": project["dependency-groups"]["node"],
        "helm": project["dependency-groups"]["helm"],
    }
    for lock, requirements in wanted.items():
        pins = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
        for requirement in requirements:
            name = re.split(r"[\[<>=~;! ]", requirement)[0].lower()
            assert f"\n{name}==" in pins, f"{name} is not in {lock}: run make lock"
