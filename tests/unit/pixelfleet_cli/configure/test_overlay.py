import json
from typing import Any

import pytest

from pixelfleet_cli.configure.overlay import SECRET_KEYS, kustomization, secrets_of
from pixelfleet_cli.configure.values import checked, parse
from tests.unit.pixelfleet_cli.configure.test_values import REQUIRED, SEED


def overlay(**values: str) -> dict[str, Any]:
    text = kustomization(checked({**REQUIRED, "KUBERNETES": "1.35", **values}, {}), "..")
    written: dict[str, Any] = json.loads(text.partition("\n")[2])
    return written


def config(written: dict[str, Any], name: str) -> list[str]:
    return [each for made in written["configMapGenerator"] if made["name"] == name for each in made["literals"]]


def patches(written: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [op for each in written["patches"] if each["target"]["kind"] == kind for op in json.loads(each["patch"])]


def test_the_default_is_an_ingress_an_autoscaler_and_two_images() -> None:
    written = overlay()
    assert written["namespace"] == "pixel"
    assert written["resources"] == ["../base"]
    assert [each.rpartition("/")[2] for each in written["components"]] == [
        "ingress",
        "hpa-services",
        "hpa-stream",
        "image-pull",
        "node-addresses",
        "pod-marks",
    ]
    assert [each["newName"] for each in written["images"]] == [
        "registry.example.com/pixel/pixelfleet",
        "registry.example.com/pixel/game",
    ]
    assert patches(written, "ServiceAccount") == []


@pytest.mark.parametrize(
    ("values", "component"),
    [
        ({"GATEWAY_CLASS": "envoy"}, "gateway"),
        ({"GATEWAY_CLASS": "envoy", "INGRESS_TLS_ISSUER": "letsencrypt"}, "gateway-tls"),
        ({"GPU": "share"}, "gpu-share"),
        ({"GPU": "mig-1g.5gb"}, "gpu-mig"),
        ({"AUTOSCALING": "keda"}, "keda-stream"),
        ({"AUTOSCALING": "hpa-ratio"}, "hpa-ratio"),
        ({"KUBERNETES": "1.34"}, "before-1-35"),
        ({"KUBERNETES": "", "AUTOSCALING": "keda"}, "before-1-35"),
        ({"MONITORING": "podmonitor"}, "pod-monitor"),
        ({"REDIS_URL": "redis://a"}, "external-redis"),
    ],
)
def test_values_choose_components(values: dict[str, str], component: str) -> None:
    chosen = [each.rpartition("/")[2] for each in overlay(**values)["components"]]
    assert component in chosen
    assert len({"hpa-stream", "hpa-ratio", "keda-stream"} & set(chosen)) == 1
    assert len({"ingress", "gateway", "gateway-tls"} & set(chosen)) == 1


def test_turn_may_relay_to_the_pod_network_only() -> None:
    relayed = [each for each in config(overlay(POD_NETWORK="10.42.0.0/15"), "turn") if each.startswith("STREAMERS")]
    assert relayed == ["STREAMERS_FIRST=10.42.0.0", "STREAMERS_LAST=10.43.255.255"]


def test_objects_of_the_cluster_have_the_namespace_in_their_names() -> None:
    written = overlay(NAMESPACE="two")
    named = [each for each in written["patches"] if "options" in each]
    assert len(named) == 4
    for each in named:
        changes = {op["path"]: op["value"] for op in json.loads(each["patch"])}
        assert changes["/metadata/name"] == f"{each['target']['name']}-two"
        assert each["options"] == {"allowNameChange": True}


def test_turn_api_reads_nodes_only_for_external_addresses() -> None:
    assert "../components/node-addresses" in overlay()["components"]
    internal = overlay(TURN_NODE_ADDRESS="internal")
    assert "../components/node-addresses" not in internal["components"]
    assert "pixelfleet-node-addresses" not in json.dumps(internal)


@pytest.mark.parametrize(("version", "marked"), [("1.29", False), ("1.30", True), ("1.37", True), ("", False)])
def test_sidecars_mark_pods_where_the_cluster_can_limit_that_right(version: str, marked: bool) -> None:
    written = overlay(KUBERNETES=version, AUTOSCALING="none")
    assert ("../components/pod-marks" in written["components"]) is marked
    assert ("pixelfleet-pod-marks" in json.dumps(written["patches"])) is marked


@pytest.mark.parametrize(("kind", "annotation"), [("ClusterIssuer", "cluster-issuer"), ("Issuer", "issuer")])
def test_a_certificate_comes_from_the_issuer(kind: str, annotation: str) -> None:
    written = overlay(INGRESS_TLS_ISSUER="letsencrypt", INGRESS_TLS_ISSUER_KIND=kind, INGRESS_CLASS="nginx")
    changes = {each["path"]: each["value"] for each in patches(written, "Ingress")}
    assert changes[f"/metadata/annotations/cert-manager.io~1{annotation}"] == "letsencrypt"
    assert changes["/spec/tls"] == [{"hosts": ["play.example.com"], "secretName": "pixelfleet-tls"}]
    assert changes["/spec/ingressClassName"] == "nginx"


def test_the_query_of_keda_is_limited_to_the_namespace() -> None:
    changes = {each["path"]: each["value"] for each in patches(overlay(AUTOSCALING="keda"), "ScaledObject")}
    query = changes["/spec/triggers/0/metadata/query"]
    assert query == 'avg(pixelfleet_streams_wanted{app="default",namespace="pixel"})'


@pytest.mark.parametrize("autoscaling", ["none", "hpa-ratio"])
def test_the_version_matters_only_to_autoscalers_of_the_demand(autoscaling: str) -> None:
    chosen = overlay(AUTOSCALING=autoscaling, KUBERNETES="1.29")["components"]
    assert "../components/before-1-35" not in chosen


def test_the_query_for_older_clusters_is_limited_to_the_namespace() -> None:
    written = overlay(AUTOSCALING="keda", KUBERNETES="1.34")
    changes = {each["path"]: each["value"] for each in patches(written, "ScaledObject")}
    query = changes["/spec/triggers/0/metadata/query"]
    assert query.count("{") == query.count('namespace="pixel"') == 4
    assert query.startswith("clamp_min(")


def test_the_service_account_has_each_image_pull_secret_once() -> None:
    (pulled,) = patches(overlay(REPO_SECRET="a", UNREAL_REPO_SECRET="b"), "ServiceAccount")
    assert pulled["value"] == [{"name": "a"}, {"name": "b"}]
    (pulled,) = patches(overlay(REPO_SECRET="a"), "ServiceAccount")
    assert pulled["value"] == [{"name": "a"}]


def test_the_proxy_requires_users() -> None:
    values = checked(parse(SEED), {})
    written = json.loads(kustomization(values, "..").partition("\n")[2])
    assert "PIXELFLEET_ROUTER_PROXY_AUTH=basic" in config(written, "router")
    assert "../components/rest-proxy" in written["components"]
    assert "../components/rest-proxy" not in overlay()["components"]
    assert "PIXELFLEET_ROUTER_PATH_PREFIX=/game" in config(written, "router")
    assert secrets_of(values, {}, lambda: "made")["users"] == values["PROXY_AUTH_USERS"]
    assert values["PROXY_AUTH_USERS"] not in json.dumps(written)
    assert config(overlay(), "router") == ["PIXELFLEET_ROUTER_TRUSTED_PROXIES=1"]


def test_the_dashboard_requires_users_and_does_not_enable_the_proxy() -> None:
    users = checked(parse(SEED), {})["PROXY_AUTH_USERS"]
    written = overlay(DASHBOARD_ENABLE="true", PROXY_AUTH_USERS=users)
    assert "PIXELFLEET_ROUTER_DASHBOARD_AUTH=basic" in config(written, "router")
    assert not [each for each in config(written, "router") if "PROXY_AUTH" in each]
    assert "../components/rest-proxy" not in written["components"]
    env = [each["name"] for patch in patches(written, "Deployment") for each in patch["value"]]
    assert env == ["PIXELFLEET_ROUTER_USERS", "PIXELFLEET_ROUTER_REST_TOKEN"]


def test_secrets_are_generated_once() -> None:
    made = iter(f"made-{number}" for number in range(100))
    values = checked(REQUIRED, {})
    first = secrets_of(values, {}, lambda: next(made))
    assert set(first) == {*SECRET_KEYS, "redis-url"}
    assert len(set(first.values())) == len(first)
    assert first["redis-url"] == f"redis://:{first['redis-password']}@redis:6379/0"
    assert secrets_of(values, first, lambda: next(made)) == first
    chosen = checked({**REQUIRED, "TURN_SECRET": "a-secret-of-the-user", "REDIS_URL": "rediss://b"}, {})
    again = secrets_of(chosen, first, lambda: next(made))
    assert (again["turn-secret"], again["redis-url"]) == ("a-secret-of-the-user", "rediss://b")
