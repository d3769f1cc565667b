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
    """Settings for a folder with manifests, a .env, and a kubectl that prints the overlay."""
    (tmp_path / "bin").mkdir()
    put_kubectl(tmp_path / "bin", monkeypatch, PRINTS)
    (tmp_path / "k8s" / "base").mkdir(parents=True)
    (tmp_path / "k8s" / "base" / "kustomization.yaml").write_text("")
    (tmp_path / ".env").write_text(SEED)
    return Settings(env_file=tmp_path / ".env", folder=tmp_path / "k8s")


async def test_only_the_manifests_go_to_stdout(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert await main(settings) == 0
    printed = capsys.readouterr()
    assert '"namespace": "pixel"' in printed.out
    assert "TURN_USER and TURN_PASS are no longer used" in printed.err
    assert "warning" not in printed.out


async def test_secrets_are_readable_by_the_owner_only_and_kept_by_later_runs(settings: Settings) -> None:
    await main(settings)
    file = settings.folder / "overlay" / "secrets.env"
    first = file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    await main(settings)
    assert file.read_text() == first
    assert sorted(path.name for path in file.parent.iterdir()) == ["kustomization.yaml", "secrets", "secrets.env"]
    assert {path.stat().st_mode & 0o777 for path in (file.parent / "secrets").iterdir()} == {0o600}


async def test_the_overlay_may_be_in_another_directory(settings: Settings, tmp_path: Path) -> None:
    elsewhere = settings.model_copy(update={"overlay": tmp_path / "a" / "b"})
    await main(elsewhere)
    assert '"../../k8s/base"' in (tmp_path / "a" / "b" / "kustomization.yaml").read_text()


async def test_all_errors_are_reported_together(settings: Settings) -> None:
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


async def test_a_file_with_bom_and_crlf_is_read(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    settings.env_file.write_bytes(b"\xef\xbb\xbf" + SEED.replace("\n", "\r\n").encode())
    assert await main(settings) == 0
    assert '"namespace": "pixel"' in capsys.readouterr().out


async def test_a_file_over_the_limit_is_refused(settings: Settings) -> None:
    settings.env_file.write_text(SEED + "#" * MAX_FILE_BYTES)
    with pytest.raises(UsageError, match="is larger than"):
        await main(settings)


async def test_values_are_prompted_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.env_file.unlink()
    answers = ["pixel", "registry.example.com/pixel", "", "", "", "game", "", "", "play.example.com"]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(answers) + "\n" * 30))
    await main(settings.model_copy(update={"ask": True}))
    printed = capsys.readouterr()
    assert "UNREAL_IMAGE_NAME: name of the application's image []: " in printed.err
    assert "registry.example.com/pixel/game" in printed.out


async def test_a_folder_without_manifests_is_refused(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no base/kustomization\.yaml"):
        await main(settings.model_copy(update={"folder": tmp_path}))
