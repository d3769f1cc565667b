"""Files with arrivals and autoscalers."""

import json
from pathlib import Path
from typing import Any

import pytest

from pixelfleet.capacity.arrivals import Rates, Trace
from pixelfleet.capacity.scalers import shipped
from pixelfleet.service.errors import UsageError
from pixelfleet_cli.simulate import inputs
from pixelfleet_cli.simulate.inputs import arrivals_of, manifest_of


def file(folder: Path, text: str | bytes) -> Path:
    path = folder / "file"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        "100,60\n130\n",
        "time,seconds\n100,60\n\n# a comment\n130,\n",
        "\ufeff130\n100, 60\n",
        "2026-01-31T18:00:00Z,60\n2026-01-31T18:00:30+00:00\n",
        "2026-01-31 18:00:00,60\r\n2026-01-31T19:00:30+01:00\r\n",
    ],
)
def test_a_trace_has_seconds_or_times(tmp_path: Path, text: str) -> None:
    assert arrivals_of(file(tmp_path, text)) == Trace(((0, 60), (30, None)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no arrivals"),
        ("time\n", "has no arrivals"),
        ("1\nlater\n", "line 2: each line must be"),
        ("1\n2,long\n", "line 2: each line must be"),
        ("1,-5\n", "must be from 0"),
        ("nan\n", "not a number"),
        (b"\xff\xfe", "is not UTF-8"),
        ("{", "is no JSON answer"),
        ('{"data": {"result": []}}', "found no series"),
        ('{"data": {"result": [{"values": [[0, "NaN"]]}]}}', "negative or not a number"),
        ('{"data": {"result": [{"values": [[0, "1"], [1e9, "1"]]}]}}', "spans more than"),
        ("{" * 100_000, "is no JSON answer"),
        ('{"endedAt": 1}\n', "line 1: is no session"),
    ],
)
def test_an_unusable_file_is_named_with_its_fault(tmp_path: Path, text: str | bytes, message: str) -> None:
    path = file(tmp_path, text)
    with pytest.raises(UsageError, match=rf"--arrivals-file {path}: .*{message}"):
        arrivals_of(path)


def test_the_values_of_prometheus_are_rates_summed_over_matchmakers(tmp_path: Path) -> None:
    series: list[Any] = [
        {"metric": {"pod": "a"}, "values": [[1000, "10"], [4600, "20"], [11_800, "30"]]},
        {"metric": {"pod": "b"}, "values": [[1000, "1"], [4600, "2"]]},
    ]
    text = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": series}})
    assert arrivals_of(file(tmp_path, text)) == Rates((11, 22, 0, 30))


def test_a_shorter_step_of_prometheus_is_averaged(tmp_path: Path) -> None:
    values = [[60.0 * minute, str(minute)] for minute in range(120)]
    text = json.dumps({"data": {"result": [{"values": values}]}})
    assert arrivals_of(file(tmp_path, text)) == Rates((29.5, 89.5))


def test_a_missing_or_large_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="No such file"):
        arrivals_of(tmp_path / "missing")
    monkeypatch.setattr(inputs, "MAX_ARRIVALS_BYTES", 5)
    with pytest.raises(UsageError, match="larger than 5 bytes"):
        arrivals_of(file(tmp_path, "1\n2\n3\n"))


def test_an_autoscaler_is_read_as_kubectl_prints_it(tmp_path: Path) -> None:
    found = {"apiVersion": "autoscaling/v2", "status": {}, **shipped("hpa", 2, 9)}
    assert manifest_of(file(tmp_path, json.dumps(found)))["spec"]["maxReplicas"] == 9


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: HorizontalPodAutoscaler", "kubectl get hpa/stream -o json"),
        ("[]", "must be one JSON object"),
        ('{"kind": "Deployment", "spec": {}}', "is neither"),
        ('{"kind": "HorizontalPodAutoscaler"}', "missing or invalid"),
    ],
)
def test_another_object_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        manifest_of(file(tmp_path, text))
