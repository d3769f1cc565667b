import io
import json
import sys
from pathlib import Path

import pytest

from pixelfleet.service.errors import UsageError
from pixelfleet_cli.configure import app
from pixelfleet_cli.configure.app import MAX_BRANDING_BYTES, MAX_FILE_BYTES, main
from pixelfleet_cli.configure.installation import LAST_APPLIED
from pixelfleet_cli.configure.registry import RegistryError
from pixelfleet_cli.configure.settings import Settings
from tests.unit.pixelfleet_cli.configure.test_kubectl import put_kubectl
from tests.unit.pixelfleet_cli.configure.test_values import SEED

PRINTS = """[ $1 = version ] && echo '{"clientVersion": {"gitVersion": "v1.30.0"}}' && exit
cat "$2/kustomization.yaml" """


DIGEST = f"sha256:{'0' * 64}"


class Registry:
    """A registry that knows each image but one with the name `unknown`."""

    async def __call__(self, image: str) -> str:
        if "unknown" in image:
            raise RegistryError("registry.example.com: HTTP status 404, without a digest")
        return DIGEST


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings for a folder with manifests, a .env, and a kubectl that prints the overlay."""
    (tmp_path / "bin").mkdir()
    put_kubectl(tmp_path / "bin", monkeypatch, PRINTS)
    (tmp_path / "k8s" / "base").mkdir(parents=True)
    (tmp_path / "k8s" / "base" / "kustomization.yaml").write_text("")
    (tmp_path / ".env").write_text(SEED)
    monkeypatch.setattr(app, "digest_of", Registry())
    return Settings(env_file=tmp_path / ".env", folder=tmp_path / "k8s")


async def test_only_the_manifests_go_to_stdout(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert await main(settings) == 0
    printed = capsys.readouterr()
    assert '"namespace": "pixel"' in printed.out
    assert "TURN_USER and TURN_PASS are no longer used" in printed.err
    assert "warning" not in printed.out


@pytest.mark.parametrize(("version", "warned"), [("1.29", True), ("", True), ("1.30", False)])
async def test_the_loss_on_a_cluster_without_admission_policies_is_reported(
    settings: Settings, capsys: pytest.CaptureFixture[str], version: str, warned: bool
) -> None:
    settings.env_file.write_text(f"{SEED}\nKUBERNETES={version}\nAUTOSCALING=none\n")
    assert await main(settings) == 0
    printed = capsys.readouterr()
    assert ("sidecars get none and mark no pod" in printed.err) is warned
    assert ("components/pod-marks" in printed.out) is not warned


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


CLUSTER = """echo "$@" >> "$LOG"
case "$1 $2" in
"version "*) echo '{"clientVersion": {"gitVersion": "v1.30.0"}, "serverVersion": {"gitVersion": "v1.36.0"}}';;
"kustomize "*) cat "$2/kustomization.yaml";;
"api-resources "*) echo horizontalpodautoscalers.autoscaling; echo deployments.apps; echo secrets; exit 1;;
"get deployments.apps") cat "$STREAMS";;
"get pods") echo '{"items": []}';;
"get horizontalpodautoscalers.autoscaling") echo '{"items": []}';;
"get "*) echo '{"items": [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "stream-old"}}]}';;
"apply set-last-applied") cat > "$RELEASED";;
*) cat > /dev/null; echo done;;
esac"""

OLD_STREAM = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "stream",
        "annotations": {LAST_APPLIED: json.dumps({"metadata": {"name": "stream"}, "spec": {"replicas": 6}})},
    },
    "spec": {"replicas": 4},
}


@pytest.fixture
def logged(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The log of a kubectl in whose cluster an earlier version has been applied."""
    put_kubectl(tmp_path / "bin", monkeypatch, CLUSTER)
    (tmp_path / "streams").write_text(json.dumps({"items": [OLD_STREAM]}))
    for name in ("LOG", "STREAMS", "RELEASED"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    return tmp_path / "log"


def commands(log: Path) -> list[str]:
    return log.read_text().splitlines()


def changing(log: Path) -> list[str]:
    """Return the commands that change the cluster, without their options."""
    words = (each.partition(" --")[0] for each in commands(log) if "--dry-run" not in each)
    return [each for each in words if each.split()[0] in ("apply", "delete", "scale")]


async def test_applying_releases_the_number_of_streams_first_and_deletes_leftovers_last(
    settings: Settings, logged: Path, tmp_path: Path
) -> None:
    await main(settings.model_copy(update={"action": "apply"}))
    assert changing(logged) == ["apply set-last-applied", "apply", "delete secret/stream-old"]
    assert json.loads((tmp_path / "released").read_text()) == {"metadata": {"name": "stream"}, "spec": {}}


async def test_deleting_needs_no_overlay(settings: Settings, logged: Path) -> None:
    await main(settings.model_copy(update={"action": "delete"}))
    assert changing(logged) == ["delete secret/stream-old"]
    assert not (settings.folder / "overlay").exists()


async def test_printed_manifests_repeat_the_number_that_an_earlier_version_applied(
    settings: Settings, logged: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await main(settings)
    assert changing(logged) == []
    printed = capsys.readouterr()
    assert r"{\"op\": \"add\", \"path\": \"/spec/replicas\", \"value\": 4}" in printed.out
    assert "an earlier version applied spec.replicas" in printed.err


async def test_a_branding_is_copied_into_the_overlay(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "brand"
    folder.mkdir()
    settings.env_file.write_text(f"{SEED}BRANDING={folder}\n")
    with pytest.raises(UsageError, match=r"BRANDING: .* has no branding\.json"):
        await main(settings)
    (folder / "branding.json").write_text("{}")
    (folder / "logo.png").write_bytes(b"\xff")
    await main(settings)
    copied = settings.folder / "overlay" / "branding"
    assert sorted(each.name for each in copied.iterdir()) == ["branding.json", "logo.png"]
    (folder / "logo.png").write_bytes(bytes(MAX_BRANDING_BYTES))
    with pytest.raises(UsageError, match="too much for a ConfigMap"):
        await main(settings)


async def test_several_applications_with_an_older_cluster_need_keda(settings: Settings) -> None:
    lines = [line for line in SEED.splitlines() if not line.startswith(("UNREAL_REPO=", "UNREAL_IMAGE_NAME"))]
    lines += ["APPS=game,viewer", "GAME_IMAGE=a/game:1", "VIEWER_IMAGE=a/viewer:1", "KUBERNETES=1.34"]
    settings.env_file.write_text("\n".join(lines))
    with pytest.raises(UsageError, match=r"APPS: AUTOSCALING=hpa needs Kubernetes 1\.35 or newer; use keda"):
        await main(settings)
    settings.env_file.write_text("\n".join([*lines, "AUTOSCALING=keda"]))
    assert await main(settings) == 0


async def test_latest_is_pinned_with_a_warning(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    await main(settings)
    printed = capsys.readouterr()
    assert printed.out.count(f'"digest": "{DIGEST}"') == 2
    assert f"IMAGE_TAG: latest names no version; it is pinned to {DIGEST}" in printed.err
    assert f"UNREAL_IMAGE_TAG: latest names no version; it is pinned to {DIGEST}" in printed.err


async def test_latest_is_refused_when_the_registry_does_not_know_it(settings: Settings) -> None:
    settings.env_file.write_text(SEED.replace("my-pixelstream", "unknown", 1))
    with pytest.raises(UsageError, match=r"UNREAL_IMAGE_TAG: the digest of .*/unknown:latest is not known"):
        await main(settings)
    assert not (settings.folder / "overlay").exists()


async def test_versions_are_pinned_on_request_only(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    versions = SEED.replace("latest", "1.0")
    settings.env_file.write_text(versions)
    await main(settings)
    assert "digest" not in capsys.readouterr().out
    settings.env_file.write_text(f"{versions}IMAGE_DIGESTS=true\n")
    await main(settings)
    printed = capsys.readouterr()
    assert printed.out.count(f'"digest": "{DIGEST}"') == 2
    assert "names no version" not in printed.err


async def test_without_a_cluster_no_further_command_waits_for_one(
    settings: Settings, logged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_kubectl(tmp_path / "bin", monkeypatch, CLUSTER.replace(', "serverVersion": {"gitVersion": "v1.36.0"}', ""))
    await main(settings)
    assert {each.split()[0] for each in commands(logged)} == {"version", "kustomize"}


async def test_the_values_of_each_application_are_prompted_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{chr(10) * 200}"))
    lines = [line for line in SEED.splitlines() if not line.startswith(("UNREAL_REPO=", "UNREAL_IMAGE_NAME"))]
    settings.env_file.write_text("\n".join([*lines, "APPS=game", "GAME_IMAGE=a/game:1", "KUBERNETES=1.35"]))
    await main(settings.model_copy(update={"ask": True}))
    assert "GAME_IMAGE: image with its tag or digest [a/game:1]: " in capsys.readouterr().err
