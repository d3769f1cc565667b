from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnapi.check.plan import ConfigurationError, Probe, Result, probes_of, works


def test_every_way_is_tried_once() -> None:
    body = b"""{"iceServers": [
        {"urls": "stun:a"},
        {"urls": ["stun:a:3478", "turn:a", "turn:a?transport=udp", "turn:[::1]:9?transport=tcp", "turns:b"],
         "username": "u", "credential": "c"}]}"""
    assert probes_of(body) == [
        Probe("STUN", "a", 3478),
        Probe("UDP", "a", 3478, "u", "c"),
        Probe("TCP", "::1", 9, "u", "c"),
        Probe("TLS", "b", 5349, "u", "c"),
    ]
    assert Probe("TCP", "::1", 9).server == "[::1]:9"


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"{}", b'{"iceServers": []}', b'{"iceServers": [{}]}', b'{"iceServers": [{"urls": [7]}]}'),
        *(b'{"iceServers": [{"urls": "stun:a:99999"}]}', b'{"iceServers": [{"urls": "http://a"}]}'),
    ],
)
def test_what_is_no_configuration_is_an_error(body: bytes) -> None:
    with pytest.raises(ConfigurationError):
        probes_of(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_plan_or_that_error(body: bytes) -> None:
    with suppress(ConfigurationError):
        assert probes_of(body)


def test_stun_alone_is_enough_only_where_no_relay_is_named() -> None:
    stun, udp, tcp = (Probe(way, "a", 1) for way in ("STUN", "UDP", "TCP"))
    assert works([Result(stun, 0)])
    assert not works([Result(stun, 0), Result(udp, 0, "no")])
    assert works([Result(stun, 0, "no"), Result(udp, 0, "no"), Result(tcp, 0)])
    assert not works([Result(stun, 0, "no")])
