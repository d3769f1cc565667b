"""Reads arrivals and autoscalers from files."""

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pixelfleet.capacity.arrivals import HOUR_SECONDS, Rates, Source, trace
from pixelfleet.capacity.scalers import scaler_of
from pixelfleet.service.errors import UsageError

MAX_ARRIVALS_BYTES: Final = 128 * 1024 * 1024
MAX_MANIFEST_BYTES: Final = 1024 * 1024
MAX_HOURS: Final = 24 * 366
EXAMPLE: Final = "each line must be TIME or TIME,SECONDS, such as 2026-01-31T18:00:00Z,600 or 12.5,600"


def arrivals_of(path: Path) -> Source:
    """Return the arrivals of a file; raise UsageError."""
    text = _text("--arrivals-file", path, MAX_ARRIVALS_BYTES)
    try:
        if text.lstrip().startswith("{"):
            return trace(_records(text)) if _is_export(text) else range_of(text)
        return trace(_entries(text))
    except ValueError as error:
        raise UsageError(f"--arrivals-file {path}: {error}") from None


def manifest_of(path: Path) -> Mapping[str, Any]:
    """Return the autoscaler of a file; raise UsageError unless it is one that the simulation covers."""
    where = f"--autoscaler-file {path}"
    text = _text("--autoscaler-file", path, MAX_MANIFEST_BYTES)
    try:
        manifest = json.loads(text)
    except (ValueError, RecursionError):
        raise UsageError(f"{where}: is not JSON; write it with `kubectl get hpa/stream -o json`") from None
    if not isinstance(manifest, dict):
        raise UsageError(f"{where}: must be one JSON object")
    try:
        scaler_of(manifest, 1)
    except ValueError as error:
        raise UsageError(f"{where}: {error}") from None
    return manifest


def range_of(text: str) -> Rates:
    """Return the rates of a range query of Prometheus, summed over its series; raise ValueError.

    Each value is a number of players per hour. It holds for the hour that begins at its time, and the hours repeat
    after the last; a missing one has none.
    """
    try:
        results = json.loads(text)["data"]["result"]
        values = [(float(at), float(value)) for each in results for at, value in each["values"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValueError("is no JSON answer of /api/v1/query_range with a matrix") from None
    if not values:
        raise ValueError("has no values: the query found no series")
    first = min(at for at, _ in values)
    hours: dict[int, list[float]] = {}
    for at, value in values:
        if not 0 <= value < math.inf or not at < math.inf:
            raise ValueError("has a value that is negative or not a number")
        hours.setdefault(int((at - first) // HOUR_SECONDS), []).append(value)
    if max(hours) >= MAX_HOURS:
        raise ValueError(f"spans more than {MAX_HOURS} hours")
    series = len(results)
    # Several values of an hour are averaged; several series, one for each matchmaker, are summed.
    return Rates(tuple(_hour(hours.get(hour, []), series) for hour in range(max(hours) + 1)))


def _hour(values: list[float], series: int) -> float:
    return sum(values) / max(1, round(len(values) / series)) if values else 0.0


def _entries(text: str) -> Iterator[tuple[float, float | None]]:
    for number, row in enumerate(csv.reader(io.StringIO(text)), 1):
        cells = [cell.strip() for cell in row]
        if not cells or cells == [""] or cells[0].startswith("#"):
            continue
        try:
            yield _time(cells[0]), float(cells[1]) if len(cells) > 1 and cells[1] else None
        except ValueError:
            if number > 1:  # the first line may have the names of the columns
                raise ValueError(f"line {number}: {EXAMPLE}") from None


def _is_export(text: str) -> bool:
    """Return whether a text is what `pixelfleet fleet export` prints."""
    try:
        return "endedAt" in json.loads(text.lstrip().partition("\n")[0])
    except (ValueError, RecursionError):
        return False


def _records(text: str) -> Iterator[tuple[float, float | None]]:
    """Yield the arrival of each exported session, with its length unless its player left the queue."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            arrived = record["startedAt"] if record["queuedAt"] is None else record["queuedAt"]
            yield float(arrived), None if record["startedAt"] is None else float(record["playedSeconds"])
        except (ValueError, KeyError, TypeError, RecursionError):
            raise ValueError(f"line {number}: is no session of `pixelfleet fleet export`") from None


def _time(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _text(option: str, path: Path, limit: int) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise UsageError(f"{option} {path}: {error.strerror or error}") from None
    if len(content) > limit:
        raise UsageError(f"{option} {path}: is larger than {limit} bytes; use a part of it")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{option} {path}: is not UTF-8 text") from None
