from pathlib import Path

import pytest

from pixelfleet.service.errors import UsageError
from pixelfleet_cli.configure.kubectl import cluster_version, render, usable_kubectl

DEBIANS = '{"clientVersion": {"major": "1", "minor": "20+", "gitVersion": "v1.20.2"}}'


def put_kubectl(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = folder / "kubectl"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_an_old_kubectl_is_refused_with_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_kubectl(tmp_path, monkeypatch, f"echo '{DEBIANS}'")
    with pytest.raises(UsageError, match=r"kubectl 1\.27 or newer is needed, and .*/kubectl is 1\.20"):
        usable_kubectl()


@pytest.mark.parametrize("version", ["v1.27.0", "v1.32.4-dispatcher", "v2.0.0"])
def test_a_newer_version_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    put_kubectl(tmp_path, monkeypatch, f"""echo '{{"clientVersion": {{"gitVersion": "{version}"}}}}'""")
    assert usable_kubectl() == str(tmp_path / "kubectl")


@pytest.mark.parametrize("script", ["exit 1", "echo not json", "echo '{}'", "echo '[]'"])
def test_an_unknown_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    put_kubectl(tmp_path, monkeypatch, script)
    with pytest.raises(UsageError, match=r"the version of .*/kubectl is unknown"):
        usable_kubectl()


def test_a_missing_kubectl_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="none on PATH"):
        usable_kubectl()


def test_a_failed_rendering_is_reported_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        f"[ $1 = version ] && echo '{DEBIANS.replace('1.20', '1.30')}' && exit\nprintf 'no\\nsuch file' >&2; exit 1"
    )
    put_kubectl(tmp_path, monkeypatch, script)
    with pytest.raises(UsageError, match=r"kubectl kustomize .*: no such file$"):
        render(tmp_path)


@pytest.mark.parametrize(
    ("script", "version"),
    [
        (
            """echo '{"clientVersion": {"gitVersion": "v1.30.0"}, "serverVersion": {"gitVersion": "v1.36.1+k3s1"}}'""",
            "1.36",
        ),
        ("""echo '{"clientVersion": {"gitVersion": "v1.30.0"}}'; [ "$2" = --client ]""", ""),
    ],
    ids=["a cluster", "no cluster"],
)
def test_the_version_of_the_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, version: str) -> None:
    put_kubectl(tmp_path, monkeypatch, script)
    assert cluster_version() == version
