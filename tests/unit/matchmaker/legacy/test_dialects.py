"""The rules of --legacy-dialect, and the types that each dialect accepts."""

import pytest

from matchmaker.legacy.dialects import ACCEPTED, MODERN, UNREAL_5, accepts, rule_of, shown_by
from matchmaker.settings import Settings
from pixelfleet.protocol.messages import SHAPES
from pixelfleet.service.errors import UsageError
from pixelfleet.service.settings import load
from tests.standins.cirrus import UE_4_27, UE_5_0, UE_5_2, UE_5_4, Generation


@pytest.mark.parametrize(
    ("dialect", "generation"), [("legacy", UE_4_27), ("5.1", UE_5_0), ("5.2", UE_5_2), ("5.4", UE_5_4)]
)
def test_a_dialect_accepts_what_its_stock_servers_accept(dialect: str, generation: Generation) -> None:
    assert ACCEPTED[dialect] == generation.accepts - {"ping"}, "the matchmaker answers pings itself"


def test_the_dialect_of_an_unknown_version_has_only_types_that_no_version_closes_a_player_for() -> None:
    for generation in (UE_5_2, UE_5_4):
        assert ACCEPTED[UNREAL_5] <= generation.accepts
    assert not any(generation.closes for generation in (UE_4_27, UE_5_0))


def test_a_server_of_5_5_gets_every_message() -> None:
    assert accepts(MODERN, "control")
    assert not accepts("5.4", "control")


@pytest.mark.parametrize(
    ("message", "dialect"),
    [
        ({"type": "config", "protocolVersion": "1.3.0"}, "5.5"),
        ({"type": "config"}, None),
        ({"type": "streamerList", "ids": []}, "5.2"),
        ({"type": "ping", "time": 1}, "5.4"),
        ({"type": "offer"}, None),
        ({"type": "playerCount"}, None),
    ],
)
def test_a_server_shows_its_dialect_by_its_messages(message: dict[str, str], dialect: str | None) -> None:
    assert shown_by(message) == dialect


def test_every_forwarded_type_is_one_of_the_protocol() -> None:
    assert frozenset().union(*ACCEPTED.values()) <= SHAPES.keys()


@pytest.mark.parametrize(
    ("text", "host", "port", "covered"),
    [
        ("legacy", "10.0.0.7", 80, True),
        ("legacy", "streamer.internal", 80, True),
        ("10.0.0.0/8=legacy", "10.0.0.7", 80, True),
        ("10.0.0.0/8=legacy", "11.0.0.7", 80, False),
        ("10.0.0.0/8=legacy", "2001:db8::1", 80, False),
        ("10.0.0.0/8=legacy", "streamer.internal", 80, False),
        ("10.0.0.7=5.4", "10.0.0.7", 80, True),
        ("10.0.0.7=5.4", "10.0.0.8", 80, False),
        ("10.0.0.7:80=5.4", "10.0.0.7", 80, True),
        ("10.0.0.7:80=5.4", "10.0.0.7", 81, False),
        ("2001:db8::/32=5.2", "2001:db8::1", 80, True),
        ("[2001:db8::1]:80=5.2", "2001:db8::1", 80, True),
    ],
)
def test_a_rule_covers_a_network_an_address_or_a_server(text: str, host: str, port: int, covered: bool) -> None:
    assert rule_of(text).covers(host, port) is covered


@pytest.mark.parametrize(
    "text", ["", "5.3", "modern", "10.0.0.0/8", "10.0.0.0/8=", "10.0.0.1/8=5.2", "host:80=5.2", "10.0.0.7:x=5.2"]
)
def test_another_text_is_refused_with_the_option(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be one of|must name a network"):
        rule_of(text)
    with pytest.raises(UsageError, match=r"^--legacy-dialect: must "):
        load(Settings, [f'--legacy-dialect=["{text}"]'])


def test_the_option_takes_one_dialect_as_before_and_a_list() -> None:
    assert [rule.dialect for rule in Settings().legacy_rules] == ["5.0"]
    assert [rule.dialect for rule in load(Settings, ["--legacy-dialect", "legacy"]).legacy_rules] == ["legacy"]
    assert [rule.dialect for rule in Settings(legacy_dialect="legacy").legacy_rules] == ["legacy"]
    several = load(Settings, ["--legacy-dialect", "5.2,10.0.0.0/8=legacy", "--legacy-dialect", "10.0.0.7:80=5.4"])
    assert [rule.dialect for rule in several.legacy_rules] == ["5.2", "legacy", "5.4"]
