"""The sample image of an application: its Dockerfile, and its start script with a stand-in for the application."""

import os
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.image.dockerfile import stages
from tests.parts import PATIENCE_SECONDS

FOLDER: Final = Path(__file__).parents[2] / "unreal"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A packaged project whose application prints its options."""
    application = tmp_path / "Demo.sh"
    application.write_text('#!/bin/sh\nprintf \'%s\\n\' "$$" "$@"\n')
    application.chmod(0o755)
    return tmp_path


def started(project: Path, **environment: str) -> tuple[int, list[str]]:
    """Return the script's process id and the application's output: its process id and its options."""
    with subprocess.Popen(
        [FOLDER / "start"], cwd=project, env={"PATH": os.environ["PATH"], **environment}, stdout=subprocess.PIPE
    ) as process:
        output, _ = process.communicate(timeout=PATIENCE_SECONDS)
        return process.pid, output.decode().splitlines()


def test_the_application_replaces_the_script_and_gets_the_signalling_url(project: Path) -> None:
    pid, (own, *options) = started(project, PROJECT="Demo", SIGNAL_URL="ws://127.0.0.1:9?token=a", RES_X="640")
    assert own == str(pid)
    assert "-PixelStreamingURL=ws://127.0.0.1:9?token=a" in options
    assert {"-ResX=640", "-ResY=1080", "-RenderOffscreen"} <= set(options)
    assert not any(option.startswith("-PixelStreamingID") for option in options)


def test_an_id_and_extra_options_are_passed_on(project: Path) -> None:
    _, (_, *options) = started(project, PROJECT="Demo", STREAMER_ID="cam", EXTRA_ARGS="-a -b=1")
    assert options[-3:] == ["-PixelStreamingID=cam", "-a", "-b=1"]


def test_without_a_project_the_script_names_what_is_missing(project: Path) -> None:
    done = subprocess.run([FOLDER / "start"], cwd=project, env={}, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "PROJECT" in done.stderr


def test_the_sample_has_no_part_of_the_engine_and_the_documented_arguments() -> None:
    text = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    build, final = stages(text).values()
    assert build.source.endswith("dev-slim-${UNREAL_VERSION}")
    assert final.source.endswith(":runtime-pixel-streaming")
    assert final.of("USER") == ["ue4"]
    guide = (FOLDER / "README.md").read_text(encoding="utf-8")
    arguments = {line.split("=")[0].removeprefix("ARG ") for line in text.splitlines() if line.startswith("ARG ")}
    variables = {word.split("=")[0] for word in final.of("ENV")[0].split() if "=" in word}
    assert all(f"`{name}`" in guide for name in arguments | variables)
