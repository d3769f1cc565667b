"""What `pixelfleet fleet` shows, as tables. No I/O."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from rich import box
from rich.table import Table
from rich.text import Text

Row = dict[str, Any]
Column = tuple[str, Callable[[Row, float], object]]


def _age(name: str) -> Callable[[Row, float], object]:
    return lambda row, now: duration(now - row[name]) if row.get(name) is not None else "-"


def _field(name: str) -> Callable[[Row, float], object]:
    return lambda row, _: row.get(name)


def _taken(row: Row, _: float) -> object:
    return f"{row.get('taken')}/{row.get('capacity') or 'no limit'}"


def _choice(row: Row, _: float) -> object:
    return row.get("wants") or _labels(row, _)


def _labels(row: Row, _: float) -> object:
    labels = row.get("labels")
    return " ".join(f"{name}={value}" for name, value in labels.items()) if isinstance(labels, dict) else ""


COLUMNS: Final[Mapping[str, Sequence[Column]]] = {
    "streamers": (
        ("streamer", _field("id")),
        ("app", _field("app")),
        ("state", _field("state")),
        ("taken", _taken),
        ("labels", _labels),
        ("node", _field("node")),
        ("here for", _age("since")),
    ),
    "sessions": (
        ("session", _field("id")),
        ("app", _field("app")),
        ("streamer", _field("streamer")),
        ("state", _field("state")),
        ("role", _field("role")),
        ("for", _age("matchedAt")),
    ),
    "queue": (
        ("place", _field("position")),
        ("session", _field("id")),
        ("app", _field("app")),
        ("wants", _choice),
        ("waits for", _age("arrivedAt")),
    ),
    "apps": (
        ("app", _field("app")),
        ("streamers", _field("streamers")),
        ("available", _field("available")),
        ("slots", lambda row, _: "no limit" if row.get("slots") is None else f"{row['slots']:g}"),
        ("used", _field("used")),
        ("waiting", _field("waiting")),
        ("longest wait", lambda row, _: duration(row.get("oldestWaitSeconds") or 0.0)),
    ),
}


def table(what: str, rows: Sequence[Row], now: float) -> Table:
    """Return rows as a table; `now` is the fleet's clock."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title, _ in COLUMNS[what]:
        made.add_column(title, overflow="fold")
    for row in rows:
        made.add_row(*(_cell(value(row, now)) for _, value in COLUMNS[what]))
    return made


def duration(seconds: float) -> str:
    """Return seconds as people say them."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, hours = whole // 60, whole // 3600
    if hours < 1:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{hours // 24} d"


def _cell(value: object) -> Text:
    """Return a value as it may stand on a terminal: others have chosen these names."""
    text = "" if value is None else str(value)
    return Text("".join(char if char.isprintable() else "�" for char in text))
