import msgspec
import pytest
from rich.console import Console

from pixelfleet_cli.fleet.tables import COLUMNS, duration, listing
from tests.unit.matchmaker.bodies import app, audit_record, session, streamer, waiting


def shown(what: str, *rows: msgspec.Struct, now: float = 1000.0, app: str = "") -> str:
    console = Console(width=240, color_system=None)
    with console.capture() as capture:
        console.print(listing(what, rows, now, app))
    return capture.get()


ROWS = {"streamers": streamer(), "sessions": session(), "queue": waiting(), "apps": app(), "audit": audit_record()}


@pytest.mark.parametrize("what", COLUMNS)
def test_every_table_has_titles_and_accepts_null_fields(what: str) -> None:
    text = shown(what, ROWS[what])
    for title, _ in COLUMNS[what]:
        assert title in text


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("streamers", "No streamers are connected."),
        ("sessions", "No sessions are active."),
        ("queue", "No players are waiting."),
        ("apps", "No applications are known."),
    ],
)
def test_an_empty_list_is_a_sentence_without_titles(what: str, text: str) -> None:
    assert shown(what) == text + "\n"
    assert shown(what, app="city\x1b") == text.removesuffix(".") + " for city�.\n"


def test_a_streamer_is_one_line() -> None:
    text = shown("streamers", streamer(taken=1, labels={"region": "eu"}, node="n1", since=880.0))
    for word in ("s1/cam", "car", "free", "1/no limit", "region=eu", "n1", "2 min"):
        assert word in text


def test_a_session_is_one_line_with_its_facts() -> None:
    facts = session(
        who="ada",
        node="n1",
        waited_seconds=12.34,
        path="relayed",
        resumed=3,
        ends_at=1300.0,
        first_frame_seconds={"page": 0.5, "picture": 1.5},
    )
    text = shown("sessions", facts)
    for word in ("ada", "n1", "12.3 s", "2.0 s", "relayed", "5 min"):
        assert word in text


def test_a_session_whose_player_is_away_is_shown_as_such() -> None:
    assert "away" in shown("sessions", session(away=True))
    assert "away" not in shown("sessions", session())


def test_a_change_has_the_operators_name_or_how_it_was_authenticated() -> None:
    assert "ada" in shown("audit", audit_record("ada"))
    assert "(token)" in shown("audit", audit_record())


def test_names_have_no_control_characters() -> None:
    text = shown("streamers", streamer(id="a\x1b[31mred\r\nb", app="[bold]x[/bold]"))
    assert "\x1b" not in text
    assert "\r" not in text
    assert "[bold]x[/bold]" in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0 s"), (59.4, "59 s"), (60, "1 min"), (3599, "59 min"), (3700, "1 h 1 min"), (200_000, "2 d")],
)
def test_durations_are_in_their_largest_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text
