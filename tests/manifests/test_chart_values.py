"""The values of the Helm chart: wrong ones are refused, by the schema or, what it cannot compare, by the templates."""

import json
import subprocess
from typing import Any, Final

import jsonschema
import pytest
import yaml

from pixelfleet.protocol.ice_urls import BLOCKED_PORTS
from tests.manifests.chart import Values, changed, helm, require_helm
from tests.manifests.test_chart import EXAMPLE
from tools.chart.files import CHART

SCHEMA: Final[dict[str, Any]] = json.loads((CHART / "values.schema.json").read_text())
DEFAULTS: Final[Values] = yaml.safe_load((CHART / "values.yaml").read_text())
VALIDATOR: Final = jsonschema.Draft7Validator(SCHEMA)

WRONG: dict[str, tuple[str, object]] = {
    "an unknown value": ("colour", "red"),
    "an unknown value of a part": ("turn.colour", "red"),
    "no image": ("application.image", ""),
    "an image without a tag": ("application.image", "game"),
    "a moving tag": ("application.image", "game:latest"),
    "a repository with a tag": ("image.repository", "registry.example.com/pixelfleet:1"),
    "a moving tag of ours": ("image.tag", "latest"),
    "half a digest": ("image.digest", "sha256:12"),
    "no host": ("ingress.host", ""),
    "an address as host": ("ingress.host", "192.0.2.1"),
    "a path with a slash at its end": ("ingress.path", "/game/"),
    "an unknown kind of issuer": ("ingress.tls.issuerKind", "Certificate"),
    "too many proxies": ("ingress.trustedProxies", 17),
    "a number as text": ("application.min", "1"),
    "no stream at all": ("application.max", 0),
    "an unknown GPU": ("application.gpu", "half"),
    "an argument that Kubernetes would expand": ("application.args", ["$(HOME)"]),
    "a label with a space": ("application.labels", {"region": "a b"}),
    "a quantity that is none": ("application.resources", {"limits": {"cpu": "much"}}),
    "a GPU among the resources": ("application.resources", {"limits": {"nvidia.com/gpu": 2}}),
    "a label of a selector": ("application.podLabels", {"app.kubernetes.io/name": "other"}),
    "an annotation of the chart": ("pods.router.annotations", {"prometheus.io/port": "1"}),
    "a toleration without meaning": ("pods.turn.tolerations", [{"keys": "a"}]),
    "node selectors of a sidecar": ("pods.signalserver.nodeSelector", {"a": "b"}),
    "an application without a name": ("applications", [{"image": "game:1.0"}]),
    "a canary without an image": ("applications", [{"name": "a", "image": "game:1.0", "canary": {"percent": 5}}]),
    "an unknown autoscaler": ("autoscaling.kind", "vpa"),
    "no URL of an external Redis": ("redis.bundled", False),
    "the URL of a Redis beside the bundled one": ("redis.url", "redis://redis.example.com"),
    "a URL of another program": ("redis", {"bundled": False, "url": "http://redis.example.com"}),
    "a port of the privileged user": ("turn.relayPorts.first", 80),
    "a port that browsers block": ("turn.port", 6000),
    "a network that is an address": ("turn.podNetwork", "10.244.0.0"),
    "too large a network": ("turn.podNetwork", "10.0.0.0/7"),
    "tokens without an issuer": ("players.auth", "jwt"),
    "users without passwords": ("users.dashboard", True),
    "a password in plain text": ("users.htpasswd", ["ada:secret"]),
    "a short key": ("secrets.sessionKey", "short"),
    "a password that breaks a URL": ("secrets.redisPassword", "with/a/slash-and-long"),
    "pictures without a branding.json": ("branding", {"logo.svg": "<svg/>"}),
    "a setting that is no variable": ("settings.router", {"origins": "*"}),
    "a setting that is no text": ("settings.router", {"PIXELFLEET_ROUTER_PORT": 1}),
}
UNCHECKED: dict[str, tuple[dict[str, object], str]] = {
    "more than the most": ({"application.min": 11}, "max must be at least min"),
    "an hpa to zero": ({"application.min": 0}, "keda scales to zero"),
    "one port for two": ({"turn.metricsPort": 3478}, "must differ from turn.port"),
    "a port among the relays": ({"turn.port": 50000}, "must not contain the port 50000"),
    "too few relays": ({"turn.relayPorts.last": 49160}, "at least 100 ports"),
    "host bits": ({"turn.podNetwork": "10.244.1.0/16"}, "has host bits"),
    "a name twice": ({"applications": [{"name": "a"}, {"name": "a"}]}, "a name is used twice"),
    "one ratio for two": (
        {"applications": [{"name": "a"}, {"name": "b"}], "autoscaling.kind": "hpa-ratio"},
        "follows all applications",
    ),
    "a part without an image": ({"application.image": "", "applications": [{"name": "a"}]}, "a: image is missing"),
}
"""What no schema can compare, and the error of the templates."""


@pytest.fixture(scope="module", autouse=True)
def _helm() -> None:
    require_helm()


def test_the_chart_passes_helms_own_checks() -> None:
    command = [require_helm(), "lint", "--strict", str(CHART), "--values=-"]
    done = subprocess.run(command, input=json.dumps(EXAMPLE), text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_value_is_missing_in_the_defaults() -> None:
    """The defaults lack only what an operator must give, and the schema knows all of them."""
    assert {each.json_path for each in VALIDATOR.iter_errors(DEFAULTS)} == {"$.ingress.host", "$.application.image"}
    assert DEFAULTS.keys() == SCHEMA["properties"].keys() - {"global"}


def test_the_schema_knows_the_ports_that_browsers_block() -> None:
    assert set(SCHEMA["properties"]["turn"]["properties"]["port"]["not"]["enum"]) == set(BLOCKED_PORTS)


@pytest.mark.parametrize("wrong", WRONG)
def test_the_schema_refuses(wrong: str) -> None:
    complete = changed({"ingress.host": "play.example.com", "application.image": "game:1.0"}, DEFAULTS)
    assert list(VALIDATOR.iter_errors(complete)) == []
    path, value = WRONG[wrong]
    assert list(VALIDATOR.iter_errors(changed({path: value}, complete)))


def test_helm_names_each_wrong_value() -> None:
    independent = {
        path: value for path, value in WRONG.values() if path.split(".")[0] not in ("application", "branding")
    }
    done = helm("pixel", changed(independent, {"application": {"image": "game"}}))
    assert done.returncode != 0
    for path in ("application.image", "ingress.host", "autoscaling.kind", "turn.podNetwork", "settings.router"):
        assert f"/{path.replace('.', '/')}" in done.stderr
    assert "'colour' not allowed" in done.stderr


@pytest.mark.parametrize("wrong", UNCHECKED)
def test_the_templates_refuse(wrong: str) -> None:
    changes, message = UNCHECKED[wrong]
    done = helm("pixel", changed(changes, EXAMPLE), "--kube-version=1.35")
    assert done.returncode != 0
    assert message in done.stderr


def test_several_applications_need_a_new_cluster_for_the_hpa() -> None:
    values = changed({"applications": [{"name": "a"}]}, EXAMPLE)
    assert "needs Kubernetes 1.35" in helm("pixel", values, "--kube-version=1.34").stderr
    assert "1.29" in helm("pixel", EXAMPLE, "--kube-version=1.28").stderr
