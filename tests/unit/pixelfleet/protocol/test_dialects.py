import pytest

from pixelfleet.protocol.dialects import LEGACY_STREAMER_UNDERSTANDS, Dialect, identified_dialect


@pytest.mark.parametrize(
    ("version", "dialect"), [(None, Dialect.MIDDLE), ("1.0.0", Dialect.MODERN), ("", Dialect.MODERN)]
)
def test_a_protocol_version_identifies_a_modern_streamer(version: str | None, dialect: Dialect) -> None:
    assert identified_dialect(version) is dialect


def test_only_modern_players_receive_their_id() -> None:
    assert [dialect for dialect in Dialect if dialect.keeps_player_id] == [Dialect.MODERN]


def test_a_legacy_streamer_accepts_a_fixed_set_of_messages() -> None:
    assert {"config", "offer", "iceCandidate", "playerDisconnected", "pong"} == LEGACY_STREAMER_UNDERSTANDS


def test_a_dialect_is_found_by_its_name() -> None:
    assert [Dialect(name) for name in ("legacy", "5.0", "5.5")] == list(Dialect)
