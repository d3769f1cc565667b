"""The command `pixelfleet configure`: reads or prompts for values, writes the overlay, prints the manifests."""

import asyncio
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pixelfleet.service.errors import UsageError, warn
from pixelfleet_cli.configure.cluster_wide import ADMISSION_SINCE, marks_pods
from pixelfleet_cli.configure.kubectl import cluster_version, render, usable_kubectl
from pixelfleet_cli.configure.overlay import EXACT_SINCE, SECRETS_FILE, kustomization, scales_in_excess, secrets_of
from pixelfleet_cli.configure.settings import Settings
from pixelfleet_cli.configure.values import NAMES, ValuesError, checked, parse

MAX_FILE_BYTES: Final = 1024 * 1024


async def main(settings: Settings) -> int:
    """Print the manifests and return 0; raise UsageError with all missing and invalid values by name."""
    await asyncio.to_thread(_configure, settings)
    return 0


def _configure(settings: Settings) -> None:
    usable_kubectl()
    folder = settings.folder.resolve()
    if not (folder / "base" / "kustomization.yaml").is_file():
        raise UsageError(f"--folder {settings.folder}: has no base/kustomization.yaml")
    values = _values(settings)
    if not values["KUBERNETES"]:
        values["KUBERNETES"] = cluster_version()
    overlay = (settings.overlay or settings.folder / "overlay").resolve()
    _write(overlay, folder, values)
    manifests = render(overlay)
    print(manifests, end="")  # noqa: T201 - the output of the command
    if values["TURN_USER"] or values["TURN_PASS"]:
        warn("TURN_USER and TURN_PASS are no longer used: each session has its own credentials")
    if scales_in_excess(values):
        warn(_excess(values["KUBERNETES"]))
    if not marks_pods(values):
        warn(_unmarked(values["KUBERNETES"]))
    warn(f"the overlay is in {overlay}; keep its {SECRETS_FILE} safe and secret")


def _excess(version: str) -> str:
    """Return a warning about the cost of autoscaling on a cluster before 1.35, or of an unknown version."""
    which = (
        f"Kubernetes {version}" if version else "no cluster answered, so its version is taken for older than 1.35: it"
    )
    first = f"{EXACT_SINCE[0]}.{EXACT_SINCE[1]}"
    return (
        f"{which} ignores deviations of 10 %, so up to a tenth of the streams and one more start in excess; "
        f"set KUBERNETES={first} or newer if that is the cluster's version"
    )


def _unmarked(version: str) -> str:
    """Return a warning about the loss on a cluster that cannot limit the sidecars' right, or of an unknown version."""
    first = f"{ADMISSION_SINCE[0]}.{ADMISSION_SINCE[1]}"
    which = f"Kubernetes {version}" if version else "no cluster answered, so its version is taken for an old one: it"
    return (
        f"{which} cannot limit a right to one pod, so sidecars get none and mark no pod: scaling down may remove busy "
        f"pods, whose drain then protects their players; set KUBERNETES={first} or newer if that is the version"
    )


def _values(settings: Settings) -> dict[str, str]:
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
    """Prompt for each value at the terminal; an empty line accepts the suggestion."""
    answers = dict(file_values)
    for name, known in NAMES.items():
        if known.meaning.startswith("is no longer used"):
            continue
        suggestion = file_values.get(name) or os.environ.get(name) or known.default or ""
        sys.stderr.write(f"{name}: {known.meaning} [{suggestion}]: ")
        sys.stderr.flush()
        answers[name] = sys.stdin.readline().strip() or suggestion
    return answers


def _write(overlay: Path, folder: Path, values: Mapping[str, str]) -> None:
    secrets_file = overlay / SECRETS_FILE
    try:
        existing = _pairs(secrets_file.read_text(encoding="utf-8")) if secrets_file.exists() else {}
        overlay.mkdir(parents=True, exist_ok=True)
        content = secrets_of(values, existing, lambda: secrets.token_hex(24))
        # Written to a new file that replaces the old one: it is never lost, and never readable for other users.
        fresh = overlay / f"{SECRETS_FILE}.new"
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.writelines(f"{key}={value}\n" for key, value in content.items())
        fresh.replace(secrets_file)
        base = os.path.relpath(folder, overlay)
        (overlay / "kustomization.yaml").write_text(kustomization(values, base), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--overlay {overlay}: {error.strerror or error}") from None


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
