"""What the command refuses before it sends anything."""

import json
import resource
from pathlib import Path

import pytest

from pixelfleet.service.errors import UsageError
from pixelfleet.service.settings import load
from pixelfleet_cli.cli import main
from pixelfleet_cli.loadtest.app import prepared
from pixelfleet_cli.loadtest.run import LoadTest, shown_settings
from pixelfleet_cli.loadtest.settings import Settings


@pytest.mark.parametrize(
    "options",
    [
        ["--url", "https://play.example/"],
        ["--url", "http://127.0.0.1/", "--streamers", "1", "--streamer-url", "ws://10.0.0.1:8888"],
    ],
)
def test_a_foreign_target_is_refused_with_exit_code_2(
    options: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(LoadTest, "run")  # no fault of this test may send load
    assert main(["loadtest", *options]) == 2
    error = capsys.readouterr().err
    assert "--yes-i-own-it" in error
    assert error.count("\n") == 1


def test_a_foreign_target_is_accepted_from_its_owner() -> None:
    prepared(load(Settings, ["--url", "https://play.example/", "--yes-i-own-it"]))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--url", "ftp://127.0.0.1/"], "--url"),
        (["--metrics-url", "ws://127.0.0.1/"], "--metrics-url"),
        (["--arrivals-file", "missing.csv"], "--arrivals-file"),
        (["--html", "missing/report.html"], "--html"),
        (["--hold", "x"], "--hold"),
        (["--rate", "0"], "--rate"),
        (["--players", "1000001"], "--players"),
        (["--seconds", "86401"], "--seconds"),
        (["--media", "65"], "--media"),
    ],
)
def test_a_wrong_option_is_named(
    options: list[str], named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=named):
        prepared(load(Settings, options))


def test_more_players_than_open_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 1024))
    with pytest.raises(UsageError, match="--concurrent: needs 1100 open files"):
        prepared(load(Settings, []))


def test_the_arrivals_file_is_that_of_simulate(tmp_path: Path) -> None:
    path = tmp_path / "arrivals.csv"
    path.write_text("2026-01-31T18:00:00Z,600\n2026-01-31T18:00:05Z,60\n")
    test = prepared(load(Settings, ["--arrivals-file", str(path)]))
    assert test._source.expected(60) == 2


def test_a_report_has_no_secrets_of_urls() -> None:
    settings = load(
        Settings, ["--url", "http://127.0.0.1/?link=secret", "--metrics-url", "http://a:b@127.0.0.1/metrics"]
    )
    shown = shown_settings(settings)
    assert shown["--url"] == "http://127.0.0.1/"
    assert "secret" not in json.dumps(shown)
    assert "a:b" not in json.dumps(shown)
