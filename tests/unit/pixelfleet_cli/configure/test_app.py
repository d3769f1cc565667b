import io
import sys
from pathlib import Path

import pytest

from pixelfleet.service.errors import UsageError
from pixelfleet_cli.configure.app import MAX_FILE_BYTES, main
from pixelfleet_cli.configure.settings import Settings
from tests.unit.pixelfleet_cli.configure.test_kubectl import put_kubectl
from tests.unit.pixelfleet_cli.configure.test_values import SEED

PRINTS = """[ $1 = version ] && echo '{"clientVersion": {"gitVersion": "v1.30.0"}}' && exit
cat "$2/kustomization.yaml" """


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings for a folder with manifests, a .env, and a kubectl that prints the overlay back."""
    (tmp_path / "bin").mkdir()
    put_kubectl(tmp_path / "bin", monkeypatch, PRINTS)
    (tmp_path / "k8s" / "base").mkdir(parents=True)
    (tmp_path / "k8s" / "base" / "kustomization.yaml").write_text("")
    (tmp_path / ".env").write_text(SEED)
    return Settings(env_file=tmp_path / ".env", folder=tmp_path / "k8s")


async def test_the_manifests_go_to_stdout_and_all_else_to_stderr(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await main(settings) == 0
    told = capsys.readouterr()
    assert '"namespace": "pixel"' in told.out
    assert "TURN_USER and TURN_PASS are not used" in told.err
    assert "warning" not in told.out


async def test_secrets_are_for_the_owner_alone_and_stay_when_it_runs_again(settings: Settings) -> None:
    await main(settings)
    file = settings.folder / "overlay" / "secrets.env"
    first = file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    await main(settings)
    assert file.read_text() == first
    assert sorted(path.name for path in file.parent.iterdir()) == ["kustomization.yaml", "secrets.env"]


async def test_the_overlay_may_stand_elsewhere(settings: Settings, tmp_path: Path) -> None:
    elsewhere = settings.model_copy(update={"overlay": tmp_path / "a" / "b"})
    await main(elsewhere)
    assert '"../../k8s/base"' in (tmp_path / "a" / "b" / "kustomization.yaml").read_text()


async def test_all_that_is_wrong_is_told_at_once(settings: Settings) -> None:
    settings.env_file.write_text("NAMESPACE=A\nFOO=1\n")
    with pytest.raises(UsageError) as caught:
        await main(settings)
    assert [line.strip().partition(":")[0] for line in str(caught.value).splitlines()[1:]] == [
        "FOO",
        "NAMESPACE",
        "REPO",
        "UNREAL_IMAGE_NAME",
        "INGRESS_HOST",
    ]
    assert not (settings.folder / "overlay").exists()


async def test_a_file_from_windows_is_read(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    settings.env_file.write_bytes(b"\xef\xbb\xbf" + SEED.replace("\n", "\r\n").encode())
    assert await main(settings) == 0
    assert '"namespace": "pixel"' in capsys.readouterr().out


async def test_a_file_that_is_too_large_is_refused_and_not_cut(settings: Settings) -> None:
    settings.env_file.write_text(SEED + "#" * MAX_FILE_BYTES)
    with pytest.raises(UsageError, match="is larger than"):
        await main(settings)


async def test_values_are_asked_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.env_file.unlink()
    answers = ["pixel", "registry.example.com/pixel", "", "", "", "game", "", "", "play.example.com"]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(answers) + "\n" * 30))
    await main(settings.model_copy(update={"ask": True}))
    told = capsys.readouterr()
    assert "UNREAL_IMAGE_NAME: name of the application's image []: " in told.err
    assert "registry.example.com/pixel/game" in told.out


async def test_a_folder_without_manifests_is_told(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no base/kustomization\.yaml"):
        await main(settings.model_copy(update={"folder": tmp_path}))
