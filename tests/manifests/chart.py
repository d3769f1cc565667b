"""The Helm chart, rendered by Helm, and its values for those of `pixelfleet configure`."""

import base64
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from copy import deepcopy
from itertools import count
from pathlib import Path
from typing import Any

from pixelfleet_cli.configure.overlay import overlay_files
from pixelfleet_cli.configure.secret_values import secret_files, secrets_of
from pixelfleet_cli.configure.values import checked, prefix
from tests.manifests.rendering import K8S, Object, objects
from tests.parts import missing_part
from tools.chart.files import CHART
from tools.chart.renderings import kustomized, unhashed

Values = dict[str, Any]


def require_helm() -> str:
    """Return the path of Helm; without it end as `missing_part` does."""
    here = Path(sys.executable).parent
    found = shutil.which("helm", path=f"{here}{os.pathsep}{os.environ['PATH']}")
    return found or missing_part("helm is neither in the environment nor on PATH; scripts/helm installs it")


def helm(namespace: str, values: Values, *options: str, chart: Path = CHART) -> "subprocess.CompletedProcess[str]":
    """Return the finished `helm template` for these values."""
    command = [require_helm(), "template", "release", str(chart), f"--namespace={namespace}", "--values=-", *options]
    return subprocess.run(command, input=json.dumps(values), text=True, capture_output=True, check=False)


def charted(namespace: str, values: Values, version: str = "1.35") -> list[Object]:
    """Return the objects of the chart on a cluster of this version."""
    done = helm(namespace, values, f"--kube-version={version}")
    assert done.returncode == 0, done.stderr
    return objects(done.stdout)


def overlaid(folder: Path, environ: Mapping[str, str]) -> tuple[list[Object], dict[str, str]]:
    """Return what kustomize renders for values of `configure`, and its secrets by key.

    It is the overlay of that command, without the command's own questions to kubectl, which cost most of the time.
    """
    values = checked(environ, {})
    numbers = count()
    secrets = secrets_of(values, {}, lambda: f"{next(numbers):048d}")
    branding = _texts(values["BRANDING"])
    texts = overlay_files(values, os.path.relpath(K8S, folder.resolve()), list(branding))
    texts |= secret_files(values, secrets) | {f"branding/{name}": text for name, text in branding.items()}
    return unhashed(kustomized(folder.resolve(), texts)), secrets


def values_of(environ: Mapping[str, str], secrets: Mapping[str, str]) -> Values:
    """Return the values of the chart for those of `configure`; `secrets` are its generated ones."""
    values = checked(environ, {})
    apps = [each for each in values["APPS"].split(",") if each]
    name, _, digest = values["IMAGE_TAG"].partition("sha256:")
    first, last = map(int, values["TURN_RELAY_PORTS"].split("-"))
    found = {
        "image": {"repository": f"{values['REPO']}/pixelfleet", "tag": name, "digest": digest and f"sha256:{digest}"},
        "imagePullSecrets": [
            each for each in dict.fromkeys((values["REPO_SECRET"], values["UNREAL_REPO_SECRET"])) if each
        ],
        "ingress": {
            "host": values["INGRESS_HOST"],
            "path": values["INGRESS_PATH"],
            "className": values["INGRESS_CLASS"],
            "gatewayClassName": values["GATEWAY_CLASS"],
            "tls": {"issuer": values["INGRESS_TLS_ISSUER"], "issuerKind": values["INGRESS_TLS_ISSUER_KIND"]},
            "trustedProxies": int(values["TRUSTED_PROXIES"]),
        },
        "application": _application(values, "") if not apps else {},
        "applications": [{"name": app, **_application(values, prefix(app))} for app in apps],
        "autoscaling": {"kind": values["AUTOSCALING"]},
        "monitoring": {"kind": values["MONITORING"]},
        "redis": {"bundled": not values["REDIS_URL"], "url": values["REDIS_URL"]},
        "turn": {
            "port": int(values["TURN_PORT"]),
            "metricsPort": int(values["TURN_METRICS_PORT"]),
            "relayPorts": {"first": first, "last": last},
            "nodeAddress": values["TURN_NODE_ADDRESS"],
            "podNetwork": values["POD_NETWORK"],
        },
        "players": {
            "auth": values["PLAYER_AUTH"],
            "jwt": {"issuer": values["JWT_ISSUER"], "audience": _words(values["JWT_AUDIENCE"])},
            "labels": _words(values["PLAYER_LABELS"]),
        },
        "users": {
            "htpasswd": _words(values["PROXY_AUTH_USERS"]),
            "proxy": values["PROXY_ENABLE"] == "true",
            "dashboard": values["DASHBOARD_ENABLE"] == "true",
        },
        "secrets": {_camel(key): value for key, value in secrets.items() if key != "redis-url"},
    }
    if values["BRANDING"]:
        found["branding"] = _texts(values["BRANDING"])
    return found


def changed(changes: Mapping[str, object], values: Values) -> Values:
    """Return a copy of values with others at these paths."""
    found = deepcopy(values)
    for path, value in changes.items():
        *parents, last = path.split(".")
        part = found
        for each in parents:
            part = part.setdefault(each, {})
        part[last] = value
    return found


def comparable(things: Iterable[Object]) -> dict[str, Object]:
    """Return objects by title, without what has no meaning: the order of named entries, and checksums of Helm alone."""
    found = {f"{each['kind']}/{each['metadata']['name']}": _plain(each) for each in things}
    for title, thing in found.items():
        if title.startswith("Secret/"):  # kustomize breaks the lines of Base64
            thing["data"] = {key: base64.b64decode(value) for key, value in thing["data"].items()}
    return found


def _texts(folder: str) -> dict[str, str]:
    """Return the files of a folder; none for an empty name."""
    return {each.name: each.read_text() for each in Path(folder).iterdir()} if folder else {}


def _application(values: Mapping[str, str], start: str) -> Values:
    if start:
        keys = {key: values[start + key] for key in ("IMAGE", "GPU", "ARGS", "LABELS", "MIN", "MAX", "WARM")}
    else:
        keys = {key: values[f"UNREAL_{key}"] for key in ("ARGS", "LABELS")}
        keys |= {key: values[f"STREAMS_{key}"] for key in ("MIN", "MAX", "WARM")} | {"GPU": values["GPU"]}
        tag = values["UNREAL_IMAGE_TAG"]
        keys["IMAGE"] = f"{values['UNREAL_REPO']}/{values['UNREAL_IMAGE_NAME']}{'@' if 'sha256:' in tag else ':'}{tag}"
    found: Values = {
        "image": keys["IMAGE"],
        "gpu": keys["GPU"],
        "min": int(keys["MIN"]),
        "max": int(keys["MAX"]),
        "warm": int(keys["WARM"]),
        "args": shlex.split(keys["ARGS"]),
        "labels": dict(pair.split("=", 1) for pair in _words(keys["LABELS"])),
    }
    if start and values[f"{start}CANARY_IMAGE"]:
        found["canary"] = {"image": values[f"{start}CANARY_IMAGE"], "percent": int(values[f"{start}CANARY_PERCENT"])}
    return found


def _words(text: str) -> list[str]:
    return [each for each in text.split(",") if each]


def _camel(key: str) -> str:
    first, *rest = key.split("-")
    return first + "".join(each.title() for each in rest)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        listed = [_plain(each) for each in value]
        named = all(isinstance(each, dict) and "name" in each for each in listed)
        return sorted(listed, key=lambda each: str(each["name"])) if named else listed
    if isinstance(value, dict):
        entries = {key: _plain(each) for key, each in value.items() if not key.startswith("checksum/")}
        return {key: each for key, each in entries.items() if each != {} or key != "annotations"}
    return _parsed(value) if isinstance(value, str) and value.startswith("{") else value


def _parsed(text: str) -> Any:
    """Return JSON in a setting as its value, because only its spaces differ."""
    try:
        return json.loads(text)
    except ValueError:
        return text
