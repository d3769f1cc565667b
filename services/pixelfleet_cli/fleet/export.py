"""The formats of `pixelfleet fleet export`: JSON lines, and CSV for spreadsheets. No I/O."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from matchmaker.http.record_schemas import PastSession
from pixelfleet.protocol.first_frame import STEPS

SPAN: Final = re.compile(r"(\d{1,5})([mhdw])")
UNITS: Final = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}

FORMULA: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""A spreadsheet takes a cell that begins so for a formula, also behind a tab or a line break. The last four are the
wide forms of the others, which some languages type."""


def _time(seconds: float | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _labels(labels: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(labels.items()))


Column = tuple[str, Callable[[PastSession], object]]

COLUMNS: Final[Sequence[Column]] = (
    # The first two are what `pixelfleet simulate --arrivals-file` reads.
    ("arrivedAt", lambda row: _time(row.started_at if row.queued_at is None else row.queued_at)),
    ("playedSeconds", lambda row: "" if row.started_at is None else row.played_seconds),
    ("session", lambda row: row.session),
    ("app", lambda row: row.app),
    ("who", lambda row: row.who),
    ("address", lambda row: row.address),
    ("labels", lambda row: _labels(row.labels)),
    ("role", lambda row: row.role),
    ("streamer", lambda row: row.streamer),
    ("server", lambda row: row.server),
    ("node", lambda row: row.node),
    ("queuedAt", lambda row: _time(row.queued_at)),
    ("waitedSeconds", lambda row: row.waited_seconds),
    ("startedAt", lambda row: _time(row.started_at)),
    ("endedAt", lambda row: _time(row.ended_at)),
    *(
        (f"firstFrameSeconds.{step}", lambda row, step=step: (row.first_frame_seconds or {}).get(step))
        for step in (*STEPS.values(), "total")
    ),
    ("path", lambda row: row.path),
    ("codec", lambda row: row.codec),
    ("longestStallSeconds", lambda row: row.longest_stall_seconds),
    ("resumed", lambda row: row.resumed),
    ("awaySeconds", lambda row: row.away_seconds),
    ("ending", lambda row: row.ending),
    ("code", lambda row: row.code),
    ("by", lambda row: row.by),
    ("operator", lambda row: row.operator),
)
"""The title of each column of CSV, and its value of a session."""


def json_lines(sessions: Sequence[PastSession]) -> str:
    """Return sessions as JSON, one object in a line, with the fields of the REST answer."""
    return "".join(msgspec.json.encode(each).decode() + "\n" for each in sessions)


def csv_lines(sessions: Sequence[PastSession], *, header: bool) -> str:
    """Return sessions as CSV, with the titles of the columns before them if `header` is set."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if header:
        writer.writerow([title for title, _ in COLUMNS])
    writer.writerows([_cell(value(each)) for _, value in COLUMNS] for each in sessions)
    return text.getvalue()


def _cell(value: object) -> object:
    """Return a value for a spreadsheet: texts come from players and peers, and must not become formulas or lines."""
    if not isinstance(value, str):
        return value
    text = "".join(char if char.isprintable() else "\ufffd" for char in value)
    return f"'{text}" if text.startswith(FORMULA) else text


def time_of(text: str, now: float) -> float:
    """Return the unix time of a text: an ISO time, or a span before now such as 12h, 7d or 2w. Raises ValueError."""
    if span := SPAN.fullmatch(text):
        return now - timedelta(seconds=int(span[1]) * UNITS[span[2]]).total_seconds()
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
