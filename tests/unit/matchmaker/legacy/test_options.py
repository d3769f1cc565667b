"""Options of the reference matchmaker are translated, with warnings about differences."""

import json
from pathlib import Path

import pytest

from matchmaker.legacy.options import NAMES, translate_arguments, translate_config
from matchmaker.settings import Settings
from pixelfleet.service.errors import UsageError
from pixelfleet.service.settings import load

DOCUMENT = (Path(__file__).parents[4] / "docs" / "how-to" / "migration.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("spelled", ["--HttpPort=90", "--HttpPort 90", "--httpPort 90", "--httpport=90"])
def test_an_option_is_translated_in_each_spelling(spelled: str) -> None:
    assert load(Settings, spelled.split(" ")).port == 90


def test_the_reference_ports_are_translated(capsys: pytest.CaptureFixture[str]) -> None:
    settings = load(Settings, ["--HttpPort=80", "--MatchmakerPort", "9998", "--metricsPort=9000"])
    assert (settings.port, settings.link_port, settings.metrics_port) == (80, 9998, 9000)
    assert "--legacy-host" in capsys.readouterr().err
    load(Settings, ["--MatchmakerPort", "9998", "--legacy-host", "0.0.0.0"])
    assert capsys.readouterr().err == ""


def test_pixelfleet_options_take_precedence_in_any_order() -> None:
    for arguments in (["--port=1", "--HttpPort=2"], ["--HttpPort=2", "--port=1"]):
        assert load(Settings, arguments).port == 1


@pytest.mark.parametrize("switch", [["--UseHTTPS"], ["--UseHTTPS=true"], ["--UseHTTPS", "1"]])
def test_with_tls_the_http_port_redirects(switch: list[str]) -> None:
    settings = load(Settings, ["--HttpPort", "8080", *switch])
    assert (settings.port, settings.redirect_port) == (443, 8080)
    assert (str(settings.tls_cert), str(settings.tls_key)) == (
        "certificates/client-cert.pem",
        "certificates/client-key.pem",
    )


def test_without_use_https_there_is_no_tls() -> None:
    settings = load(Settings, ["--UseHTTPS", "false", "--HttpPort", "8080"])
    assert (settings.port, settings.redirect_port, settings.tls_cert) == (8080, None, None)


def test_the_reference_config_file_is_combined_with_the_command_line(
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


def test_a_warning_is_printed_only_when_log_files_are_requested(capsys: pytest.CaptureFixture[str]) -> None:
    for argument, warnings in (("--LogToFile", 1), ("--LogToFile=false", 0)):
        load(Settings, [argument])
        assert capsys.readouterr().err.count("--log-format") == warnings


def test_an_unknown_option_is_an_error() -> None:
    with pytest.raises(UsageError, match="--HttpsPorts"):
        load(Settings, ["--HttpsPorts=1"])


def test_other_options_are_unchanged() -> None:
    arguments = ["--app", "car", "--", "--HttpPort=1"]
    assert translate_arguments(arguments) == (arguments, [])
    assert translate_config({"app": "car", "nonsense": 1, "HttpPort": None})[0] == {"app": "car", "nonsense": 1}


@pytest.mark.parametrize("name", NAMES)
def test_the_migration_guide_has_each_option(name: str) -> None:
    part = DOCUMENT.partition("## Options of the reference matchmaker")[2].partition("\n## ")[0]
    assert f"| `--{name}` |" in part
