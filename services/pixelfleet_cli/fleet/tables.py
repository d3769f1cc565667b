"""The tables of `pixelfleet fleet`. No I/O."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from rich import box
from rich.table import Table
from rich.text import Text

from matchmaker.http.schemas import App, AuditRecord, Session, Streamer, Waiting

T = TypeVar("T")
Columns = Sequence[tuple[str, Callable[[T, float], object]]]
"""The title of each column, and a function from a row and the fleet's time to its cell."""


def _age(since: float | None, now: float) -> str:
    return "-" if since is None else duration(now - since)


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.1f} s"


def _labels(labels: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in labels.items())


STREAMERS: Final[Columns[Streamer]] = (
    ("streamer", lambda row, _: row.id),
    ("app", lambda row, _: row.app),
    ("state", lambda row, _: row.state),
    ("taken", lambda row, _: f"{row.taken}/{row.capacity or 'no limit'}"),
    ("labels", lambda row, _: _labels(row.labels)),
    ("node", lambda row, _: row.node),
    ("connected for", lambda row, now: _age(row.since, now)),
)
SESSIONS: Final[Columns[Session]] = (
    ("session", lambda row, _: row.id),
    ("app", lambda row, _: row.app),
    ("who", lambda row, _: row.who or "-"),
    ("streamer", lambda row, _: row.streamer),
    ("node", lambda row, _: row.node),
    ("state", lambda row, _: "away" if row.away else row.state.value),
    ("role", lambda row, _: row.role),
    ("waited", lambda row, _: _seconds(row.waited_seconds)),
    (
        "first frame",
        lambda row, _: _seconds(sum(row.first_frame_seconds.values()) if row.first_frame_seconds else None),
    ),
    ("path", lambda row, _: row.path or "-"),
    ("stall", lambda row, _: _seconds(row.longest_stall_seconds)),
    ("resumed", lambda row, _: row.resumed),
    ("for", lambda row, now: _age(row.matched_at, now)),
    ("ends in", lambda row, now: "-" if row.ends_at is None else duration(row.ends_at - now)),
)
QUEUE: Final[Columns[Waiting]] = (
    ("position", lambda row, _: row.position),
    ("session", lambda row, _: row.id),
    ("app", lambda row, _: row.app),
    ("wants", lambda row, _: row.wants or _labels(row.labels)),
    ("waiting for", lambda row, now: _age(row.arrived_at, now)),
)
APPS: Final[Columns[App]] = (
    ("app", lambda row, _: row.app),
    ("streamers", lambda row, _: row.streamers),
    ("available", lambda row, _: row.available),
    ("slots", lambda row, _: "no limit" if row.slots is None else f"{row.slots:g}"),
    ("used", lambda row, _: row.used),
    ("waiting", lambda row, _: row.waiting),
    ("longest wait", lambda row, _: duration(row.oldest_wait_seconds)),
)
AUDIT: Final[Columns[AuditRecord]] = (
    ("ago", lambda row, now: _age(row.at, now)),
    ("action", lambda row, _: row.action),
    ("target", lambda row, _: row.target),
    ("by", lambda row, _: row.subject or f"({row.method})"),
    ("address", lambda row, _: row.address),
)
COLUMNS: Final[Mapping[str, Columns[Any]]] = {
    "streamers": STREAMERS,
    "sessions": SESSIONS,
    "queue": QUEUE,
    "apps": APPS,
    "audit": AUDIT,
}

EMPTY: Final[Mapping[str, str]] = {
    "streamers": "No streamers are connected",
    "sessions": "No sessions are active",
    "queue": "No players are waiting",
    "apps": "No applications are known",
    "audit": "No changes are recorded",
}


def listing(what: str, rows: Sequence[Any], now: float, app: str = "") -> Table | Text:
    """Return rows as a table, or a sentence if there are none; `app` limits the list to an application."""
    if rows:
        return table(what, rows, now)
    return Text.assemble(EMPTY[what], *((" for ", _cell(app)) if app else ()), ".")


def table(what: str, rows: Sequence[Any], now: float) -> Table:
    """Return rows, structs of the matchmaker's answers, as a table; `now` is the fleet's clock."""
    result = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title, _ in COLUMNS[what]:
        result.add_column(title, overflow="fold")
    for row in rows:
        result.add_row(*(_cell(value(row, now)) for _, value in COLUMNS[what]))
    return result


def duration(seconds: float) -> str:
    """Return seconds as text in their largest units."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, hours = whole // 60, whole // 3600
    if hours < 1:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{hours // 24} d"


def _cell(value: object) -> Text:
    """Return a value without control characters: the names come from peers."""
    text = "" if value is None else str(value)
    return Text("".join(char if char.isprintable() else "�" for char in text))
