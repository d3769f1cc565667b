"""The dialect of a server: named by the settings, or shown by the server; all memory is bounded."""

import pytest
from structlog.testing import capture_logs

from matchmaker.legacy import known_dialects
from matchmaker.legacy.dialects import UNREAL_5, rule_of
from matchmaker.legacy.known_dialects import LegacyDialects

SERVER = "10.0.0.7:80"


def test_the_most_precise_rule_applies_and_of_two_equal_ones_the_last() -> None:
    texts = ["legacy", "10.0.0.0/8=5.1", "10.0.0.0/16=5.2", "10.0.0.7=5.1", "10.0.0.7:80=5.4", "10.0.0.0/8=legacy"]
    for order in (texts, [*reversed(texts[:5]), texts[5]]):
        dialects = LegacyDialects([rule_of(text) for text in order])
        named = [dialects.named(host, 80) for host in ("10.0.0.7", "10.0.0.8", "10.1.0.0", "11.0.0.1", "name")]
        assert named == ["5.4", "5.2", "legacy", "legacy", "legacy"]
        assert dialects.named("10.0.0.7", 81) == "5.1"
    assert LegacyDialects([]).named("10.0.0.7", 80) == UNREAL_5


def test_what_a_server_shows_replaces_only_an_older_dialect() -> None:
    dialects = LegacyDialects([])
    calls: list[str] = []
    dialects.on_shown = calls.append
    seen = []
    for dialect in ("5.2", "5.2", "5.4", "5.2", "5.5", "5.4"):
        dialects.shown(SERVER, dialect)
        seen.append(dialects.of(SERVER, UNREAL_5))
    assert seen == ["5.2", "5.2", "5.4", "5.4", "5.5", "5.5"]
    assert calls == [SERVER] * 3
    assert dialects.of("10.0.0.8:80", UNREAL_5) == UNREAL_5


def test_a_named_dialect_precedes_what_the_server_shows() -> None:
    dialects = LegacyDialects([])
    dialects.shown(SERVER, "5.4")
    assert [dialects.of(SERVER, named) for named in ("legacy", "5.1", "5.2")] == ["legacy", "5.1", "5.2"]


def test_a_server_that_connects_again_shows_its_dialect_again() -> None:
    dialects = LegacyDialects([])
    dialects.shown(SERVER, "5.4")
    dialects.forget(SERVER)
    dialects.forget(SERVER)
    assert dialects.of(SERVER, UNREAL_5) == UNREAL_5


def test_a_dropped_type_is_logged_once_for_each_server() -> None:
    dialects = LegacyDialects([])
    with capture_logs() as logs:
        for server in (SERVER, "10.0.0.8:80"):
            for number in range(100):
                for kind in ("layerPreference", f"invented {number}", "another"):
                    dialects.dropped(server, kind, "5.2")
    assert [(line["server"], line["kind"]) for line in logs] == [
        (SERVER, "layerPreference"),
        (SERVER, "other"),
        ("10.0.0.8:80", "layerPreference"),
        ("10.0.0.8:80", "other"),
    ]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_dialects, "MAX_REMEMBERED", 3)
    dialects = LegacyDialects([])
    for number in range(10):
        dialects.shown(f"10.0.0.{number}:80", "5.4")
        dialects.dropped(f"10.0.0.{number}:80", "ping", "5.4")
    assert (len(dialects._shown), len(dialects._logged)) == (3, 3)
    assert dialects.of("10.0.0.9:80", UNREAL_5) == "5.4"
    assert dialects.of("10.0.0.0:80", UNREAL_5) == UNREAL_5
