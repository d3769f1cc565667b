import json
from typing import Any

import pytest

from pixelfleet_cli.configure.overlay import overlay_files
from pixelfleet_cli.configure.secret_values import GENERATED, secret_files, secrets_of
from pixelfleet_cli.configure.values import checked, parse
from tests.unit.pixelfleet_cli.configure.test_values import REQUIRED, SEED


def overlay(**values: str) -> dict[str, Any]:
    return written(**values)["kustomization.yaml"]


def written(**values: str) -> dict[str, dict[str, Any]]:
    """Return the kustomizations by their path."""
    files = overlay_files(checked({**REQUIRED, "KUBERNETES": "1.35", **values}, {}), "..")
    return {name: json.loads(text.partition("\n")[2]) for name, text in files.items()}


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
    written = overlay(**parse(SEED))
    assert "PIXELFLEET_ROUTER_PROXY_AUTH=basic" in config(written, "router")
    assert "../components/rest-proxy" in written["components"]
    assert "../components/rest-proxy" not in overlay()["components"]
    assert "PIXELFLEET_ROUTER_PATH_PREFIX=/game" in config(written, "router")
    files = secret_files(values, secrets_of(values, {}, lambda: "made"))
    assert files["secrets/users"] == values["PROXY_AUTH_USERS"] + "\n"
    assert values["PROXY_AUTH_USERS"] not in json.dumps(written)
    assert config(overlay(), "router") == []


def test_the_dashboard_requires_users_and_does_not_enable_the_proxy() -> None:
    users = checked(parse(SEED), {})["PROXY_AUTH_USERS"]
    written = overlay(DASHBOARD_ENABLE="true", PROXY_AUTH_USERS=users)
    assert "PIXELFLEET_ROUTER_DASHBOARD_AUTH=basic" in config(written, "router")
    assert not [each for each in config(written, "router") if "PROXY_AUTH" in each]
    assert "../components/rest-proxy" not in written["components"]
    assert "../components/users" in written["components"]
    assert "../components/users" not in overlay()["components"]
    assert {"name": "router", "envs": ["secrets/router.env"]} in written["secretGenerator"]
    (users_secret,) = (each for each in written["secretGenerator"] if "options" in each)
    assert users_secret["options"] == {"disableNameSuffixHash": True}


def test_secrets_are_generated_once() -> None:
    made = iter(f"made-{number}" for number in range(100))
    values = checked(REQUIRED, {})
    first = secrets_of(values, {}, lambda: next(made))
    assert set(first) == {*GENERATED, "redis-url"}
    assert len(set(first.values())) == len(first)
    assert first["redis-url"] == f"redis://:{first['redis-password']}@redis:6379/0"
    assert secrets_of(values, first, lambda: next(made)) == first
    chosen = checked({**REQUIRED, "TURN_SECRET": "a-secret-of-the-user", "REDIS_URL": "rediss://b"}, {})
    again = secrets_of(chosen, first, lambda: next(made))
    assert (again["turn-secret"], again["redis-url"]) == ("a-secret-of-the-user", "rediss://b")


TWO = {"APPS": "game,viewer", "GAME_IMAGE": "r.example/game:1.0", "VIEWER_IMAGE": "r.example/viewer:2.0"}


def test_each_application_has_a_folder_and_the_first_is_the_default() -> None:
    files = written(UNREAL_IMAGE_NAME="", GAME_WARM="3", **TWO)
    assert set(files) == {"kustomization.yaml", "apps/game/kustomization.yaml", "apps/viewer/kustomization.yaml"}
    top = files["kustomization.yaml"]
    assert "../base" not in top["resources"]
    assert {"apps/game", "apps/viewer", "../base/router"} <= set(top["resources"])
    assert config(top, "matchmaker") == [
        'PIXELFLEET_MATCHMAKER_WARM={"game": 3, "viewer": 1}',
        "PIXELFLEET_MATCHMAKER_APP=game",
    ]
    game = files["apps/game/kustomization.yaml"]
    assert game["nameSuffix"] == "-game"
    assert game["resources"] == ["../../../base/application"]
    assert game["images"] == [{"name": "unreal", "newName": "r.example/game", "newTag": "1.0"}]
    assert config(game, "signalserver") == ["PIXELFLEET_SIGNALSERVER_APP=game"]


def test_a_canary_has_its_part_of_the_demand_and_its_version_as_a_label() -> None:
    canary = {"GAME_CANARY_IMAGE": "r.example/game:1.1", "GAME_CANARY_PERCENT": "20", "GAME_MAX": "40"}
    files = written(UNREAL_IMAGE_NAME="", **TWO, **canary)
    parts = {}
    for name, version in (("game", "1.0"), ("game-canary", "1.1")):
        part = files[f"apps/{name}/kustomization.yaml"]
        changes = {each["path"]: each["value"] for each in patches(part, "HorizontalPodAutoscaler")}
        parts[name] = (changes["/spec/metrics/0/object/target/averageValue"], changes["/spec/maxReplicas"])
        assert f'PIXELFLEET_SIGNALSERVER_LABELS={{"version": "{version}"}}' in config(part, "signalserver")
        assert "PIXELFLEET_SIGNALSERVER_APP=game" in config(part, "signalserver")
        assert changes["/spec/metrics/0/object/metric/selector/matchLabels/app"] == "game"
    assert parts == {"game": ("1250m", 40), "game-canary": ("5000m", 8)}


def test_the_version_of_a_digest_is_a_valid_label() -> None:
    image = f"r.example/game@sha256:{'ab' * 32}"
    files = written(UNREAL_IMAGE_NAME="", **{**TWO, "GAME_IMAGE": image}, GAME_CANARY_IMAGE="r.example/game:1.1")
    (line,) = (each for each in config(files["apps/game/kustomization.yaml"], "signalserver") if "LABELS" in each)
    assert json.loads(line.partition("=")[2]) == {"version": ("ab" * 32)[:63]}


def test_the_query_of_keda_is_that_of_the_application_and_its_part() -> None:
    values = {"AUTOSCALING": "keda", "UNREAL_IMAGE_NAME": "", "GAME_CANARY_IMAGE": "r.example/game:1.1", **TWO}
    for version in ("1.35", "1.34"):
        files = written(KUBERNETES=version, **values)
        for name, start in (("game", "0.9 * avg("), ("game-canary", "0.1 * avg("), ("viewer", "avg(")):
            part = files[f"apps/{name}/kustomization.yaml"]
            changes = {each["path"]: each["value"] for each in patches(part, "ScaledObject")}
            assert changes["/spec/scaleTargetRef/name"] == f"stream-{name}"
            query = changes["/spec/triggers/0/metadata/query"]
            assert query.removeprefix("clamp_min(").startswith(start)
            assert query.startswith("clamp_min(") is (version == "1.34")
            assert (f'deployment="stream-{name}"' in query) is (version == "1.34")


def test_arguments_and_labels_of_the_only_application() -> None:
    found = overlay(UNREAL_ARGS="-log -ExecCmds='stat fps'", UNREAL_LABELS="region=eu")
    (changed,) = patches(found, "Deployment")
    assert changed["value"] == ["-log", "-ExecCmds=stat fps"]
    assert config(found, "signalserver") == ['PIXELFLEET_SIGNALSERVER_LABELS={"region": "eu"}']


def test_players_sign_in_at_router_and_matchmaker() -> None:
    found = overlay(PLAYER_AUTH="jwt", JWT_ISSUER="https://login.example:8443/play", JWT_AUDIENCE="a,b")
    for service in ("matchmaker", "router"):
        lines = config(found, service)
        prefix = f"PIXELFLEET_{service.upper()}"
        assert f"{prefix}_AUTH=jwt" in lines
        assert f"{prefix}_JWT_ISSUER=https://login.example:8443/play" in lines
        assert f"{prefix}_JWT_AUDIENCE=a,b" in lines
    # The interfaces of operators stay closed: with jwt they would be open to each player with a role.
    assert "PIXELFLEET_ROUTER_DASHBOARD_AUTH=closed" in config(found, "router")
    assert {each["path"]: each["value"] for each in patches(found, "NetworkPolicy")}[
        "/spec/egress/0/ports/0/port"
    ] == 8443
    linked = overlay(PLAYER_AUTH="link")
    assert "../components/links" in linked["components"]
    assert "PIXELFLEET_MATCHMAKER_AUTH=link" in config(linked, "matchmaker")


def test_labels_and_branding_of_the_player_page() -> None:
    found = overlay(PLAYER_LABELS="region,quality")
    assert "PIXELFLEET_MATCHMAKER_LABELS=region,quality" in config(found, "matchmaker")
    text = overlay_files(checked(REQUIRED, {}), "..", ["branding.json", "logo.svg"])["kustomization.yaml"]
    branded = json.loads(text.partition("\n")[2])
    assert "../components/branding" in branded["components"]
    assert {"name": "branding", "files": ["branding/branding.json", "branding/logo.svg"]} in branded[
        "configMapGenerator"
    ]


def test_a_number_that_an_earlier_version_applied_stays() -> None:
    text = overlay_files(checked(REQUIRED, {}), "..", held={"stream": 6})["kustomization.yaml"]
    (held,) = patches(json.loads(text.partition("\n")[2]), "Deployment")
    assert held == {"op": "add", "path": "/spec/replicas", "value": 6}


def test_no_secret_is_in_the_kustomization() -> None:
    values = checked({**REQUIRED, "PLAYER_AUTH": "link"}, {})
    secrets = secrets_of(values, {}, iter(f"made-{number}" for number in range(100)).__next__)
    text = "".join(overlay_files(values, "..").values())
    assert [key for key, value in secrets.items() if value in text] == []
    files = secret_files(values, secrets)
    assert {name for name, text in files.items() if secrets["turn-secret"] in text} == {"secrets/turn.env"}
