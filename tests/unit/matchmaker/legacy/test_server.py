"""The messages of a legacy server lead to a valid state."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchmaker.legacy.server import LegacyMessageError, server_from_connect

CONNECT = {"type": "connect", "address": "127.0.0.1", "port": 80, "ready": True, "playerConnected": False}


def legacy_server(peer: str = "10.0.0.7", *, trust: bool = False, **fields: Any) -> Any:
    return server_from_connect({**CONNECT, **fields}, peer, trust_address=trust)


def test_the_address_to_dial_is_the_one_of_the_connection() -> None:
    report = legacy_server().report(app="a", dialect="5.0")
    assert (report.url, report.key) == ("ws://10.0.0.7:80", "10.0.0.7:80/stock")
    assert report.legacy
    assert report.ready


@pytest.mark.parametrize(
    ("address", "dialled"),
    [
        ("192.0.2.9", "ws://192.0.2.9:80"),
        ("127.0.0.1", "ws://10.0.0.7:80"),
        ("0.0.0.0", "ws://10.0.0.7:80"),
        ("169.254.169.254", "ws://10.0.0.7:80"),
        ("game.example", "ws://10.0.0.7:80"),
        ("", "ws://10.0.0.7:80"),
    ],
)
def test_a_trusted_routable_address_is_dialled(address: str, dialled: str) -> None:
    assert legacy_server(trust=True, address=address).report(app="a", dialect="5.0").url == dialled


def test_tls_rest_port_and_ipv6_are_in_the_report() -> None:
    report = legacy_server("2001:db8::7", https=True, port=8443, restPort=30000).report(app="a", dialect="legacy")
    assert (report.url, report.rest_url) == ("wss://[2001:db8::7]:8443", "http://[2001:db8::7]:30000")
    assert report.dialect == "legacy"


def test_a_disconnected_server_is_not_ready() -> None:
    assert not legacy_server().report(app="a", dialect="5.0", connected=False).ready


def test_a_player_connected_before_the_server_counts() -> None:
    assert legacy_server(playerConnected=True).players == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"port": 0},
        {"port": 65536},
        {"port": "many"},
        {"port": None},
        {"address": 7},
        {"ready": "yes"},
        {"playerConnected": "yes"},
        {"restPort": -1},
    ],
)
def test_a_connect_with_wrong_fields_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(LegacyMessageError):
        legacy_server(**fields)


def test_missing_values_may_be_null_and_numbers_strings() -> None:
    server = legacy_server(ready=None, playerConnected=None, https=None, address=None, restPort=None, port="8080")
    assert (server.ready, server.players, server.secure, server.port, server.rest_port) == (False, 0, False, 8080, 0)


@given(
    st.lists(
        st.sampled_from(["streamerConnected", "streamerDisconnected", "clientConnected", "clientDisconnected", "ping"])
    )
)
def test_the_number_of_players_is_never_negative(kinds: list[str]) -> None:
    server = legacy_server()
    for kind in kinds:
        before = (server.ready, server.players)
        changed = server.apply({"type": kind})
        assert changed == (before != (server.ready, server.players))
        assert server.players >= 0
    streamer_messages = [kind for kind in kinds if kind.startswith("streamer")]
    assert server.ready == (not streamer_messages or streamer_messages[-1] == "streamerConnected")


@pytest.mark.parametrize("message", [{}, {"type": None}, {"type": 7}, {"type": "hello"}, {"type": ["ping"]}])
def test_an_unknown_message_changes_nothing(message: dict[str, Any]) -> None:
    server = legacy_server()
    with pytest.raises(LegacyMessageError):
        server.apply(message)
    assert (server.ready, server.players) == (True, 0)
