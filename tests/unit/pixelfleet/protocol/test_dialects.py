import pytest

from pixelfleet.protocol.dialects import (
    LEGACY_STREAMER_UNDERSTANDS,
    Dialect,
    identified_dialect,
    refused_message,
    understands,
)


@pytest.mark.parametrize(
    ("version", "dialect"), [(None, Dialect.MIDDLE), ("1.0.0", Dialect.MODERN), ("", Dialect.MODERN)]
)
def test_a_protocol_version_identifies_a_modern_streamer(version: str | None, dialect: Dialect) -> None:
    assert identified_dialect(version) is dialect


def test_only_players_of_4_27_do_not_receive_their_id() -> None:
    assert [dialect for dialect in Dialect if not dialect.keeps_player_id] == [Dialect.LEGACY]


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("Unsupported message `endpointIdConfirm` received from SS", "endpointIdConfirm"),
        ("Unsupported message received: identify", "identify"),
        ("Unsupported message received: ", None),
        ("the server restarts", None),
        ("", None),
    ],
)
def test_a_streamers_close_reason_names_the_message_that_it_refuses(reason: str, kind: str | None) -> None:
    assert refused_message(reason) == kind


def test_a_strict_streamer_accepts_a_fixed_set_of_messages() -> None:
    for kind, accepted in (("playerConnected", True), ("endpointIdConfirm", False), ("layerPreference", False)):
        assert understands(Dialect.MIDDLE, kind, strict=True) is accepted
        assert understands(Dialect.MIDDLE, kind, strict=False)


def test_a_legacy_streamer_accepts_a_fixed_set_of_messages() -> None:
    assert {"config", "offer", "iceCandidate", "playerDisconnected", "pong"} == LEGACY_STREAMER_UNDERSTANDS


def test_a_dialect_is_found_by_its_name() -> None:
    assert [Dialect(name) for name in ("legacy", "5.0", "5.5")] == list(Dialect)
