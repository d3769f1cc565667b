"""The Helm chart has the same objects as kustomize renders, because its templates are made of the manifests."""

import re
from pathlib import Path
from typing import Final

import pytest

from pixelfleet_cli.configure.values import NAMES
from tests.manifests.chart import Values, charted, comparable, overlaid, require_helm, values_of
from tests.manifests.rendering import (
    COMPONENTS,
    CONFIGURED,
    LEAST,
    MOST,
    rendered,
    require_kubectl,
)
from tools.chart.choices import CHOICES, COVERED_OTHERWISE
from tools.chart.files import CHART, templates
from tools.chart.renderings import components_of, unhashed

USERS: Final = MOST["PROXY_AUTH_USERS"]
JWT: Final = {"PLAYER_AUTH": "jwt", "JWT_ISSUER": "http://login.example:8443/", "JWT_AUDIENCE": "one,two"}
TLS: Final = {"INGRESS_TLS_ISSUER": "ours", "INGRESS_TLS_ISSUER_KIND": "Issuer"}
BY_HAND: Final = {"_helpers.tpl", "NOTES.txt", "branding.yaml", "checks.yaml", "secrets.yaml"}
"""Templates that are not made of the manifests."""

OF_HELM: Final = {"NAMESPACE", "KUBERNETES", "IMAGE_DIGESTS", "TURN_USER", "TURN_PASS", "PROXY_PATH_PREFIX"}
"""Values of `configure` that the chart has not: Helm knows the first two, and the others have no effect on objects."""

SAME_AS_CONFIGURE: dict[str, dict[str, str]] = {
    **CONFIGURED,
    "ingress": {**LEAST, **TLS, "INGRESS_CLASS": "nginx", "INGRESS_PATH": "/game", "TRUSTED_PROXIES": "2"},
    "gateway": {**LEAST, "GATEWAY_CLASS": "envoy", "INGRESS_PATH": "/game", "AUTOSCALING": "hpa-ratio"},
    "gateway of namespace": {**LEAST, **TLS, "GATEWAY_CLASS": "envoy", "AUTOSCALING": "none", "KUBERNETES": "1.30"},
    "links": {**LEAST, "PLAYER_AUTH": "link", "DASHBOARD_ENABLE": "true", "PROXY_AUTH_USERS": f"{USERS},{USERS}"},
    "proxy and tokens": {**LEAST, **JWT, "PROXY_ENABLE": "true", "PROXY_AUTH_USERS": USERS, "GPU": "share"},
    "tokens": {**LEAST, **JWT, "PLAYER_LABELS": "region", "UNREAL_LABELS": "region=eu,b=1", "UNREAL_ARGS": "-a '-b c'"},
    "ports": {
        **LEAST,
        "INGRESS_TLS_ISSUER": "letsencrypt",
        "TURN_PORT": "3500",
        "TURN_METRICS_PORT": "9700",
        "TURN_RELAY_PORTS": "20000-20099",
        "POD_NETWORK": "172.16.128.0/20",
        "IMAGE_TAG": "sha256:" + "1" * 64,
        "UNREAL_IMAGE_TAG": "sha256:" + "2" * 64,
    },
}


DEMO: Values = {
    "image": {"repository": "pixelfleet"},
    "ingress": {"enabled": False, "trustedProxies": 0},
    "application": {"testStreamer": True},
    "imagePull": False,
    "autoscaling": {"kind": "none", "services": False},
    "turn": {"nodeAddress": "internal", "podNetwork": "10.0.0.0/8"},
    "secrets": {
        "sessionKey": "demo-only-demo-only-demo-only-demo-only",
        "restToken": "demo-only-demo-only",
        "drainToken": "demo-only-demo-only",
        "turnSecret": "demo-only-demo-only-turn",
        "redisPassword": "demoonlydemoonly",
    },
}
EXAMPLE: Values = {
    "image": {"repository": "registry.example.com/pixelfleet"},
    "imagePullSecrets": ["registry"],
    "ingress": {"host": "pixelfleet.example.com"},
    "application": {"image": "registry.example.com/my-game:1.0"},
}
KEDA: Values = {
    **EXAMPLE,
    "imagePullSecrets": [],
    "ingress": {"host": "pixelfleet.example.com", "gatewayClassName": "pixelfleet"},
    "application": {**EXAMPLE["application"], "gpu": "mig-1g.5gb", "min": 0},
    "imagePull": False,
    "autoscaling": {"kind": "keda"},
    "monitoring": {"kind": "podmonitor"},
    "redis": {"bundled": False, "url": "rediss://user:replace-this@redis.example.com:6380/0"},
}
OVERLAYS: dict[str, tuple[str, Values, str]] = {
    "demo": ("demo", DEMO, "1.29"),
    "example": ("pixel", EXAMPLE, "1.35"),
    "example-keda": ("pixel", KEDA, "1.35"),
}


@pytest.fixture(scope="module", autouse=True)
def _programs() -> None:
    require_kubectl()
    require_helm()


@pytest.mark.parametrize("name", SAME_AS_CONFIGURE)
def test_the_chart_has_the_objects_that_configure_writes(name: str, tmp_path: Path) -> None:
    environ = dict(SAME_AS_CONFIGURE[name])
    if name == "links":
        (tmp_path / "branding").mkdir()
        (tmp_path / "branding" / "branding.json").write_text('{"title": "Ours"}')
        environ["BRANDING"] = str(tmp_path / "branding")
    expected, secrets = overlaid(tmp_path / "overlay", environ)
    found = charted(environ["NAMESPACE"], values_of(environ, secrets), environ["KUBERNETES"])
    assert comparable(found).keys() == comparable(expected).keys()
    assert comparable(found) == comparable(expected)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_chart_has_the_objects_of_each_overlay(overlay: str) -> None:
    namespace, values, version = OVERLAYS[overlay]
    expected = comparable(unhashed(rendered(f"overlay {overlay}")))
    found = comparable(charted(namespace, values, version))
    for title, thing in found.items():
        if title.startswith("Secret/"):  # those of the overlays are to be replaced
            assert thing.pop("data").keys() == expected[title].pop("data").keys()
    if overlay == "example-keda":
        queries = [each["ScaledObject/stream"]["spec"]["triggers"][0]["metadata"] for each in (found, expected)]
        # The overlay is written for one installation, whose namespace it need not name.
        assert queries[0].pop("query").replace(',namespace="pixel"', "") == queries[1].pop("query")
    if overlay == "demo":  # without an entry, it leaves this to the default of the router
        assert found["ConfigMap/router"]["data"].pop("PIXELFLEET_ROUTER_TRUSTED_PROXIES") == "0"
    assert found.keys() == expected.keys()
    assert found == expected


def test_the_templates_are_up_to_date() -> None:
    written = {path.name: path.read_text() for path in (CHART / "templates").iterdir() if path.name not in BY_HAND}
    assert written == templates(), "run: make manifests ARGS=--write"


def test_the_templates_are_made_of_all_components() -> None:
    used = {name for choice in ("", *(each.name for each in CHOICES)) for name in components_of(choice)}
    assert used | COVERED_OTHERWISE.keys() == set(COMPONENTS)


def test_each_value_of_configure_is_one_of_the_chart() -> None:
    named = set(
        re.findall(
            r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|\b(?:REPO|GPU|APPS|BRANDING|AUTOSCALING|MONITORING)\b",
            (CHART / "values.yaml").read_text(),
        )
    )
    assert {each for each in NAMES if each not in named} == OF_HELM
