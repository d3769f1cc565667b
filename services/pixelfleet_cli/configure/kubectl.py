"""kubectl: rendering of manifests, and commands to the cluster of its current context."""

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final

import orjson

from pixelfleet.service.errors import UsageError

MIN_VERSION: Final = (1, 27)
"""The first kubectl with kustomize 5, which the manifests need."""

ANSWER_SECONDS: Final = 5
"""Time for the cluster's API server to answer."""


def render(folder: Path) -> str:
    """Return the rendered manifests of a kustomization; raise UsageError without a usable kubectl or on its failure."""
    kubectl = usable_kubectl()
    code, out, err = _output(kubectl, "kustomize", str(folder))
    if code:
        raise UsageError(f"kubectl kustomize {folder}: {' '.join(err.split())[:500]}")
    return out


def cluster_version() -> str:
    """Return the version of the current context's cluster, such as `1.35`; empty when it does not answer in time."""
    kubectl = usable_kubectl()
    code, out, _ = _output(kubectl, "version", "--output=json", f"--request-timeout={ANSWER_SECONDS}s")
    version = _version(out, "serverVersion") if not code else None
    return f"{version[0]}.{version[1]}" if version else ""


def run(*arguments: str, stdin: bytes = b"") -> str:
    """Return the output of a kubectl command to the cluster; raise UsageError with its message when it fails."""
    command = [usable_kubectl(), *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, check=False)
    text = done.stdout.decode()
    # Discovery also fails for an API of metrics whose server is away, and prints all others.
    if done.returncode and not (arguments[0] == "api-resources" and "deployments.apps" in text):
        reason = " ".join(done.stderr.decode("utf-8", "replace").split())[:2000]
        raise UsageError(f"kubectl {' '.join(arguments[:2])}: {reason}")
    sys.stderr.write(done.stderr.decode("utf-8", "replace"))  # warnings of the API server
    return text


def usable_kubectl() -> str:
    """Return the path of a kubectl of at least MIN_VERSION; raise UsageError when there is none."""
    needed = f"kubectl {MIN_VERSION[0]}.{MIN_VERSION[1]} or newer is needed"
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        raise UsageError(f"{needed}, and there is none on PATH")
    version = _client_version(kubectl)
    if version is None:
        raise UsageError(f"{needed}, and the version of {kubectl} is unknown")
    if version < MIN_VERSION:
        raise UsageError(f"{needed}, and {kubectl} is {version[0]}.{version[1]}")
    return kubectl


@cache
def _client_version(kubectl: str) -> tuple[int, int] | None:
    code, out, _ = _output(kubectl, "version", "--client", "--output=json")
    return _version(out) if not code else None


def _version(text: str, side: str = "clientVersion") -> tuple[int, int] | None:
    try:
        found = re.match(r"v(\d+)\.(\d+)\.", orjson.loads(text)[side]["gitVersion"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    return (int(found[1]), int(found[2])) if found else None


def _output(*command: str) -> tuple[int, str, str]:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode("utf-8", "replace")
