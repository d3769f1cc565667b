"""`pixelfleet configure` with unusual values and paths, rendered by kubectl; unit tests cover invalid values."""

import base64
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.manifests.pods import of_kind, title, workloads
from tests.manifests.policy import policy_problems
from tests.manifests.references import reference_problems
from tests.manifests.rendering import K8S, LEAST, MOST, ROOT, Object, configured, objects, require_kubectl
from tests.manifests.schema import NEWEST, schema_problem


@pytest.fixture(autouse=True)
def _kubectl() -> None:
    require_kubectl()


def made(folder: Path, **values: str) -> list[Object]:
    """Return the rendered objects for these values; they have passed all checks."""
    found = objects(configured(folder, {**LEAST, **values}))
    assert [problem for each in found if (problem := schema_problem(each, NEWEST))] == []
    assert reference_problems(found) + policy_problems(found) == []
    return found


@pytest.mark.parametrize("word", ["1e3", "null", "true", "0x10", "012", "yes"])
def test_a_value_that_yaml_would_convert_stays_a_string(word: str, tmp_path: Path) -> None:
    values = dict.fromkeys(("NAMESPACE", "REPO_SECRET", "INGRESS_CLASS", "INGRESS_TLS_ISSUER", "IMAGE_TAG"), word)
    found = made(tmp_path, **values)
    (ingress,) = of_kind(found, "Ingress")
    assert ingress["metadata"]["namespace"] == word
    assert ingress["spec"]["ingressClassName"] == word
    assert ingress["metadata"]["annotations"]["cert-manager.io/cluster-issuer"] == word
    assert all(each["imagePullSecrets"] == [{"name": word}] for each in of_kind(found, "ServiceAccount"))
    ours = {each["image"] for pod in workloads(found) for each in pod.containers if "pixelfleet" in each["image"]}
    assert ours == {f"registry.example.com/pixel/pixelfleet:{word}"}


@pytest.mark.parametrize("entry", [{}, {"GATEWAY_CLASS": "envoy"}], ids=["ingress", "gateway"])
def test_the_number_of_trusted_proxies_reaches_the_routers(entry: dict[str, str], tmp_path: Path) -> None:
    """The component of the entry has a number of its own, and kustomize applies components after generators."""
    found = of_kind(made(tmp_path, TRUSTED_PROXIES="2", **entry), "ConfigMap")
    assert [each["data"][name] for each in found for name in each["data"] if name.endswith("TRUSTED_PROXIES")] == [
        "1",  # of matchmakers, for the routers in front of them
        "2",
    ]


@pytest.mark.parametrize(
    "secret",
    [
        "'quoted-and-long-enough'",
        "a=b=c=d=e=f=g=h=i",
        "#no-comment-of-any",
        "$(REDIS_URL)${X}`id`",
        "ünïcödé-is-a-secret",
    ],
)
def test_a_secret_may_contain_any_character(secret: str, tmp_path: Path) -> None:
    quoted = f'"{secret}"'
    found = of_kind(made(tmp_path, TURN_SECRET=quoted), "Secret")
    secrets = {each["metadata"]["name"].rpartition("-")[0]: each["data"] for each in found}
    assert base64.b64decode(secrets["turn"]["turn-secret"]).decode() == secret
    assert {name: set(data) for name, data in secrets.items()} == {
        "matchmaker": {"redis-url", "session-key", "rest-token"},
        "redis": {"redis-password"},
        "router": {"session-key"},
        "stream": {"redis-url", "session-key", "drain-token"},
        "turn": {"turn-secret"},
    }


@pytest.mark.parametrize("name", ["with a space", "\N{GRINNING FACE} ünï", "$(id)", "a#b", "a'b\"c", "a: b"])
def test_the_manifests_may_be_in_a_folder_with_any_name(name: str, tmp_path: Path) -> None:
    for folder in ("k8s", "turn"):
        shutil.copytree(ROOT / folder, tmp_path / name / folder)
    found = objects(configured(tmp_path, LEAST, manifests=tmp_path / name / "k8s"))
    assert {title(each) for each in found} >= {"Deployment/stream", "Service/matchmakers"}


def test_with_a_gateway_plain_http_is_redirected_to_https(tmp_path: Path) -> None:
    found = objects(configured(tmp_path, MOST))
    (gateway,) = of_kind(found, "Gateway")
    listeners = {each["name"]: each for each in gateway["spec"]["listeners"]}
    assert {name: each["port"] for name, each in listeners.items()} == {"http": 80, "https": 443}
    assert {each["hostname"] for each in listeners.values()} == {LEAST["INGRESS_HOST"]}
    routes = {each["metadata"]["name"]: each["spec"] for each in of_kind(found, "HTTPRoute")}
    assert routes["pixelfleet"]["parentRefs"][0]["sectionName"] == "https"
    assert "backendRefs" not in routes["pixelfleet-redirect"]["rules"][0]


def test_the_script_runs_the_command_and_lists_all_errors(tmp_path: Path) -> None:
    env_file = tmp_path / "a b" / ".env"
    env_file.parent.mkdir()
    env_file.write_text("".join(f"{name}={value}\n" for name, value in LEAST.items()))
    command = [K8S / "configure.sh", env_file, "--overlay", tmp_path / "overlay"]
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            list(map(str, command)), cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
        )

    done = run()
    assert done.returncode == 0, done.stderr
    assert {title(each) for each in objects(done.stdout)} >= {"Deployment/stream", "Service/matchmakers"}
    env_file.write_text("NAMESPACE=$(id)\nREPO=a b\n")
    done = run()
    assert (done.returncode, done.stdout) == (2, "")
    named = ("NAMESPACE: must", "REPO: must", "UNREAL_IMAGE_NAME: is missing", "INGRESS_HOST: is missing")
    assert all(line in done.stderr for line in named)
    assert "Traceback" not in done.stderr
