"""Rendered manifests: overlays, each component on the base, and the output of `pixelfleet configure`."""

import asyncio
import json
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from pixelfleet.service.errors import UsageError
from pixelfleet_cli.configure.app import main as configure
from pixelfleet_cli.configure.cluster_wide import WITHOUT_NAMESPACE
from pixelfleet_cli.configure.kubectl import render, usable_kubectl
from pixelfleet_cli.configure.settings import Settings
from tests.parts import require_part

ROOT: Final = Path(__file__).parents[2]
K8S: Final = ROOT / "k8s"
OVERLAYS: Final = sorted(each.name for each in (K8S / "overlays").iterdir())
COMPONENTS: Final = sorted(each.name for each in (K8S / "components").iterdir())
RENDERINGS: Final = [
    *(f"overlay {name}" for name in OVERLAYS),
    *(f"component {name}" for name in COMPONENTS),
    *(f"configure {name}" for name in ("least", "older", "most", "several", "several keda")),
]

Object = dict[str, Any]

LEAST: Final = {
    "NAMESPACE": "pixel",
    "REPO": "registry.example.com/pixel",
    "UNREAL_IMAGE_NAME": "game",
    "UNREAL_IMAGE_TAG": "1.0",
    "INGRESS_HOST": "play.example.com",
    "KUBERNETES": "1.35",
}
MOST: Final = {
    **LEAST,
    "NAMESPACE": "two",
    "REPO_SECRET": "ours",
    "UNREAL_REPO_SECRET": "theirs",
    "GATEWAY_CLASS": "envoy",
    "INGRESS_TLS_ISSUER": "letsencrypt",
    "GPU": "mig-2g.10gb",
    "KUBERNETES": "1.34",
    "AUTOSCALING": "keda",
    "STREAMS_MIN": "0",
    "STREAMS_MAX": "40",
    "STREAMS_WARM": "3",
    "MONITORING": "podmonitor",
    "REDIS_URL": "rediss://user:password@redis.example.com:6380/0",
    "POD_NETWORK": "10.42.0.0/15",
    "TURN_NODE_ADDRESS": "internal",
    "INGRESS_PATH": "/game",
    "PROXY_ENABLE": "true",
    "PROXY_AUTH_USERS": "ada:$apr1$rA8yVbN4$k0Hnb6BNRrq3UKlCMJ9wp1",
}

SEVERAL: Final = {
    **{name: value for name, value in LEAST.items() if not name.startswith("UNREAL")},
    "APPS": "game,viewer",
    "GAME_IMAGE": "registry.example.com/game:1.0",
    "GAME_MAX": "40",
    "GAME_WARM": "3",
    "GAME_CANARY_IMAGE": "registry.example.com/game:1.1",
    "GAME_CANARY_PERCENT": "10",
    "VIEWER_IMAGE": "registry.example.com/viewer@sha256:" + "0" * 64,
    "VIEWER_GPU": "share",
    "VIEWER_ARGS": "-log -ExecCmds='stat fps'",
    "VIEWER_LABELS": "region=eu",
    "PLAYER_AUTH": "jwt",
    "JWT_ISSUER": "https://login.example/realms/play",
    "JWT_AUDIENCE": "pixelfleet",
    "PROXY_ENABLE": "true",
    "PROXY_AUTH_USERS": MOST["PROXY_AUTH_USERS"],
}

CONFIGURED: Final = {
    "least": LEAST,
    "older": {**LEAST, "KUBERNETES": "1.29"},
    "most": MOST,
    "several": SEVERAL,
    "several keda": {**SEVERAL, "AUTOSCALING": "keda", "KUBERNETES": "1.34"},
}
"""The values of each output of `configure`."""

SECRETS: Final = {
    "matchmaker": [
        "redis-url=redis://:a-password@redis:6379/0",
        "session-key=a-key-of-thirty-two-bytes-or-more",
        "rest-token=a-token",
        "link-key=a-key-of-links-of-thirty-two-bytes",
    ],
    "stream": [
        "redis-url=redis://:a-password@redis:6379/0",
        "session-key=a-key-of-thirty-two-bytes-or-more",
        "drain-token=another-token",
    ],
    "redis": ["redis-password=a-password"],
    "router": [
        "session-key=a-key-of-thirty-two-bytes-or-more",
        "rest-token=a-token",
        "link-key=a-key-of-links-of-thirty-two-bytes",
    ],
    "router-users": ["users=" + MOST["PROXY_AUTH_USERS"]],
    "turn": ["turn-secret=a-secret-for-turn"],
}


def require_kubectl() -> None:
    """Skip the test without a sufficiently new kubectl; with CI=true, fail it."""
    require_part("kubectl")
    try:
        usable_kubectl()
    except UsageError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))


def objects(text: str) -> list[Object]:
    """Return the objects of a YAML stream."""
    return [each for each in yaml.load_all(text, Loader=yaml.CSafeLoader) if each]


@cache
def rendered(name: str) -> tuple[Object, ...]:
    """Return the objects of one of RENDERINGS."""
    kind, _, which = name.partition(" ")
    if kind == "overlay":
        return tuple(objects(render(K8S / "overlays" / which)))
    with tempfile.TemporaryDirectory() as folder:
        if kind == "component":
            return tuple(objects(_with_component(Path(folder), which)))
        return tuple(objects(configured(Path(folder), CONFIGURED[which])))


def configured(folder: Path, values: dict[str, str], manifests: Path = K8S) -> str:
    """Return what kustomize renders from the overlay that `pixelfleet configure` writes."""
    env_file = folder / "env"
    env_file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    overlay = folder / "overlay"
    asyncio.run(configure(Settings(env_file=env_file, folder=manifests, overlay=overlay, ask=False)))
    return render(overlay)


def _with_component(folder: Path, component: str) -> str:
    return with_component(folder, component, K8S)


def with_component(folder: Path, component: str, manifests: Path) -> str:
    """Return what kustomize renders from base with a component of a folder with manifests."""
    base = os.path.relpath(manifests, folder.resolve())
    kustomization: dict[str, Any] = {
        "namespace": "pixel",
        "resources": [f"{base}/base"],
        "components": [f"{base}/components/{component}"],
        "images": [{"name": "unreal", "newName": "registry.example.com/game", "newTag": "1.0"}],
        "secretGenerator": [{"name": name, "literals": literals} for name, literals in SECRETS.items()],
        "transformers": [WITHOUT_NAMESPACE],
    }
    if component == "branding":
        (folder / "branding.json").write_text("{}")
        kustomization["configMapGenerator"] = [{"name": "branding", "files": ["branding.json"]}]
    (folder / "kustomization.yaml").write_text(json.dumps(kustomization))
    return render(folder)
