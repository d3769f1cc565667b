"""What was written for the reference matchmaker starts this one, or is told what is different."""

import json
from pathlib import Path

import pytest

from matchmaker.legacy.options import NAMES, translate_arguments, translate_config
from matchmaker.settings import Settings
from pixelfleet.service.errors import UsageError
from pixelfleet.service.settings import load

DOCUMENT = (Path(__file__).parents[4] / "docs" / "how-to" / "migration.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("spelled", ["--HttpPort=90", "--HttpPort 90", "--httpPort 90", "--httpport=90"])
def test_an_option_is_understood_however_it_is_written(spelled: str) -> None:
    assert load(Settings, spelled.split(" ")).port == 90


def test_the_ports_are_the_reference_ones(capsys: pytest.CaptureFixture[str]) -> None:
    settings = load(Settings, ["--HttpPort=80", "--MatchmakerPort", "9998", "--metricsPort=9000"])
    assert (settings.port, settings.link_port, settings.metrics_port) == (80, 9998, 9000)
    assert "--legacy-host" in capsys.readouterr().err
    load(Settings, ["--MatchmakerPort", "9998", "--legacy-host", "0.0.0.0"])
    assert capsys.readouterr().err == ""


def test_ours_win_wherever_they_stand() -> None:
    for arguments in (["--port=1", "--HttpPort=2"], ["--HttpPort=2", "--port=1"]):
        assert load(Settings, arguments).port == 1


@pytest.mark.parametrize("switch", [["--UseHTTPS"], ["--UseHTTPS=true"], ["--UseHTTPS", "1"]])
def test_with_tls_the_other_port_sends_players_on(switch: list[str]) -> None:
    settings = load(Settings, ["--HttpPort", "8080", *switch])
    assert (settings.port, settings.redirect_port) == (443, 8080)
    assert (str(settings.tls_cert), str(settings.tls_key)) == (
        "certificates/client-cert.pem",
        "certificates/client-key.pem",
    )


def test_without_it_there_is_no_tls() -> None:
    settings = load(Settings, ["--UseHTTPS", "false", "--HttpPort", "8080"])
    assert (settings.port, settings.redirect_port, settings.tls_cert) == (8080, None, None)


def test_its_config_file_is_read_and_completed_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.json"
    keys = {"HttpPort": 90, "UseHTTPS": False, "MatchmakerPort": 9998, "LogToFile": True, "legacy_host": "0.0.0.0"}
    path.write_text(json.dumps(keys))
    settings = load(Settings, ["--configFile", str(path)])
    assert (settings.port, settings.link_port, settings.legacy_host) == (90, 9998, "0.0.0.0")
    assert capsys.readouterr().err == ""
    assert load(Settings, ["--configFile", str(path), "--HttpPort=91"]).port == 91
    settings = load(Settings, ["--config", str(path), "--UseHTTPS"])
    assert (settings.port, settings.redirect_port) == (443, 90)


def test_log_files_are_gone_and_that_is_said_to_who_wants_them(capsys: pytest.CaptureFixture[str]) -> None:
    for argument, headers in (("--LogToFile", 1), ("--LogToFile=false", 0)):
        load(Settings, [argument])
        assert capsys.readouterr().err.count("--log-format") == headers


def test_an_unknown_option_is_unknown_all_the_same() -> None:
    with pytest.raises(UsageError, match="--HttpsPorts"):
        load(Settings, ["--HttpsPorts=1"])


def test_what_is_no_option_of_theirs_stays() -> None:
    arguments = ["--app", "car", "--", "--HttpPort=1"]
    assert translate_arguments(arguments) == (arguments, [])
    assert translate_config({"app": "car", "nonsense": 1, "HttpPort": None})[0] == {"app": "car", "nonsense": 1}


@pytest.mark.parametrize("name", NAMES)
def test_the_migration_guide_tells_of_every_option(name: str) -> None:
    part = DOCUMENT.partition("## Options of the reference matchmaker")[2].partition("\n## ")[0]
    assert f"| `--{name}` |" in part
