"""The command `pixelfleet configure`: reads or prompts for values, writes the overlay, prints the manifests."""

import asyncio
import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pixelfleet.service.errors import UsageError, warn
from pixelfleet_cli.configure import changes
from pixelfleet_cli.configure.cluster_wide import ADMISSION_SINCE, marks_pods
from pixelfleet_cli.configure.images import MOVING, split, to_pin
from pixelfleet_cli.configure.kubectl import cluster_version, render, run, usable_kubectl
from pixelfleet_cli.configure.overlay import overlay_files
from pixelfleet_cli.configure.registry import RegistryError, digest_of
from pixelfleet_cli.configure.secret_values import secret_files, secrets_of
from pixelfleet_cli.configure.settings import Settings
from pixelfleet_cli.configure.streams import EXACT_SINCE, scales_in_excess, streams_of
from pixelfleet_cli.configure.values import NAMES, Name, ValuesError, checked, names_of, parse

MAX_FILE_BYTES: Final = 1024 * 1024
MAX_BRANDING_BYTES: Final = 700_000
"""A ConfigMap has at most a MiB, and files that are not text grow by a third."""
SECRETS_FILE: Final = "secrets.env"
"""The file of the overlay with all secrets, which later runs keep."""


async def main(settings: Settings) -> int:
    """Print, apply or delete the manifests and return 0; raise UsageError with all missing and invalid values."""
    await asyncio.to_thread(usable_kubectl)
    values = await asyncio.to_thread(_values, settings)
    if settings.action != "delete":
        values |= await _pinned(values)
    await asyncio.to_thread(_configure, settings, values)
    return 0


async def _pinned(values: Mapping[str, str]) -> dict[str, str]:
    """Return the values of images with the digests of their registries; raise UsageError with all failures."""
    pinned, wrong = {}, []
    for name, image in to_pin(values).items():
        try:
            digest = await digest_of(image)
            pinned[name] = f"{values[name]}@{digest}"
            if split(image)[1] == MOVING:
                warn(f"{name}: {MOVING} names no version; it is pinned to {digest}")
        except RegistryError as error:
            wrong.append(f"{name}: the digest of {image} is not known ({error}); give a version or a digest")
    if wrong:
        raise UsageError("\n  ".join(["images:", *wrong]))
    return pinned


def _configure(settings: Settings, values: dict[str, str]) -> None:
    folder = settings.folder.resolve()
    if settings.action == "delete":
        _show(changes.delete(run, values["NAMESPACE"]))
        return
    found_version = cluster_version()
    values["KUBERNETES"] = values["KUBERNETES"] or found_version
    if scales_in_excess(values) and values["AUTOSCALING"] == "hpa" and values["APPS"]:
        raise UsageError(f"APPS: AUTOSCALING=hpa needs Kubernetes {_version(EXACT_SINCE)} or newer; use keda")
    overlay = (settings.overlay or settings.folder / "overlay").resolve()
    held = _held(values) if settings.action == "print" and found_version else {}
    _write(overlay, folder, values, held)
    manifests = render(overlay)
    if settings.action == "print":
        _show(manifests)
    else:
        least = {each.deployment: each.minimum for each in streams_of(values)}
        _show(changes.apply(run, values["NAMESPACE"], manifests, least))
    if values["TURN_USER"] or values["TURN_PASS"]:
        warn("TURN_USER and TURN_PASS are no longer used: each session has its own credentials")
    if scales_in_excess(values):
        warn(_excess(values["KUBERNETES"]))
    if not marks_pods(values):
        warn(_unmarked(values["KUBERNETES"]))
    warn(f"the overlay is in {overlay}; keep its {SECRETS_FILE} and its folder secrets safe and secret")


def _show(text: str) -> None:
    print(text, end="")  # noqa: T201 - the output of the command


def _held(values: Mapping[str, str]) -> dict[str, int]:
    """Return the numbers of streams that must stay in the manifests, so that applying these changes no number."""
    try:
        numbers = changes.held(run, values["NAMESPACE"])
    except UsageError:  # no right to read it
        return {}
    if numbers:
        warn(
            f"an earlier version applied spec.replicas, so the manifests repeat it: {numbers}; "
            "`pixelfleet configure --action apply` releases it without a change of the number"
        )
    return numbers


def _excess(version: str) -> str:
    """Return a warning about the cost of autoscaling on a cluster before 1.35, or of an unknown version."""
    which = (
        f"Kubernetes {version}" if version else "no cluster answered, so its version is taken for older than 1.35: it"
    )
    return (
        f"{which} ignores deviations of 10 %, so up to a tenth of the streams and one more start in excess; "
        f"set KUBERNETES={_version(EXACT_SINCE)} or newer if that is the cluster's version"
    )


def _unmarked(version: str) -> str:
    """Return a warning about the loss on a cluster that cannot limit the sidecars' right, or of an unknown version."""
    which = f"Kubernetes {version}" if version else "no cluster answered, so its version is taken for an old one: it"
    return (
        f"{which} cannot limit a right to one pod, so sidecars get none and mark no pod: scaling down may remove busy "
        f"pods, whose drain then protects their players; set KUBERNETES={_version(ADMISSION_SINCE)} or newer if that "
        "is the version"
    )


def _version(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _values(settings: Settings) -> dict[str, str]:
    if not (settings.folder / "base" / "kustomization.yaml").is_file():
        raise UsageError(f"--folder {settings.folder}: has no base/kustomization.yaml")
    file_values: dict[str, str] = {}
    exists = settings.env_file.exists()
    try:
        if exists:
            file_values = parse(_read(settings.env_file))
        if settings.ask or (settings.ask is None and not exists and sys.stdin.isatty()):
            file_values = _prompted(file_values)
        return checked(file_values, os.environ)
    except ValuesError as error:
        where = f"--env-file {settings.env_file}{'' if exists else ' (missing) and the environment'}"
        raise UsageError("\n  ".join([f"{where}:", *error.lines])) from None


def _prompted(file_values: Mapping[str, str]) -> dict[str, str]:
    """Prompt for each value, then for those of each application; an empty line accepts the suggestion."""
    answers = dict(file_values)
    _ask(NAMES, answers)
    apps = [each for each in answers["APPS"].split(",") if each]
    _ask({name: known for name, known in names_of(apps).items() if name not in NAMES}, answers)
    return answers


def _ask(names: Mapping[str, Name], answers: dict[str, str]) -> None:
    for name, known in names.items():
        if known.meaning.startswith("is no longer used"):
            continue
        suggestion = answers.get(name) or os.environ.get(name) or known.default or ""
        sys.stderr.write(f"{name}: {known.meaning} [{suggestion}]: ")
        sys.stderr.flush()
        answers[name] = sys.stdin.readline().strip() or suggestion


def _write(overlay: Path, folder: Path, values: Mapping[str, str], held: Mapping[str, int]) -> None:
    secrets_file = overlay / SECRETS_FILE
    try:
        existing = _pairs(secrets_file.read_text(encoding="utf-8")) if secrets_file.exists() else {}
        overlay.mkdir(parents=True, exist_ok=True)
        for generated in ("apps", "secrets", "branding"):
            shutil.rmtree(overlay / generated, ignore_errors=True)
        content = secrets_of(values, existing, lambda: secrets.token_hex(24))
        _write_secretly(secrets_file, "".join(f"{key}={value}\n" for key, value in content.items()))
        for name, text in secret_files(values, content).items():
            _write_secretly(overlay / name, text)
        branding = _copied(values, overlay / "branding")
        base = os.path.relpath(folder, overlay)
        for name, text in overlay_files(values, base, branding, held).items():
            (overlay / name).parent.mkdir(parents=True, exist_ok=True)
            (overlay / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--overlay {overlay}: {error.strerror or error}") from None


def _write_secretly(path: Path, text: str) -> None:
    """Write a new file that replaces the old one: it is never lost, and never readable for other users."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def _copied(values: Mapping[str, str], target: Path) -> list[str]:
    """Copy the branding into the overlay, outside of which kustomize reads no file; return the files' names."""
    if not values["BRANDING"]:
        return []
    source = Path(values["BRANDING"])
    if not (source / "branding.json").is_file():
        raise UsageError(f"BRANDING: {source} has no branding.json")
    files = sorted(each for each in source.iterdir() if each.is_file() and not each.name.startswith("."))
    if sum(each.stat().st_size for each in files) > MAX_BRANDING_BYTES:
        raise UsageError(f"BRANDING: {source} has more than {MAX_BRANDING_BYTES} bytes, too much for a ConfigMap")
    target.mkdir()
    for each in files:
        shutil.copyfile(each, target / each.name)
    return [each.name for each in files]


def _pairs(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise UsageError(f"--env-file {path}: is larger than {MAX_FILE_BYTES} bytes")
        return content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise UsageError(f"--env-file {path}: {reason}") from None
