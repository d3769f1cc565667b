"""Changes of an installation: from each configuration to each other, applied twice, and deleted."""

import json
import re
import tempfile
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from pixelfleet.service.errors import UsageError
from pixelfleet_cli.configure.changes import apply, delete, held, release
from pixelfleet_cli.configure.installation import KINDS, LAST_APPLIED, title
from pixelfleet_cli.configure.streams import streams_of
from pixelfleet_cli.configure.values import checked
from tests.manifests.cluster import Cluster, singular
from tests.manifests.rendering import CONFIGURED, LEAST, ROOT, configured, objects, rendered, require_kubectl

STREAM = "deployment.apps/stream"
HPA = "horizontalpodautoscaler.autoscaling/stream"
SCALED = "scaledobject.keda.sh/stream"
MODES = {"none": set(), "hpa": {HPA}, "hpa-ratio": {HPA}, "keda": {SCALED}}
"""The autoscalers of streams that each value of AUTOSCALING leaves, as docs/how-to/deploy.md states."""

USERS = "ada:$apr1$rA8yVbN4$k0Hnb6BNRrq3UKlCMJ9wp1"
MORE_USERS = f"{USERS},bob:$apr1$rA8yVbN4$k0Hnb6BNRrq3UKlCMJ9wp1"


@pytest.fixture(scope="module", autouse=True)
def _kubectl() -> None:
    require_kubectl()


@pytest.fixture(scope="module")
def folder() -> Any:
    """A folder that keeps the generated secrets between the renderings of a test module."""
    with tempfile.TemporaryDirectory() as name:
        made: dict[str, str] = {}
        yield Path(name), made


class Installation:
    """An installation that is configured again and again."""

    def __init__(self, folder: tuple[Path, dict[str, str]]) -> None:
        self.path, self.made = folder
        self.cluster = Cluster()

    def manifests(self, **values: str) -> str:
        key = json.dumps(values, sort_keys=True)
        if key not in self.made:
            self.made[key] = configured(self.path, {**LEAST, **values})
        return self.made[key]

    def apply(self, **values: str) -> None:
        least = {each.deployment: each.minimum for each in streams_of(checked({**LEAST, **values}, {}))}
        apply(self.cluster, "pixel", self.manifests(**values), least)

    def left(self, **values: str) -> set[str]:
        """Return the objects that are not those of these values alone."""
        return set(self.cluster.objects) ^ {title(each) for each in objects(self.manifests(**values))}

    def scalers(self) -> set[str]:
        return {HPA, SCALED} & set(self.cluster.objects)


@pytest.fixture
def installed(folder: tuple[Path, dict[str, str]]) -> Installation:
    return Installation(folder)


@pytest.mark.parametrize(("old", "new"), list(permutations(MODES, 2)))
def test_a_switch_of_the_autoscaler_changes_no_number_and_leaves_nothing(
    installed: Installation, old: str, new: str
) -> None:
    installed.apply(AUTOSCALING=old)
    installed.cluster("scale", "deployment/stream", "--replicas=6")  # as the autoscaler or the operator did
    installed.apply(AUTOSCALING=old)
    for _ in range(2):
        installed.apply(AUTOSCALING=new)
        assert installed.cluster.counts == []
        assert installed.cluster.objects[STREAM]["spec"]["replicas"] == 6
        assert installed.cluster.restarting() == []
        assert installed.scalers() == MODES[new]
        assert installed.left(AUTOSCALING=new) == set()
    delete(installed.cluster, "pixel")
    assert installed.cluster.objects == {}


def test_from_zero_streams_an_autoscaler_of_kubernetes_starts_the_minimum(installed: Installation) -> None:
    installed.apply(AUTOSCALING="keda", STREAMS_MIN="0")
    assert installed.cluster.objects[STREAM]["spec"]["replicas"] == 0
    installed.apply(AUTOSCALING="hpa", STREAMS_MIN="2")
    assert installed.cluster.objects[STREAM]["spec"]["replicas"] == 2


def test_streams_that_an_operator_stopped_stay_stopped(installed: Installation) -> None:
    installed.apply(AUTOSCALING="none", STREAMS_MIN="3")
    assert installed.cluster.objects[STREAM]["spec"]["replicas"] == 3
    installed.cluster("scale", "deployment/stream", "--replicas=0")
    installed.apply(AUTOSCALING="none", STREAMS_MIN="3")
    assert installed.cluster.objects[STREAM]["spec"]["replicas"] == 0


def earlier(installed: Installation, replicas: int) -> None:
    """Put an installation into the cluster whose last applied manifest has the number, as version 0.1.0 wrote it."""
    found = objects(installed.manifests(AUTOSCALING="none"))
    for each in found:
        if title(each) == STREAM:
            each["spec"]["replicas"] = replicas
    installed.cluster("apply", "--filename=-", stdin=json.dumps(found[0]).encode())
    for each in found:
        installed.cluster("apply", "--filename=-", stdin=json.dumps(each).encode())


def test_a_removed_number_of_replicas_is_one_at_once(installed: Installation) -> None:
    """What the other tests avoid, as seen on Kubernetes 1.36."""
    earlier(installed, 6)
    installed.cluster("apply", "--filename=-", stdin=installed.manifests(AUTOSCALING="hpa").encode())
    assert installed.cluster.counts == [(STREAM, 1)]


@pytest.mark.parametrize("new", MODES)
def test_streams_of_an_earlier_version_stay(installed: Installation, new: str) -> None:
    earlier(installed, 6)
    assert held(installed.cluster, "pixel") == {"stream": 6}
    installed.apply(AUTOSCALING=new)
    assert installed.cluster.counts == []
    assert installed.cluster.objects[STREAM]["spec"]["replicas"] == 6
    assert held(installed.cluster, "pixel") == {}


def test_releasing_the_number_changes_nothing_but_the_record(installed: Installation) -> None:
    earlier(installed, 6)
    before = json.loads(json.dumps(installed.cluster.objects[STREAM]))
    release(installed.cluster, "pixel")
    after = installed.cluster.objects[STREAM]
    applied = [json.loads(each["metadata"]["annotations"].pop(LAST_APPLIED)) for each in (before, after)]
    assert before == after
    assert applied[0]["spec"].pop("replicas") == 6
    assert applied[0] == applied[1]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"GATEWAY_CLASS": "envoy"}),
        ({}, {"REDIS_URL": "rediss://user:password@redis.example.com:6380/0"}),
        ({}, {"MONITORING": "podmonitor"}),
        ({}, {"PROXY_ENABLE": "true", "PROXY_AUTH_USERS": USERS}),
        ({}, {"PLAYER_AUTH": "link"}),
        ({}, {"APPS": "game,viewer", "GAME_IMAGE": "a/game:1", "VIEWER_IMAGE": "a/viewer:1", "UNREAL_IMAGE_NAME": ""}),
    ],
    ids=["gateway", "redis", "monitor", "users", "links", "applications"],
)
def test_a_switch_and_the_way_back_leave_nothing(
    installed: Installation, first: dict[str, str], second: dict[str, str]
) -> None:
    for values in (first, second, first):
        installed.apply(**values)
        installed.cluster.roll_out()
        installed.apply(**values)
        assert installed.left(**values) == set()
    assert {"ingress.networking.k8s.io/pixelfleet", "statefulset.apps/redis"} <= set(installed.cluster.objects)
    delete(installed.cluster, "pixel")
    assert installed.cluster.objects == {}


CHANGED = {
    "AUTOSCALING": "keda",
    "GATEWAY_CLASS": "envoy",
    "MONITORING": "podmonitor",
    "REDIS_URL": "rediss://user:password@redis.example.com:6380/0",
    "PROXY_AUTH_USERS": MORE_USERS,
    "LINK_KEY": "k" * 32,
    "TURN_SECRET": "the-turn-secret-after",
    "STREAMS_WARM": "2",
    "STREAMS_MIN": "2",
    "STREAMS_MAX": "20",
    "UNREAL_IMAGE_TAG": "1.1",
    "UNREAL_ARGS": "-log",
    "UNREAL_LABELS": "region=eu",
}
"""A change of each name in the table of docs/how-to/deploy.md."""

WORKLOADS = {
    "coturn": "daemonset.apps/turn",
    "image-pull": "daemonset.apps/image-pull",
    "matchmakers": "deployment.apps/matchmaker",
    "routers": "deployment.apps/router",
    "streams": STREAM,
    "turn-api": "deployment.apps/turn-api",
}


def stated() -> dict[str, list[str]]:
    """Return the workloads that the guide states for a change of each name."""
    guide = (ROOT / "docs/how-to/deploy.md").read_text()
    table = guide.partition("| Change of | Pods that are replaced")[2].partition("\n\n")[0].splitlines()[2:]
    found: dict[str, list[str]] = {}
    for names, pods, *_ in (row.strip("|").split("|") for row in table):
        words = [] if pods.strip() == "none" else pods.strip().split(", ")
        found |= dict.fromkeys(re.findall("`(.+?)`", names), sorted(WORKLOADS[word] for word in words))
    return found


def test_the_guide_states_the_effect_of_each_change() -> None:
    assert set(stated()) == set(CHANGED)


@pytest.mark.parametrize("name", CHANGED)
def test_a_change_replaces_the_pods_that_the_guide_states(installed: Installation, name: str) -> None:
    users = {"DASHBOARD_ENABLE": "true", "PROXY_AUTH_USERS": USERS}
    values = {**users, "PLAYER_AUTH": "link", "LINK_KEY": "l" * 32, "TURN_SECRET": "the-turn-secret-before"}
    installed.apply(**values)
    installed.apply(**{**values, name: CHANGED[name]})
    assert installed.cluster.restarting() == stated()[name]


def test_all_kinds_of_objects_are_found_again() -> None:
    things = [each for name in CONFIGURED for each in rendered(f"configure {name}")]
    kinds = {title(each).partition("/")[0] for each in things}
    assert kinds <= {singular(kind) for kind in KINDS}
    guide = (ROOT / "docs/how-to/deploy.md").read_text()
    (listed,) = re.findall(r'KINDS="(.+?)"', guide, re.DOTALL)
    versions = {f"{each['apiVersion'].removeprefix('v1') or 'core/v1'}/{each['kind']}" for each in things}
    assert set(listed.replace("\\", "").split()) == versions


def test_a_secret_stays_until_no_pod_uses_it(installed: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    installed.apply(TURN_SECRET="the-first-turn-secret")
    (old,) = (name for name in installed.cluster.objects if name.startswith("secret/turn-"))
    installed.apply(TURN_SECRET="the-second-turn-secret")
    assert old in installed.cluster.objects
    assert f"{old}: still in use" in capsys.readouterr().err
    installed.cluster.roll_out()
    installed.apply(TURN_SECRET="the-second-turn-secret")
    assert installed.left(TURN_SECRET="the-second-turn-secret") == set()


def test_objects_of_an_owner_and_of_others_stay(installed: Installation) -> None:
    installed.apply(AUTOSCALING="keda")
    labels = dict(installed.cluster.objects[SCALED]["metadata"]["labels"])
    owned = {"name": "keda-hpa-stream", "labels": labels, "ownerReferences": [{"kind": "ScaledObject"}]}
    spec = {"scaleTargetRef": {"name": "stream"}}
    installed.cluster.objects["horizontalpodautoscaler.autoscaling/keda-hpa-stream"] = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": owned,
        "spec": spec,
    }
    installed.cluster.objects["secret/registry"] = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "registry"},
    }
    installed.apply(AUTOSCALING="keda")
    assert {"horizontalpodautoscaler.autoscaling/keda-hpa-stream", "secret/registry"} <= set(installed.cluster.objects)


def test_a_missing_kind_is_reported_before_anything_changes(installed: Installation) -> None:
    installed.cluster.kinds = [kind for kind in installed.cluster.kinds if "keda" not in kind]
    installed.apply(AUTOSCALING="hpa")
    before = set(installed.cluster.objects)
    with pytest.raises(UsageError, match="no matches for kind"):
        installed.apply(AUTOSCALING="keda")
    assert set(installed.cluster.objects) == before
    delete(installed.cluster, "pixel")
    assert installed.cluster.objects == {}
