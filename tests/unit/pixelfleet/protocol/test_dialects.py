import pytest

from pixelfleet.protocol.dialects import LEGACY_STREAMER_UNDERSTANDS, Dialect, identified_dialect


@pytest.mark.parametrize(
    ("version", "dialect"), [(None, Dialect.MIDDLE), ("1.0.0", Dialect.MODERN), ("", Dialect.MODERN)]
)
def test_a_protocol_version_is_what_tells_a_modern_streamer(version: str | None, dialect: Dialect) -> None:
    assert identified_dialect(version) is dialect


def test_only_modern_players_are_told_their_id() -> None:
    assert [dialect for dialect in Dialect if dialect.keeps_player_id] == [Dialect.MODERN]


def test_a_legacy_streamer_is_never_sent_what_is_fatal_to_it() -> None:
    assert {"config", "offer", "iceCandidate", "playerDisconnected", "pong"} == LEGACY_STREAMER_UNDERSTANDS


def test_a_dialect_is_found_by_the_name_that_goes_on_the_wire() -> None:
    assert [Dialect(name) for name in ("legacy", "5.0", "5.5")] == list(Dialect)
