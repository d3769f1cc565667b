"""The formats of exported sessions."""

import csv
import io
from pathlib import Path

import orjson
import pytest

from pixelfleet.capacity.arrivals import Trace
from pixelfleet_cli.fleet.export import COLUMNS, csv_lines, json_lines, time_of
from pixelfleet_cli.simulate.inputs import arrivals_of
from tests.unit.matchmaker.bodies import past_session

ABANDONED = past_session(session="y", queued_at=1_800_000_030.0, started_at=None, streamer=None, played_seconds=0.0)
DIRECT = past_session(session="z", queued_at=None, waited_seconds=None, started_at=1_800_000_040.0)
SESSIONS = (past_session(), DIRECT, ABANDONED)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_line_of_json_is_a_session_of_the_rest_answer() -> None:
    lines = [orjson.loads(line) for line in json_lines(SESSIONS).splitlines()]
    assert [line["session"] for line in lines] == ["x", "z", "y"]
    assert lines[0]["firstFrameSeconds"] == {"page": 0.5, "total": 0.5}
    assert lines[2]["startedAt"] is None


def test_a_table_has_a_column_for_each_fact() -> None:
    (row,) = rows(csv_lines([past_session(labels={"version": "2", "region": "eu"})], header=True))
    assert len(row) == len(COLUMNS)
    assert row["queuedAt"] == row["arrivedAt"] == "2027-01-15T08:00:00.000+00:00"
    assert (row["playedSeconds"], row["firstFrameSeconds.page"], row["firstFrameSeconds.match"]) == ("60.0", "0.5", "")
    assert (row["labels"], row["who"], row["by"]) == ("region=eu version=2", "", "player")
    assert csv_lines([past_session()], header=False).count("\n") == 1


@pytest.mark.parametrize("begin", [*"=+-@", "\N{FULLWIDTH EQUALS SIGN}", "\N{FULLWIDTH COMMERCIAL AT}"])
@pytest.mark.parametrize("field", ["who", "streamer", "node", "app", "address", "operator", "server"])
def test_no_text_becomes_a_formula_of_a_spreadsheet(begin: str, field: str) -> None:
    (row,) = rows(csv_lines([past_session(**{field: f"{begin}HYPERLINK(1)"})], header=True))
    assert row[field] == f"'{begin}HYPERLINK(1)"


@pytest.mark.parametrize("control", ["\t", "\r", "\n", "\r\n", "\x1b", "\x00"])
def test_no_text_contains_control_characters(control: str) -> None:
    (row,) = rows(csv_lines([past_session(who=f"{control}=1,a{control}b")], header=True))
    replaced = "\ufffd" * len(control)
    assert row["who"] == f"{replaced}=1,a{replaced}b"


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_an_export_is_a_trace_of_arrivals_for_the_simulation(tmp_path: Path, form: str) -> None:
    path = tmp_path / "sessions"
    path.write_text(csv_lines(SESSIONS, header=True) if form == "csv" else json_lines(SESSIONS))
    assert arrivals_of(path) == Trace(((0, 60), (30, None), (40, 60)))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7d", -604_800), ("90m", -5400), ("1970-01-01T00:00:00Z", None), ("1970-01-01", None), ("2w", -1_209_600)],
)
def test_a_time_is_absolute_or_a_span_before_now(text: str, seconds: int | None) -> None:
    now = 1_800_000_000.0
    assert time_of(text, now) == (0.0 if seconds is None else now + seconds)


@pytest.mark.parametrize("text", ["", "yesterday", "7", "7y", "-7d", "2026-13-01"])
def test_any_other_text_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        time_of(text, 0.0)
