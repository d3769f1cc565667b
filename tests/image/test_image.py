"""The image's build, step by step and without Docker: its contents, its size, and whether it runs."""

import os
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Final

import pytest

from pixelfleet_cli.cli import WITH_SETTINGS
from tests.image.dockerfile import Stage, stages
from tools.sbom import locked
from tools.version import current

ROOT: Final = Path(__file__).parents[2]
LARGEST_MB: Final = 150
"""Size that the image adds to its base, without the `streamer` extra."""
THIS_PYTHON: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
STEP_SECONDS: Final = 900
"""Time limit of a step that downloads packages, on a busy machine."""

pytestmark = pytest.mark.integration


def step(*arguments: object) -> None:
    environment = {**os.environ, "PYTHON": sys.executable}
    command = [str(ROOT / "scripts" / "image"), *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=STEP_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr


def run(*command: object) -> subprocess.CompletedProcess[str]:
    """Run a program of the environment as in the image: only with what was installed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIXELFLEET"))}
    return subprocess.run(
        list(map(str, command)),
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=STEP_SECONDS,
    )


def installed(venv: Path) -> dict[str, str]:
    """Return the versions of an environment's distributions by name, normalized as in lock files."""
    [packages] = venv.glob("lib/python*/site-packages")
    found = distributions(path=[str(packages)])
    return {re.sub(r"[-_.]+", "-", each.metadata["Name"]).lower(): each.version for each in found}


@pytest.mark.timeout(4 * STEP_SECONDS)
def test_the_services_fit_in_the_image_and_every_command_starts(tmp_path: Path) -> None:
    subprocess.run([ROOT / "scripts" / "build-page"], check=True, capture_output=True, timeout=STEP_SECONDS)
    wheels, venv = tmp_path / "wheels", tmp_path / "venv"
    step("wheel", wheels)
    step("packages", ROOT / "requirements" / "runtime.txt", venv)
    step("project", wheels, venv)
    megabytes = sum(file.stat().st_size for file in venv.rglob("*") if not file.is_symlink()) / 1e6
    assert megabytes < LARGEST_MB, f"the image would hold {megabytes:.0f} MB"
    [page] = venv.glob("lib/python*/site-packages/router/page/index.html")
    assert page.stat().st_size > 0
    assert not list(venv.glob("lib/python*/site-packages/pip")), "pip is not needed in the image"
    listed = dict(locked((ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8"), THIS_PYTHON))
    assert installed(venv) == {**listed, "pixelfleet": current()}, "the bill of materials differs"
    for name, command in WITH_SETTINGS.items():
        helped = run(venv / "bin" / "pixelfleet", name, "--help")
        assert (helped.returncode, helped.stderr) == (0, ""), helped.stderr
        if command.extra:
            refused = run(venv / "bin" / "pixelfleet", name)
            assert (refused.returncode, refused.stderr.count("\n")) == (2, 1), refused.stderr
            assert f"pixelfleet[{command.extra}]" in refused.stderr
    assert run(venv / "bin" / "python", "-m", "pixelfleet_cli.health").returncode == 1, (
        "no service runs, so the health check fails"
    )


@pytest.fixture(scope="module")
def built() -> dict[str, Stage]:
    return stages((ROOT / "Dockerfile").read_text(encoding="utf-8"))


def test_the_dockerfile_runs_the_steps_that_the_test_runs(built: dict[str, Stage]) -> None:
    ran = [line for stage in built.values() for line in stage.of("RUN") if "scripts/image" in line]
    assert ran == [
        "scripts/image wheel /wheels",
        "scripts/image packages requirements/runtime.txt /opt/pixelfleet",
        "scripts/image project /wheels /opt/pixelfleet",
        "scripts/image packages requirements/streamer.txt /opt/pixelfleet",
        "scripts/image project /wheels /opt/pixelfleet",
    ]


@pytest.mark.parametrize("target", ["services", "streamer"])
def test_a_final_stage_has_python_one_environment_and_an_unprivileged_user(
    built: dict[str, Stage], target: str
) -> None:
    final, base = built[target], built["base"]
    assert final.source == "base"
    assert final.of("COPY") == [f"--from={target.removesuffix('s')}-packages /opt/pixelfleet /opt/pixelfleet"]
    assert not final.of("RUN")
    assert base.source.startswith("python:")
    assert base.source.endswith("-slim")
    assert base.of("USER") == ["10001:10001"]
    assert base.of("HEALTHCHECK")
    assert not any("apt" in line or "pip" in line for line in base.of("RUN"))
    for label in ("title", "description", "version", "licenses"):
        assert f"org.opencontainers.image.{label}=" in base.of("LABEL")[0]


def test_the_default_stage_is_the_last(built: dict[str, Stage]) -> None:
    assert list(built)[-1] == "services"


def test_every_copied_file_exists_and_is_not_ignored(built: dict[str, Stage]) -> None:
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {line[1:] for line in ignore if line.startswith("!")}
    for stage in built.values():
        for line in stage.of("COPY"):
            *sources, _ = [word for word in line.split() if not word.startswith("--")]
            if "--from=" in line:
                continue
            for source in sources:
                assert (ROOT / source).exists(), source
                assert any(source.rstrip("/") == name or source.startswith(f"{name}/") for name in allowed), source
