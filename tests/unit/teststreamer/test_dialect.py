"""The validation of a signalling server's messages."""

import contextlib
from typing import Any

import pytest
from aiortc.rtcconfiguration import RTCIceTransportPolicy
from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.protocol.messages import BadMessageError, Candidate
from teststreamer.dialect import (
    MAX_ICE_SERVERS,
    Config,
    EndpointIdConfirm,
    Ping,
    PlayerConnected,
    read,
    remote_candidate,
    rtc_configuration,
)


def config(**options: Any) -> Config:
    return read({"type": "config", "peerConnectionOptions": options}, Config)


def test_a_player_is_announced_with_defaults() -> None:
    player = read({"type": "playerConnected", "playerId": 101}, PlayerConnected)
    assert (player.player_id, player.data_channel, player.send_offer) == (101, True, True)
    assert not read({"type": "playerConnected", "playerId": "1", "sendOffer": False}, PlayerConnected).send_offer


@pytest.mark.parametrize(
    ("message", "shape"),
    [
        ({"type": "playerConnected"}, PlayerConnected),
        ({"type": "playerConnected", "playerId": None}, PlayerConnected),
        ({"type": "playerConnected", "playerId": "1", "sendOffer": "no"}, PlayerConnected),
        ({"type": "endpointIdConfirm", "committedId": 1}, EndpointIdConfirm),
        ({"type": "ping", "time": "now"}, Ping),
        ({"type": "config", "peerConnectionOptions": []}, Config),
        ({"type": "config", "peerConnectionOptions": {"iceServers": [{}]}}, Config),
        ({"type": "config", "peerConnectionOptions": {"iceTransportPolicy": "none"}}, Config),
    ],
)
def test_what_is_missing_or_of_a_wrong_type_is_named(message: dict[str, Any], shape: type[Any]) -> None:
    with pytest.raises(BadMessageError, match=message["type"]):
        read(message, shape)


def test_no_server_is_asked_that_was_not_named() -> None:
    assert rtc_configuration(config(), use_servers=True).iceServers == []
    assert rtc_configuration(Config(), use_servers=True).iceServers == []


def test_named_servers_are_used_with_their_credentials() -> None:
    turn = {"urls": ["stun:192.0.2.1:3478", "turn:192.0.2.1:3478?transport=udp"], "username": "u", "credential": "c"}
    made = rtc_configuration(config(iceServers=[turn], iceTransportPolicy="relay"), use_servers=True)
    assert made.iceServers is not None
    (server,) = made.iceServers
    assert (server.urls, server.username, server.credential) == (turn["urls"], "u", "c")
    assert made.iceTransportPolicy is RTCIceTransportPolicy.RELAY
    assert rtc_configuration(config(iceServers=[turn]), use_servers=False).iceServers == []


def test_addresses_that_cannot_be_read_are_left_out() -> None:
    servers = [{"urls": ["stun:a", "http://b", "turn:", "", "stun:c?transport=udp"]}, {"urls": "nonsense"}]
    made = rtc_configuration(config(iceServers=servers), use_servers=True)
    assert made.iceServers is not None
    assert [server.urls for server in made.iceServers] == [["stun:a"]]


def test_the_number_of_servers_is_bounded() -> None:
    many = [{"urls": [f"stun:s{index}" for index in range(100)]}] * 100
    made = rtc_configuration(config(iceServers=many), use_servers=True)
    assert made.iceServers is not None
    assert {len(server.urls) for server in made.iceServers} == {MAX_ICE_SERVERS} == {len(made.iceServers)}


@pytest.mark.parametrize("prefix", ["", "candidate:"])
def test_a_candidate_belongs_to_the_whole_bundle(prefix: str) -> None:
    text = prefix + "1 1 udp 2130706431 192.0.2.7 50000 typ host"
    made = remote_candidate(Candidate(text, sdp_mid="2", sdp_m_line_index=2))
    assert made is not None
    assert (made.ip, made.port, made.sdpMLineIndex, made.sdpMid) == ("192.0.2.7", 50000, 0, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "candidate:",
        "candidate:1 1 udp 2130706431 7a2c-11.local 50000 typ host",
        "candidate:1 1 tcp 2130706431 192.0.2.7 9 typ host tcptype active",
    ],
)
def test_candidates_of_no_use_are_left_out(text: str) -> None:
    assert remote_candidate(Candidate(text)) is None


@given(st.text(max_size=80) | st.just("x" * 2000))
def test_any_text_is_a_candidate_or_a_typed_error(text: str) -> None:
    with contextlib.suppress(BadMessageError):
        made = remote_candidate(Candidate(text))
        assert made is None or made.protocol == "udp"
