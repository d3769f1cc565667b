"""docker-compose.yml: its schema, and that each service starts with valid options."""

import importlib
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from pixelfleet.service.catalogue import names_of
from pixelfleet.service.settings import ServiceSettings, load
from pixelfleet_cli.cli import WITH_SETTINGS
from tests.image.compose import FILE, ROOT, Compose, Deploy, arguments_of, make_secrets, read
from tests.image.dockerfile import stages
from tests.parts import PATIENCE_SECONDS


@pytest.fixture(scope="module")
def compose() -> Compose:
    return read()


OURS: Final = ("turn-api", "signalserver", "streamer", "matchmaker", "router")


def test_the_file_follows_the_specification(compose: Compose) -> None:
    for name, service in compose.services.items():
        assert set(service.networks) <= set(compose.networks), name
        assert set(service.depends_on) <= set(compose.services), name
        for volume in service.volumes:
            source, target = volume.split(":")[:2]
            assert target.startswith("/"), volume
            assert (ROOT / source).exists() if source.startswith("./") else source in compose.volumes, volume
        for other, dependency in service.depends_on.items():
            if dependency.condition == "service_healthy":
                check = compose.services[other].healthcheck
                assert check is None or check.test, other  # None: the image's own health check


def test_docker_compose_accepts_the_file_if_it_is_installed() -> None:
    if not shutil.which("docker") or run("docker", "compose", "version").returncode != 0:
        return  # the schema is checked above
    assert run("docker", "compose", "-f", FILE, "config", "--quiet").returncode == 0


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS
    )


def test_the_file_has_all_services(compose: Compose) -> None:
    assert set(compose.services) >= {*OURS, "redis", "turn", "prometheus", "grafana"}
    assert compose.services["matchmaker"].deploy == Deploy(replicas=2)
    fixed = [name for name in ("signalserver", "streamer") if compose.services[name].ports]
    assert not fixed, "a published port would prevent several replicas"


def test_our_services_have_no_privileges_and_a_stage_of_the_dockerfile(compose: Compose) -> None:
    built = stages((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    for name in OURS:
        service = compose.services[name]
        assert service.read_only, name
        assert service.cap_drop == ["ALL"], name
        assert service.build is not None
        assert service.build.target in built, name


@pytest.mark.parametrize("name", OURS)
def test_a_service_starts_with_valid_options_and_variables(
    compose: Compose, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(compose, name, tmp_path, monkeypatch)
    known = {f"{settings.model_config['env_prefix']}{name}".upper() for name in names_of(type(settings))}
    assert set(compose.services[name].environment) <= known


def settings_of(compose: Compose, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ServiceSettings:
    """Return the settings of a service, with secrets that its own script has made in a folder."""
    make_secrets(folder)
    service = compose.services[name]
    for variable, value in service.environment.items():
        monkeypatch.setenv(variable, value)
    options = arguments_of(service, folder)
    assert options[0] == name
    settings_class = importlib.import_module(f"{WITH_SETTINGS[name].package}.settings").Settings
    loaded: ServiceSettings = load(settings_class, options[1:])
    return loaded


def test_secrets_are_made_once_and_are_long_enough(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    first = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert set(first) == {"fleet.json", "turn-api.json", "turn.secret", "operator.token", "operators.htpasswd"}
    assert len(first["turn.secret"]) == 64
    assert first["turn.secret"] in first["turn-api.json"]
    assert len(first["operator.token"]) == 64
    assert first["operator.token"] not in first["operators.htpasswd"]
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in first} == {0o644}
    make_secrets(tmp_path)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == first


def test_the_address_the_dashboard_and_the_operators_token_are_printed(compose: Compose, tmp_path: Path) -> None:
    make_secrets(tmp_path)
    [line] = compose.services["address"].command
    line = line.replace("/run/pixelfleet", str(tmp_path)).replace("$$", "$")
    output = run("sh", "-c", re.sub(r"\$\{PORT:-(\d+)\}", r"\1", line))
    token = (tmp_path / "operator.token").read_text()
    assert output.stdout.splitlines() == [
        "Open http://localhost:8080/ (Grafana: http://localhost:3001/)",
        f"Dashboard: http://localhost:8080/dashboard/ (user operator, password {token})",
        f"Fleet: PIXELFLEET_FLEET_URL=http://localhost:8080 PIXELFLEET_FLEET_TOKEN={token} pixelfleet fleet ls",
    ]


def test_prometheus_scrapes_existing_services_and_ports(
    compose: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = yaml.safe_load((ROOT / "telemetry" / "prometheus.yml").read_text())["scrape_configs"]
    asked = {job["job_name"]: job["dns_sd_configs"][0] for job in jobs}
    assert set(asked) == {*OURS, "turn"} - {"streamer"}
    for name, discovery in asked.items():
        assert discovery["names"] == [name]
        if name != "turn":
            (folder := tmp_path / name).mkdir()
            settings: Any = settings_of(compose, name, folder, monkeypatch)
            assert discovery["port"] == settings.metrics_port


def test_turn_may_relay_to_the_streamers_network_only(compose: Compose) -> None:
    [subnet] = compose.networks["fleet"].ipam.config
    prefix = subnet.subnet.removesuffix(".0/24")
    assert f"--allowed-peer-ip={prefix}.1-{prefix}.254" in compose.services["turn"].command[0]
