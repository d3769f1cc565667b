"""The command from its options to its output."""

import asyncio
import json
from pathlib import Path
from threading import Event

import pytest

from pixelfleet.service.settings import load
from pixelfleet_cli.cli import main
from pixelfleet_cli.simulate import app
from pixelfleet_cli.simulate.settings import Settings

SHORT = ("simulate", "--days", "0.1")


def test_the_exit_code_tells_whether_the_target_is_met(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SHORT, "--warm", "20"]) == 0
    assert main([*SHORT, "--streams-max", "1"]) == 1
    assert "STREAMS_WARM=20" in capsys.readouterr().out


def test_json_has_the_figures_and_nothing_else_is_printed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert main([*SHORT, "--warm", "20", "--json", "--html", str(page)]) == 0
    output = capsys.readouterr()
    found = json.loads(output.out)
    assert (found["answer"], found["varied"], output.err) == (20, "warm", "")
    assert set(found["runs"][0]) >= {"inTimePercent", "waits", "gaveUp", "gpuHours"}
    assert page.read_text().startswith("<!doctype html>")


def test_arrivals_and_autoscaler_come_from_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arrivals = tmp_path / "arrivals.csv"
    arrivals.write_text("".join(f"{second},30\n" for second in range(0, 3600, 10)))
    scaler = tmp_path / "keda.json"
    query = "avg(pixelfleet_streams_wanted)"
    trigger = {"type": "prometheus", "metadata": {"query": query, "threshold": "1"}}
    scaler.write_text(json.dumps({"kind": "ScaledObject", "spec": {"maxReplicaCount": 9, "triggers": [trigger]}}))
    files = ("--arrivals-file", str(arrivals), "--autoscaler-file", str(scaler))
    main([*SHORT, *files, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["runs"][0]["players"] == 360
    assert found["component"] == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rates", "1,2,3"], "--rates: must have 1, 24 or 168 numbers, and has 3"),
        (["--session", "long"], "--session: must be SECONDS, exponential:MEAN"),
        (["--kubernetes", "2"], "--kubernetes"),
        (["--html", "missing/report.html"], "name a file in a folder that exists"),
        (["--autoscaler", "vpa"], "--autoscaler"),
    ],
)
def test_an_error_names_the_option_and_the_remedy(
    options: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*SHORT, *options]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_an_interrupted_run_ends() -> None:
    stopped = Event()
    stopped.set()
    with pytest.raises(app.StoppedError):
        app._simulate(load(Settings, ["--days", "0.1"]), stopped)


async def test_an_interrupted_command_ends_with_the_code_of_shells() -> None:
    task = asyncio.create_task(app.main(load(Settings, ["--days", "3", "--rates", "3600", "--streams-max", "2000"])))
    await asyncio.sleep(0)
    task.cancel()
    assert await task == 130
